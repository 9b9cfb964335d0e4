package attacks_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/internal/keepertest"
	"github.com/venuekey/venuekey/store/memory"
)

// foreign_test.go owns the attacks of a Venue and a Store that somebody else wrote, or
// that somebody else speaks through.

// hotAccess, hotRefresh and hotSecret are what the foreign venue is told.
const (
	hotAccess  = "aK7/fT0+xP5mZr2Vq9&LdYw4Hs6Jb1Ge"
	hotRefresh = "hvQ7/zR+u2Lx&9TnKp4WbYs1DcEm6GaJ"
	hotSecret  = "Xw3=kN8f/Tz0qVh5+MrB7yUj2PsLd9Ce"
)

// spokenVenue is a foreign Venue that returns what a test chooses.
type spokenVenue struct {
	keepertest.Venue
	token venuekey.Token // of a sign-in
	next  func() (venuekey.Token, error)
	asked int
	// presented is the last token that was.
	presented venuekey.Token
}

func (v *spokenVenue) Login(context.Context, venuekey.App, venuekey.UI) (venuekey.Token, error) {
	return v.token, nil
}

func (v *spokenVenue) Refresh(_ context.Context, _ venuekey.App, token venuekey.Token) (venuekey.Token, error) {
	v.asked, v.presented = v.asked+1, token
	return v.next()
}

func (v *spokenVenue) Identify(context.Context, venuekey.App, venuekey.Token) (string, error) {
	return "", errors.New(loud())
}

// loud is a foreign text: all three secrets, in several forms, on several lines.
func loud() string {
	text := "\x1b]0;owned\x07\u202e"
	for _, secret := range []string{hotAccess, hotRefresh, hotSecret} {
		text += "\r\n" + secret + "\t" + url.QueryEscape(secret) + " " + base64.StdEncoding.EncodeToString([]byte("x:"+secret)) + " " + secret[:16] + "\x00" + secret[16:]
	}
	return text
}

func spokenKeeper(t *testing.T, venue *spokenVenue) (*venuekey.Keeper, *memory.Store, *bytes.Buffer) {
	t.Helper()
	store, log := &memory.Store{}, &bytes.Buffer{}
	keeper := keepertest.New(t, store, venue)
	keeper.Apps = func(context.Context, string) (venuekey.App, error) {
		return venuekey.App{Venue: "stage", ClientSecret: hotSecret}, nil
	}
	keeper.Log = slog.New(slog.NewJSONHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	if venue.token.Access == "" && venue.token.Refresh == "" {
		venue.token = venuekey.Token{Access: hotAccess, Refresh: hotRefresh, Issued: time.Now(), Expires: time.Now().Add(keepertest.Life)}
	}
	return keeper, store, log
}

// mustBeClean fails where a text holds a piece of a secret, or what a terminal obeys.
func mustBeClean(t *testing.T, what, text string) {
	t.Helper()
	letters := func(r rune) rune {
		if r > unicode.MaxASCII || !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			return -1
		}
		return unicode.ToLower(r)
	}
	for _, secret := range []string{hotAccess, hotRefresh, hotSecret} {
		for _, form := range []string{secret, url.QueryEscape(secret), base64.StdEncoding.EncodeToString([]byte("x:" + secret))} {
			form = strings.Map(letters, form)
			for at := 0; at+12 <= len(form); at++ {
				if strings.Contains(strings.Map(letters, text), form[at:at+12]) {
					t.Fatalf("%s holds a secret: %q", what, text)
				}
			}
		}
	}
	if at := strings.IndexFunc(text, func(r rune) bool { return r != '\n' && !unicode.IsPrint(r) }); at >= 0 {
		t.Fatalf("%s holds a control character: %q", what, text)
	}
}

