package venuekey_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/internal/keepertest"
	"github.com/venuekey/venuekey/store/memory"
)

// Tokens that exist already: from another tool, from a backup, or saved by a
// program that knows nothing of a schedule. All are renewed by one rule.

func TestATokenThatIsAdopted(t *testing.T) {
	for _, row := range []struct {
		name  string
		token func(now time.Time) venuekey.Token
		first string        // what is handed out at once
		due   time.Duration // when it is renewed at the latest
	}{
		{"whole", func(now time.Time) venuekey.Token {
			return venuekey.Token{Access: "theirs", Refresh: "refresh-1", Issued: now.Add(-30 * time.Minute), Expires: now.Add(30 * time.Minute)}
		}, "theirs", 18 * time.Minute},
		{"no life", func(time.Time) venuekey.Token { return venuekey.Token{Access: "theirs", Refresh: "refresh-1"} }, "theirs", 8 * time.Hour},
		{"only an end", func(now time.Time) venuekey.Token {
			return venuekey.Token{Access: "theirs", Refresh: "refresh-1", Expires: now.Add(time.Hour)}
		}, "theirs", 48 * time.Minute},
		{"a refresh token alone", func(time.Time) venuekey.Token { return venuekey.Token{Refresh: "refresh-1"} }, "access-2", 0},
		{"dead already", func(now time.Time) venuekey.Token {
			return venuekey.Token{Access: "theirs", Refresh: "refresh-1", Expires: now.Add(-time.Hour)}
		}, "access-2", 0},
		{"a refresh token that dies first", func(now time.Time) venuekey.Token {
			return venuekey.Token{Access: "theirs", Refresh: "refresh-1", Expires: now.Add(24 * time.Hour), RefreshExpires: now.Add(2 * time.Hour)}
		}, "theirs", 96 * time.Minute},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				venue := &keepertest.Venue{Terms: venuekey.Policy{DefaultLife: 10 * time.Hour}, Serial: 1, Alive: "refresh-1"}
				keeper := keepertest.New(t, &memory.Store{}, venue)
				keeper.Marks = t.TempDir()
				now := time.Now()
				token, err := keeper.Adopt(t.Context(), keepertest.Alice, row.token(now))
				if err != nil || token.Refresh != "" {
					t.Fatal(err)
				}
				if _, total := venue.Shown(); total != 0 {
					t.Error("the venue was asked")
				}
				kept, record, err := keeper.Vault.Load(t.Context(), keepertest.Alice)
				if err != nil || kept.SignedIn.IsZero() || record.NextRefresh.After(now.Add(row.due+time.Second)) {
					t.Fatalf("%v, signed in %v, due %v after now", err, kept.SignedIn, record.NextRefresh.Sub(now))
				}
				keepertest.WantToken(t, keeper, row.first)
				time.Sleep(row.due + 2*time.Second)
				keepertest.WantToken(t, keepertest.New(t, keeper.Vault.Store, venue), "access-2")
				if most, total := venue.Shown(); most != 1 || total != 1 {
					t.Errorf("%d presentations, one token up to %d times", total, most)
				}
			})
		})
	}
}

// Another tool's file states no end of the refresh token. The one that the venue
// documents ends the sign-in all the same.
func TestARefreshTokenOfADocumentedLifeSetsThePace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		policy := venuekey.Policy{RenewalEnds: venuekey.EndAfterIssue, RenewalLife: 10 * 24 * time.Hour, RefreshAt: 0.5}
		keeper := keepertest.New(t, &memory.Store{}, &keepertest.Venue{Terms: policy, Serial: 1, Alive: "refresh-1"})
		keeper.Marks = t.TempDir()
		now := time.Now()
		theirs := venuekey.Token{Access: "theirs", Refresh: "refresh-1", Expires: now.Add(30 * 24 * time.Hour)}
		if _, err := keeper.Adopt(t.Context(), keepertest.Alice, theirs); err != nil {
			t.Fatal(err)
		}
		status, err := keeper.Status(t.Context(), keepertest.Alice)
		if err != nil || status.NextRefresh.After(now.Add(5*24*time.Hour)) || !status.NextRefresh.Before(status.SignInEnds) {
			t.Errorf("%v, it is renewed %v after now, and ends %v after now", err, status.NextRefresh.Sub(now), status.SignInEnds.Sub(now))
		}
	})
}

