package ctrader_test

import (
	"errors"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/emulator"
	emu "github.com/venuekey/venuekey/emulator/ctrader"
	"github.com/venuekey/venuekey/venue/ctrader"
)

func TestTheStepsByHand(t *testing.T) {
	venue := &emu.Server{}
	server := httptest.NewServer(venue)
	defer server.Close()
	auth := ctrader.Auth{ClientID: "demo-client", ClientSecret: "demo-secret", RedirectURI: "http://localhost:8080/auth/callback"}
	user := emulator.Person{Name: "alice", Password: "wonderland"}

	for _, path := range []string{"/my/settings/openapi/grantingaccess/", "/apps/auth"} {
		address, err := auth.AuthURI(ctrader.ScopeAccounts, server.URL+path)
		if err != nil {
			t.Fatal(err)
		}
		redirected, err := user.Redirected(t.Context(), address)
		if err != nil {
			t.Fatal(err)
		}
		code, err := auth.Code(redirected)
		if err != nil {
			t.Fatal(err)
		}
		token, err := auth.Token(t.Context(), code, server.URL+"/apps/token")
		if err != nil || token.Life() != ctrader.AccessLife || token.Type != "bearer" {
			t.Fatalf("%s %v", token.Life(), err)
		}
		next, err := auth.RefreshToken(t.Context(), token.Refresh, server.URL+"/apps/token")
		if err != nil || !venue.Alive(string(next.Access)) || venue.Alive(string(token.Access)) {
			t.Fatal(err)
		}
		if _, err := auth.RefreshToken(t.Context(), token.Refresh, server.URL+"/apps/token"); !venuekey.NeedsSignIn(err) {
			t.Fatal(err)
		}
		if _, err := auth.Token(t.Context(), code, server.URL+"/apps/token"); !venuekey.NeedsSignIn(err) || !strings.Contains(err.Error(), "authorization code") {
			t.Fatal(err)
		}
	}
}

func TestStandardAddresses(t *testing.T) {
	address, err := ctrader.Auth{ClientID: "7_x", RedirectURI: "http://localhost:8080/auth/callback"}.AuthURI("", "")
	want := "https://id.ctrader.com/my/settings/openapi/grantingaccess/?client_id=7_x&product=web&redirect_uri=http%3A%2F%2Flocalhost%3A8080%2Fauth%2Fcallback&scope=trading"
	if err != nil || address != want {
		t.Fatalf("%v\ngot  %s\nwant %s", err, address, want)
	}
}

func TestACodeIsTakenOutOfARedirect(t *testing.T) {
	for redirected, want := range map[string]venuekey.Secret{
		"http://localhost:8080/cb?code=abc":            "abc",
		"http://localhost:8080/cb?error=access_denied": "",
		"http://localhost:8080/cb":                     "",
		"://":                                          "",
	} {
		if code, err := (ctrader.Auth{}).Code(redirected); code != want || (err == nil) != (want != "") {
			t.Errorf("%s: %v", redirected, err)
		}
	}
}

// whateverIsSaidBeside runs a test with descriptions beside the codes and without.
func whateverIsSaidBeside(t *testing.T, name string, test func(t *testing.T, venue *emu.Server, base string)) {
	for words, said := range map[string]bool{"in words": true, "by codes": false} {
		t.Run(name+", "+words, func(t *testing.T) {
			venue := &emu.Server{Knobs: emu.Knobs{Descriptions: said}}
			server := httptest.NewServer(venue)
			defer server.Close()
			test(t, venue, server.URL)
		})
	}
}

// What cTrader says when something is wrong, and what venuekey makes of it.
func TestWhatIsWrongAndWhatHelps(t *testing.T) {
	good := ctrader.Auth{ClientID: "demo-client", ClientSecret: "demo-secret", RedirectURI: "http://localhost:8080/auth/callback"}
	for _, row := range []struct {
		name           string
		change         func(*ctrader.Auth)
		late           time.Duration
		class          venuekey.Class
		reason, remedy string
	}{
		{"wrong secret", func(a *ctrader.Auth) { a.ClientSecret = "other" }, 0, venuekey.ClassMisconfigured, "client id and secret", "openapi.ctrader.com/apps"},
		{"wrong client", func(a *ctrader.Auth) { a.ClientID = "other" }, 0, venuekey.ClassMisconfigured, "client id and secret", "Active"},
		{"redirect in capitals", func(a *ctrader.Auth) { a.RedirectURI = "http://localhost:8080/auth/Callback" }, 0, venuekey.ClassMisconfigured, "redirect uri", "case and slash"},
		{"redirect with a slash", func(a *ctrader.Auth) { a.RedirectURI += "/" }, 0, venuekey.ClassMisconfigured, "redirect uri", "case and slash"},
		{"redirect with another port", func(a *ctrader.Auth) { a.RedirectURI = "http://localhost:8081/auth/callback" }, 0, venuekey.ClassMisconfigured, "redirect uri", "port"},
		{"redirect with another scheme", func(a *ctrader.Auth) { a.RedirectURI = "https://localhost:8080/auth/callback" }, 0, venuekey.ClassMisconfigured, "redirect uri", "scheme"},
		{"code too old", func(*ctrader.Auth) {}, 61 * time.Second, venuekey.ClassRefused, "more than a minute old", "at once"},
	} {
		whateverIsSaidBeside(t, row.name, func(t *testing.T, venue *emu.Server, base string) {
			address, err := good.AuthURI("", base+"/apps/auth")
			if err != nil {
				t.Fatal(err)
			}
			redirected, err := emulator.Person{Name: "alice", Password: "wonderland"}.Redirected(t.Context(), address)
			if err != nil {
				t.Fatal(err)
			}
			code, err := good.Code(redirected)
			if err != nil {
				t.Fatal(err)
			}
			venue.Time().Advance(row.late)
			auth := good
			row.change(&auth)
			_, err = auth.Token(t.Context(), code, base+"/apps/token")
			var failure *venuekey.Error
			if !errors.As(err, &failure) || failure.Class != row.class || !strings.Contains(failure.Reason, row.reason) || !strings.Contains(failure.Remedy, row.remedy) {
				t.Fatalf("%+v", failure)
			}
		})
	}
}