func TestAttackAVenueWhoseErrorsRepeatSecrets(t *testing.T) {
	for name, failure := range map[string]error{
		"an error of another type": errors.New(loud()),
		"one that wraps another":   fmt.Errorf("%s: %w", loud(), context.DeadlineExceeded),
		"one of ours":              &venuekey.Error{Class: venuekey.ClassLater, Code: loud(), Reason: loud(), Remedy: loud(), Err: errors.New(loud())},
		"one without a reason":     &venuekey.Error{Class: venuekey.ClassRefused, Err: errors.New(loud())},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				venue := &spokenVenue{next: func() (venuekey.Token, error) { return venuekey.Token{}, failure }}
				keeper, store, log := spokenKeeper(t, venue)
				if _, err := keeper.SignIn(t.Context(), keepertest.Alice, keepertest.NoUI{}); err != nil {
					t.Fatal(err)
				}
				events := keepertest.Listen(t, keeper)
				_, err := keeper.Refresh(t.Context(), keepertest.Alice)
				if err == nil || errors.Is(failure, context.DeadlineExceeded) && !errors.Is(err, context.DeadlineExceeded) {
					t.Fatal(err)
				}
				for inner := err; inner != nil; inner = errors.Unwrap(inner) {
					mustBeClean(t, "the error", fmt.Sprintf("%v %+v", inner, inner))
				}
				var known *venuekey.Error
				if errors.As(err, &known) {
					mustBeClean(t, "its fields", known.Code+known.Reason+known.Remedy)
				}
				for _, record := range keepertest.CopyOf(t, store) {
					mustBeClean(t, "the stored reason", record.Text)
				}
				for _, event := range events.Take() {
					mustBeClean(t, "an event", event.Reason+event.Remedy+event.Status.Reason)
				}
				status, err := keeper.Status(t.Context(), keepertest.Alice)
				if err != nil {
					t.Fatal(err)
				}
				mustBeClean(t, "the status", status.Reason+status.User)
				mustBeClean(t, "the log", log.String())
			})
		})
	}
}

func TestAttackAVenueWhoseNamesRepeatSecrets(t *testing.T) {
	venue := &spokenVenue{token: venuekey.Token{
		Access: hotAccess, Refresh: hotRefresh, Issued: time.Now(), Expires: time.Now().Add(keepertest.Life),
		User: "alice\n9999\tlive\x1b[2J " + hotRefresh, Scopes: []string{"trade\u202e", url.QueryEscape(hotSecret)}, Notes: []string{loud()},
	}}
	keeper, _, log := spokenKeeper(t, venue)
	token, err := keeper.SignIn(t.Context(), keepertest.Alice, keepertest.NoUI{})
	if err != nil {
		t.Fatal(err)
	}
	status, err := keeper.Status(t.Context(), keepertest.Alice)
	if err != nil {
		t.Fatal(err)
	}
	if status.User != "alice 9999 live [secret]" || token.User != status.User {
		t.Errorf("%q", status.User)
	}
	mustBeClean(t, "what is shown", token.User+strings.Join(append(token.Scopes, status.Scopes...), " "))
	mustBeClean(t, "the log", log.String())
}

// A token becomes part of a header. One that would be more than that is not used, and
// what renews is not lost for it: it was issued, and the one before is used up.
func TestAttackATokenThatIsMoreThanOneHeader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for name, policy := range map[string]venuekey.Policy{"the old token lives on": {}, "it is ended by the renewal": {KillsAccess: true}} {
			venue := &spokenVenue{Venue: keepertest.Venue{Terms: policy}}
			keeper, _, _ := spokenKeeper(t, venue)
			venue.token.Issued, venue.token.Expires = time.Now(), time.Now().Add(keepertest.Life)
			if _, err := keeper.SignIn(t.Context(), keepertest.Alice, keepertest.NoUI{}); err != nil {
				t.Fatal(err)
			}
			venue.next = func() (venuekey.Token, error) {
				return venuekey.Token{Access: "a\r\nX-Admin: 1", Refresh: venuekey.Secret(fmt.Sprint("next-", venue.asked)), Expires: time.Now().Add(keepertest.Life)}, nil
			}
			token, err := keeper.Refresh(t.Context(), keepertest.Alice)
			if !venuekey.Temporary(err) || token != nil {
				t.Fatalf("%s: %v", name, err)
			}
			kept, record, err := keepertest.Kept(t.Context(), keeper.Vault, keepertest.Alice)
			if err != nil || kept.Refresh != "next-1" || record.Failures != 1 || record.NextRefresh.IsZero() || !record.IntentAt.IsZero() {
				t.Fatalf("%s: kept %q, %d failures, %v", name, string(kept.Refresh), record.Failures, err)
			}
			if old := kept.Access == hotAccess; old == policy.KillsAccess {
				t.Fatalf("%s: the old access token is kept: %v", name, old)
			}
			// It is asked less and less, and takes the first good answer.
			before := venue.asked
			for range 20 {
				time.Sleep(time.Second)
				_, _ = keeper.Token(t.Context(), keepertest.Alice)
			}
			if asked := venue.asked - before; asked > 5 {
				t.Fatalf("%s: asked %d times in 20 s", name, asked)
			}
			venue.next = func() (venuekey.Token, error) {
				return venuekey.Token{Access: "good", Refresh: "last", Expires: time.Now().Add(keepertest.Life)}, nil
			}
			time.Sleep(5 * time.Minute)
			if token, err := keeper.Refresh(t.Context(), keepertest.Alice); err != nil || token.Access != "good" {
				t.Fatalf("%s: %v", name, err)
			}
			keepertest.WantState(t, keeper, venuekey.StateFresh, "")
		}
	})
}