func TestWhatCannotBeAdopted(t *testing.T) {
	keeper := keepertest.New(t, &memory.Store{}, &keepertest.Venue{})
	if _, err := keeper.Adopt(t.Context(), keepertest.Alice, venuekey.Token{}); !venuekey.Misconfigured(err) {
		t.Errorf("nothing: %v", err)
	}
	if _, err := keeper.Adopt(t.Context(), venuekey.ID{Venue: "other", Name: "x"}, venuekey.Token{Refresh: "r"}); !venuekey.Misconfigured(err) {
		t.Errorf("no venue: %v", err)
	}
}

// Adopting replaces what is there, as signing in does: a renewal that is under way
// finds itself overtaken.
func TestAdoptingReplacesASignIn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		venue := &keepertest.Venue{}
		keeper, store := keepertest.SignedIn(t, venue)
		other := keepertest.New(t, store, venue)
		keepertest.AtFirst(keeper, "answered", func() {
			if _, err := other.Adopt(t.Context(), keepertest.Alice, venuekey.Token{Access: "theirs", Refresh: "r"}); err != nil {
				t.Error(err)
			}
		})
		if _, err := keeper.Refresh(t.Context(), keepertest.Alice); err != nil {
			t.Fatal(err)
		}
		keepertest.WantToken(t, keepertest.New(t, store, venue), "theirs")
	})
}

// A program saved a token with Vault.Save and set no NextRefresh: it is renewed
// all the same, whether somebody asks for it or Run looks after it.
func TestATokenSavedWithoutAScheduleIsRenewed(t *testing.T) {
	for name, wait := range map[string]func(*testing.T, *venuekey.Keeper){
		"asked for": func(t *testing.T, k *venuekey.Keeper) {
			keepertest.WantState(t, k, venuekey.StateFresh, "")
			keepertest.WantToken(t, k, "access-1")
			time.Sleep(keepertest.Life * 9 / 10)
			keepertest.WantState(t, k, venuekey.StateDue, "")
			keepertest.WantToken(t, k, "access-2")
		},
		"asked for when it is dead": func(t *testing.T, k *venuekey.Keeper) {
			time.Sleep(2 * keepertest.Life)
			keepertest.WantState(t, k, venuekey.StateExpired, "")
			keepertest.WantToken(t, k, "access-2")
		},
		"run": func(t *testing.T, k *venuekey.Keeper) {
			ctx, stop := context.WithTimeout(t.Context(), keepertest.Life*9/10)
			defer stop()
			_ = k.Run(ctx)
			keepertest.WantToken(t, k, "access-2")
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				venue := &keepertest.Venue{}
				keeper := keepertest.New(t, &memory.Store{}, venue)
				record := venuekey.Record{Key: "token/stage/alice", Generation: 1}
				if _, err := keeper.Vault.Save(t.Context(), record, venue.Issue()); err != nil {
					t.Fatal(err)
				}
				wait(t, keeper)
				if most, total := venue.Shown(); most != 1 || total != 1 {
					t.Errorf("%d presentations, one token up to %d times", total, most)
				}
			})
		})
	}
}