// A refusal of a refresh that does not say whose it is, is the app's in doubt: the
// refresh token may be good, and is when the secret is right again. It names both
// possibilities, for it may as well be dead.
func TestARefusalThatDoesNotSayWhose(t *testing.T) {
	for _, word := range []string{"ACCESS_DENIED", "INVALID_REQUEST"} {
		for name, secret := range map[string]venuekey.Secret{"wrong secret": "other", "dead refresh token": "demo-secret"} {
			t.Run(word+", "+name, func(t *testing.T) {
				server := httptest.NewServer(&emu.Server{Knobs: emu.Knobs{ErrorCodes: emu.ErrorCodes{Client: word, Refresh: word}}})
				defer server.Close()
				auth := ctrader.Auth{ClientID: "demo-client", ClientSecret: secret}
				_, err := auth.RefreshToken(t.Context(), "dead", server.URL+"/apps/token")
				known, _ := errors.AsType[*venuekey.Error](err)
				if known == nil || known.Class != venuekey.ClassMisconfigured || known.Code != word {
					t.Fatal(err)
				}
				for _, part := range []string{"client id and secret", "refresh token"} {
					if !strings.Contains(known.Reason, part) {
						t.Errorf("the reason does not name the %s: %s", part, known.Reason)
					}
				}
				if !strings.Contains(known.Remedy, "openapi.ctrader.com/apps") || !strings.Contains(known.Remedy, "sign in again") {
					t.Error(known.Remedy)
				}
			})
		}
	}
	whateverIsSaidBeside(t, "by default a dead one is told", func(t *testing.T, _ *emu.Server, base string) {
		auth := ctrader.Auth{ClientID: "demo-client", ClientSecret: "demo-secret"}
		if _, err := auth.RefreshToken(t.Context(), "dead", base+"/apps/token"); !venuekey.NeedsSignIn(err) {
			t.Fatal(err)
		}
		auth.ClientSecret = "other"
		if _, err := auth.RefreshToken(t.Context(), "dead", base+"/apps/token"); !venuekey.Misconfigured(err) {
			t.Fatal(err)
		}
	})
}

func TestAppsThatCannotWork(t *testing.T) {
	good := venuekey.App{ClientID: "1", ClientSecret: "2", RedirectURI: "http://localhost:8080/"}
	if err := (ctrader.Venue{}).CheckApp(good); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*venuekey.App){
		"no secret":      func(a *venuekey.App) { a.ClientSecret = "" },
		"unknown scope":  func(a *venuekey.App) { a.Scopes = []string{"everything"} },
		"unknown method": func(a *venuekey.App) { a.Params = map[string]venuekey.Secret{"token_method": "PUT"} },
		"no redirect":    func(a *venuekey.App) { a.RedirectURI = "" },
	} {
		app := good
		change(&app)
		if err := (ctrader.Venue{}).CheckApp(app); !venuekey.Misconfigured(err) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// The documented way is GET only. Where that is all that is taken, a sign-in by
// POST goes on by GET, with the code that nobody has read yet, and remembers it.
func TestAnAddressThatTakesGETOnly(t *testing.T) {
	venue := &emu.Server{Knobs: emu.Knobs{RefusePOST: true}}
	server := httptest.NewServer(venue)
	defer server.Close()
	auth := ctrader.Auth{ClientID: "demo-client", ClientSecret: "demo-secret", RedirectURI: "http://localhost:8080/auth/callback"}
	address, err := auth.AuthURI("", server.URL+"/apps/auth")
	if err != nil {
		t.Fatal(err)
	}
	redirected, err := emulator.Person{Name: "alice", Password: "wonderland"}.Redirected(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	code, err := auth.Code(redirected)
	if err != nil {
		t.Fatal(err)
	}
	token, err := auth.Token(t.Context(), code, server.URL+"/apps/token")
	if err != nil || token.Learned["token_method"] != "GET" {
		t.Fatal(token.Learned, err)
	}
	if _, err := auth.RefreshToken(t.Context(), token.Refresh, server.URL+"/apps/token"); err != nil {
		t.Fatal(err)
	}
	if shown := venue.Log().Count(emulator.EventRefreshPresented); shown != 1 {
		t.Fatalf("the refresh token was read %d times", shown)
	}
}