// If no refresh token came, it is unknown whether the old one is still good.
func TestATokenThatNobodyCanUseAlone(t *testing.T) {
	for name, got := range map[string]venuekey.Token{
		"no refresh token":   {Access: "a\nb"},
		"the one before":     {Access: "a\nb", Refresh: hotRefresh},
		"a type of its own":  {Access: "a", Type: "mac"},
		"no token whatever":  {},
		"a type with a line": {Access: "a", Type: "Bearer a\r\nX: y"},
	} {
		venue := &spokenVenue{next: func() (venuekey.Token, error) { return got, nil }}
		keeper, _, _ := spokenKeeper(t, venue)
		if _, err := keeper.SignIn(t.Context(), keepertest.Alice, keepertest.NoUI{}); err != nil {
			t.Fatal(err)
		}
		_, err := keeper.Refresh(t.Context(), keepertest.Alice)
		kept, record, _ := keepertest.Kept(t.Context(), keeper.Vault, keepertest.Alice)
		if err == nil || kept.Refresh != hotRefresh || kept.Access != hotAccess || record.IntentAt.IsZero() || record.Condition != venuekey.ConditionUncertain {
			t.Errorf("%s: %v, %+v", name, err, record.Condition)
		}
		venue.token = got
		if got.Refresh == "" {
			if _, err := keeper.SignIn(t.Context(), keepertest.Alice, keepertest.NoUI{}); err == nil {
				t.Errorf("%s: it is a sign-in", name)
			}
		}
	}
}

// What renews goes into the body of a form, so that it may hold whatever a venue puts
// there: it is kept as it came, and presented so.
func TestARefreshTokenOfAnyCharactersIsKept(t *testing.T) {
	for _, odd := range []venuekey.Secret{"r\n2", "r\x002", "r\x1b[2J", "r\u00e4\u4f60\u202e\ufffd", " r\t ", "<&>\u2028", "\x7f", venuekey.Secret(strings.Repeat("r<", 200_000))} {
		venue := &spokenVenue{}
		keeper, store, _ := spokenKeeper(t, venue)
		if _, err := keeper.SignIn(t.Context(), keepertest.Alice, keepertest.NoUI{}); err != nil {
			t.Fatal(err)
		}
		venue.next = func() (venuekey.Token, error) {
			return venuekey.Token{Access: "a1", Refresh: odd, Expires: time.Now().Add(keepertest.Life)}, nil
		}
		if _, err := keeper.Refresh(t.Context(), keepertest.Alice); err != nil {
			t.Fatalf("%.20q: %v", string(odd), err)
		}
		venue.next = func() (venuekey.Token, error) {
			return venuekey.Token{Access: "a2", Refresh: "r3", Expires: time.Now().Add(keepertest.Life)}, nil
		}
		again := keepertest.New(t, store, venue) // which reads what was sealed
		if _, err := again.Refresh(t.Context(), keepertest.Alice); err != nil || !venue.presented.Refresh.Equal(odd) {
			t.Errorf("%.20q was presented as %.20q: %v", string(odd), string(venue.presented.Refresh), err)
		}
		if _, err := again.Adopt(t.Context(), keepertest.Alice, venuekey.Token{Refresh: odd}); err != nil {
			t.Errorf("%.20q: %v", string(odd), err)
		}
		if kept, _, err := keepertest.Kept(t.Context(), again.Vault, keepertest.Alice); err != nil || !kept.Refresh.Equal(odd) {
			t.Errorf("%.20q: %v", string(odd), err)
		}
	}
}