// A token from a backup: what is known against it stays known, and it is due by
// the same rule as any other.
func TestATokenThatIsRestored(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		venue := &keepertest.Venue{}
		keeper, _ := keepertest.SignedIn(t, venue)
		keeper.Marks = t.TempDir()
		for range 3 {
			if _, err := keeper.Refresh(t.Context(), keepertest.Alice); err != nil {
				t.Fatal(err)
			}
		}
		token, stands, err := keeper.Vault.Load(t.Context(), keepertest.Alice)
		if err != nil {
			t.Fatal(err)
		}
		token.Expires, token.RefreshExpires = token.Issued.Add(24*time.Hour), token.Issued.Add(2*time.Hour)
		restore := func(was venuekey.Record) venuekey.Record {
			t.Helper()
			was.Key = stands.Key
			got, err := keeper.RestoreRecord(t.Context(), was, token)
			if err != nil {
				t.Fatal(err)
			}
			if got.Generation <= stands.Generation {
				t.Errorf("generation %d comes after %d", got.Generation, stands.Generation)
			}
			stands = got
			return got
		}
		if _, err := keeper.RestoreRecord(t.Context(), venuekey.Record{Key: stands.Key}, token); !errors.Is(err, venuekey.ErrConflict) {
			t.Errorf("a record that is there is replaced unseen: %v", err)
		}
		now := time.Now()
		if got := restore(venuekey.Record{Version: stands.Version, Generation: 1, Text: "no route"}); got.Text != "" || got.NextRefresh.After(now.Add(2*time.Hour)) {
			t.Errorf("its refresh token dies in 2 h, and it is due in %v", got.NextRefresh.Sub(now))
		}
		if status, _ := keeper.Status(t.Context(), keepertest.Alice); status.Behind {
			t.Error("what was restored on purpose is told as an accident")
		}
		if got := restore(venuekey.Record{Version: stands.Version, Generation: 90}); got.Generation < 90 {
			t.Errorf("generation %d, the backup had 90", got.Generation)
		}
		if got := restore(venuekey.Record{Version: stands.Version, Attempt: 1, IntentAt: now}); got.Attempt != 1 || !got.IntentAt.Equal(now) {
			t.Errorf("an open intent is forgotten: %+v", got)
		}
		if got := restore(venuekey.Record{Version: stands.Version, Condition: venuekey.ConditionDead, Text: "refused"}); got.Text != "refused" || !got.NextRefresh.IsZero() {
			t.Errorf("a dead one: %+v", got)
		}
		token.Refresh = ""
		if got := restore(venuekey.Record{Version: stands.Version}); !got.NextRefresh.IsZero() {
			t.Errorf("one that nothing renews: %+v", got)
		}
	})
}

// Stories of a name that is found out after a sign-in was kept.

func mustUser(t *testing.T, keeper *venuekey.Keeper, want string) {
	t.Helper()
	status, err := keeper.Status(t.Context(), keepertest.Alice)
	if err != nil || status.User != want {
		t.Errorf("user %q, %v; want %q", status.User, err, want)
	}
}

func TestANameIsKeptAndCarriedOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		venue := &keepertest.Venue{}
		keeper, store := keepertest.SignedIn(t, venue)
		token, err := keeper.Token(t.Context(), keepertest.Alice)
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if err := keeper.Named(t.Context(), keepertest.Alice, token, "1001"); err != nil {
				t.Fatal(err)
			}
		}
		other := keepertest.New(t, store, venue)
		mustUser(t, other, "1001")
		if _, err := other.Refresh(t.Context(), keepertest.Alice); err != nil {
			t.Fatal(err)
		}
		mustUser(t, other, "1001")
		keepertest.WantToken(t, other, "access-2")
		if err := keeper.Named(t.Context(), keepertest.Alice, token, "1002"); err != nil {
			t.Error("a renewal is the same sign-in:", err)
		}
		mustUser(t, other, "1002")
	})
}

// A name waits for a renewal that is under way, and is lost rather than written
// into it.
func TestANameIsNotWrittenUnderARenewal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		venue := &keepertest.Venue{After: func(context.Context) error { time.Sleep(5 * time.Second); return nil }}
		keeper, store := keepertest.SignedIn(t, venue)
		token, err := keeper.Token(t.Context(), keepertest.Alice)
		if err != nil {
			t.Fatal(err)
		}
		var renewing sync.WaitGroup
		renewing.Go(func() { _, _ = keepertest.New(t, store, venue).Refresh(t.Context(), keepertest.Alice) })
		time.Sleep(time.Second)
		before, _ := store.Get(t.Context(), "token/stage/alice")
		short, cancel := context.WithTimeout(t.Context(), 990*time.Millisecond)
		defer cancel()
		if err := keeper.Named(short, keepertest.Alice, token, "1001"); venuekey.ClassOf(err) != venuekey.ClassLater {
			t.Error(err)
		}
		if after, _ := store.Get(t.Context(), "token/stage/alice"); after.Version != before.Version {
			t.Error("the record was written under a renewal")
		}
		if err := keeper.Named(t.Context(), keepertest.Alice, token, "1001"); err != nil {
			t.Error(err)
		}
		renewing.Wait()
		mustUser(t, keeper, "1001")
		keepertest.WantToken(t, keepertest.New(t, store, venue), "access-2")
	})
}

func TestANameIsNotGivenToAnotherSignIn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		venue := &keepertest.Venue{}
		keeper, store := keepertest.SignedIn(t, venue)
		token, err := keeper.Token(t.Context(), keepertest.Alice)
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		if _, err := keepertest.New(t, store, venue).SignIn(t.Context(), keepertest.Alice, keepertest.NoUI{}); err != nil {
			t.Fatal(err)
		}
		if err := keeper.Named(t.Context(), keepertest.Alice, token, "1001"); !errors.Is(err, venuekey.ErrConflict) {
			t.Error(err)
		}
		mustUser(t, keeper, "")
		if err := keeper.SignOut(t.Context(), keepertest.Alice, false); err != nil {
			t.Fatal(err)
		}
		if err := keeper.Named(t.Context(), keepertest.Alice, token, "1001"); venuekey.ClassOf(err) != venuekey.ClassRefused {
			t.Error(err)
		}
	})
}

// Names and renewals at once: none of either loses a token.
func TestNamesAndRenewalsTakeTurns(t *testing.T) {
	venue := &keepertest.Venue{}
	keeper, store := keepertest.SignedIn(t, venue)
	token, err := keeper.Token(t.Context(), keepertest.Alice)
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for i := range 3 {
		all.Go(func() {
			k := keepertest.New(t, store, venue)
			defer k.Close()
			for range 20 {
				if _, err := k.Refresh(t.Context(), keepertest.Alice); err != nil {
					t.Error("renewal:", err)
				}
			}
		})
		all.Go(func() {
			k := keepertest.New(t, store, venue)
			for n := range 20 {
				if err := k.Named(t.Context(), keepertest.Alice, token, []string{"a", "b", "c"}[(i+n)%3]); err != nil {
					t.Error("name:", err)
				}
			}
		})
	}
	all.Wait()
	if most, _ := venue.Shown(); most != 1 {
		t.Errorf("a refresh token was presented %d times", most)
	}
	if _, err := keepertest.New(t, store, venue).Refresh(t.Context(), keepertest.Alice); err != nil {
		t.Error("the newest token is lost:", err)
	}
}

// An older program may have kept what none of today would: it opens without what
// would be more than one header.
func TestATokenOfAnOlderProgramThatIsMoreThanOneHeader(t *testing.T) {
	keeper := keepertest.New(t, &memory.Store{}, &keepertest.Venue{})
	for name, token := range map[string]venuekey.Token{
		"access": {Access: "a\r\nX-Admin: 1"}, "refresh": {Access: "a", Refresh: "r\xff"}, "type": {Access: "a", Type: "Bearer x\r\nX-Admin: 1"},
	} {
		if _, err := keeper.Vault.Save(t.Context(), venuekey.Record{Key: "token/stage/" + name, NextRefresh: time.Now().Add(time.Hour)}, token); err != nil {
			t.Fatal(err)
		}
		kept, _, err := keeper.Vault.Load(t.Context(), venuekey.ID{Venue: "stage", Name: name})
		if err != nil || strings.ContainsAny(string(kept.Access)+kept.TypeOrBearer(), "\r\n") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