// What a file holds is refused where nobody can use it: it is still in the file.
func TestAttackAFileWithATokenThatIsMoreThanOneHeader(t *testing.T) {
	keeper, _ := keepertest.SignedIn(t, &keepertest.Venue{})
	for name, token := range map[string]venuekey.Token{
		"access": {Access: "a\r\nX-Admin: 1"}, "refresh": {Access: "a", Refresh: "r\xff"}, "type": {Access: "a", Type: "Bearer x\r\nX-Admin: 1"},
	} {
		if _, err := keeper.Adopt(t.Context(), keepertest.Alice, token); !venuekey.Misconfigured(err) {
			t.Errorf("%s: adopted: %v", name, err)
		}
		if _, err := keeper.Restore(t.Context(), venuekey.Snapshot{ID: keepertest.Alice, Token: token, Generation: 1}, true); !venuekey.Misconfigured(err) {
			t.Errorf("%s: restored: %v", name, err)
		}
	}
	keepertest.WantToken(t, keeper, "access-1")
}

// An attacker who can write to the store can write a reason.
func TestAttackAReasonThatSomebodyWrote(t *testing.T) {
	keeper, store := keepertest.SignedIn(t, &keepertest.Venue{})
	record, err := store.Get(t.Context(), "token/stage/alice")
	if err != nil {
		t.Fatal(err)
	}
	record.Condition, record.Text, record.NextRefresh = venuekey.ConditionDead, "\x1b]0;owned\x07\u202e\r\n9999\tlive", time.Time{}
	if _, err := store.Put(t.Context(), record); err != nil {
		t.Fatal(err)
	}
	status, err := keeper.Status(t.Context(), keepertest.Alice)
	if err != nil {
		t.Fatal(err)
	}
	mustBeClean(t, "the status", status.Reason)
	_, err = keeper.RefreshAgain(t.Context(), keepertest.Alice)
	if err != nil {
		mustBeClean(t, "the error", err.Error())
	}
	for event := range keeper.Events(t.Context()) {
		mustBeClean(t, "the event", event.Reason)
		break
	}
}

// loudStore is a foreign Store.
type loudStore struct{ memory.Store }

func (s *loudStore) Get(context.Context, string) (venuekey.Record, error) {
	return venuekey.Record{}, errors.New("it said \x1b[2J\nthis")
}

func TestAttackAStoreThatWritesOnTheTerminal(t *testing.T) {
	var log bytes.Buffer
	keeper := keepertest.New(t, &loudStore{}, &keepertest.Venue{})
	keeper.Log = slog.New(slog.NewTextHandler(&log, nil))
	for what, ask := range map[string]func() error{
		"token":   func() error { _, err := keeper.Token(t.Context(), keepertest.Alice); return err },
		"sign in": func() error { _, err := keeper.SignIn(t.Context(), keepertest.Alice, keepertest.NoUI{}); return err },
		"app":     func() error { _, err := keeper.Vault.App(t.Context(), "stage"); return err },
		"refresh": func() error { _, err := keeper.Refresh(t.Context(), keepertest.Alice); return err },
	} {
		err := ask()
		if err == nil {
			t.Fatal(what)
		}
		for inner := err; inner != nil; inner = errors.Unwrap(inner) {
			mustBeClean(t, what, inner.Error())
		}
	}
	mustBeClean(t, "the log", log.String())
}

// An API call's answer that net/http cannot read is quoted, with the token in it.
func TestAttackAnAPIThatRepeatsTheToken(t *testing.T) {
	keeper, _, _ := spokenKeeper(t, &spokenVenue{})
	if _, err := keeper.SignIn(t.Context(), keepertest.Alice, keepertest.NoUI{}); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close()
		fmt.Fprintf(conn, "%s\x1b[2J\r\n\r\n", r.Header.Get("Authorization"))
	}))
	defer server.Close()
	_, err := keeper.Source(keepertest.Alice).Client().Get(server.URL)
	if err == nil {
		t.Fatal("that is no answer")
	}
	for inner := err; inner != nil; inner = errors.Unwrap(inner) {
		mustBeClean(t, "the error", inner.Error())
	}
}
