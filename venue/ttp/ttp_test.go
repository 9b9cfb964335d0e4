package ttp_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/emulator"
	emu "github.com/venuekey/venuekey/emulator/ttp"
	"github.com/venuekey/venuekey/venue/ttp"
)

// A dead token is refused in four different ways; all mean the same.
func TestMeRefusesADeadTokenInManyWays(t *testing.T) {
	for _, code := range []string{"", "expired_token", "malformed_token", "invalid_request"} {
		server := httptest.NewServer(&emu.Server{Knobs: emu.Knobs{DeadToken: code}})
		if _, err := (ttp.Venue{Site: server.URL}).Me(t.Context(), venuekey.App{}, "dead"); !venuekey.NeedsSignIn(err) {
			t.Errorf("%q: %v", code, err)
		}
		server.Close()
	}
}

func TestASiteThatAnswersPagesIsTemporary(t *testing.T) {
	for _, status := range []int{200, 403, 503} {
		server := httptest.NewServer(&emu.Server{Knobs: emu.Knobs{HTMLStatus: status}})
		venue := ttp.Venue{Site: server.URL}
		app := venuekey.App{ClientID: "demo-client", ClientSecret: "demo-secret"}
		if _, err := venue.Me(t.Context(), app, "any"); !venuekey.Temporary(err) {
			t.Errorf("me, %d: %v", status, err)
		}
		if _, err := venue.Refresh(t.Context(), app, venuekey.Token{Refresh: "r"}); !venuekey.Temporary(err) {
			t.Errorf("refresh, %d: %v", status, err)
		}
		server.Close()
	}
}

// The plugin's free edition renews nothing: that is for a human to hear.
func TestASiteThatDoesNotRenew(t *testing.T) {
	server := httptest.NewServer(&emu.Server{Knobs: emu.Knobs{RefuseRefresh: true}})
	defer server.Close()
	app := venuekey.App{ClientID: "demo-client", ClientSecret: "demo-secret"}
	if _, err := (ttp.Venue{Site: server.URL}).Refresh(t.Context(), app, venuekey.Token{Refresh: "r"}); !venuekey.NeedsSignIn(err) {
		t.Fatal(err)
	}
}

func TestARedirectedTokenRequestIsNotFollowed(t *testing.T) {
	server := httptest.NewServer(&emu.Server{Knobs: emu.Knobs{MovedPOST: true}})
	defer server.Close()
	app := venuekey.App{ClientID: "demo-client", ClientSecret: "demo-secret"}
	_, err := (ttp.Venue{Site: server.URL}).Refresh(t.Context(), app, venuekey.Token{Refresh: "r"})
	// The redirect may come after the plugin has acted.
	known, ok := errors.AsType[*venuekey.Error](err)
	if !ok || known.Class != venuekey.ClassUnknown || !strings.Contains(known.Remedy, "the one that it leads to") {
		t.Fatal(err)
	}
}

func TestAppsThatCannotWork(t *testing.T) {
	good := venuekey.App{ClientID: "c", ClientSecret: "s", RedirectURI: "https://app.example/cb"}
	if err := (ttp.Venue{}).CheckApp(good); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*venuekey.App){
		"no client":          func(a *venuekey.App) { a.ClientID = "" },
		"unknown auth":       func(a *venuekey.App) { a.Params = map[string]venuekey.Secret{"client_auth": "post"} },
		"unknown form":       func(a *venuekey.App) { a.Params = map[string]venuekey.Secret{"address_form": "x"} },
		"no redirect":        func(a *venuekey.App) { a.RedirectURI = "" },
		"redirect not https": func(a *venuekey.App) { a.RedirectURI = "http://app.example/cb" },
	} {
		app := good
		change(&app)
		if err := (ttp.Venue{}).CheckApp(app); !venuekey.Misconfigured(err) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Where the site has no pretty addresses, token requests go to the other form, and
// the next ones go there at once.
func TestASiteWithoutPrettyAddresses(t *testing.T) {
	var seen []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen = append(seen, r.URL.RequestURI())
		if r.URL.Path == "/oauth/token" {
			http.NotFound(w, r)
			return
		}
		fmt.Fprint(w, `{"access_token":"a"}`)
	}))
	defer server.Close()
	app := venuekey.App{ClientID: "c", ClientSecret: "s"}
	token, err := (ttp.Venue{Site: server.URL}).Refresh(t.Context(), app, venuekey.Token{Refresh: "r"})
	if err != nil || token.Learned["token_form"] != "query" || len(seen) != 2 {
		t.Fatal(seen, token.Learned, err)
	}
	seen, app.Params = nil, map[string]venuekey.Secret{"token_form": "query"}
	if _, err := (ttp.Venue{Site: server.URL}).Refresh(t.Context(), app, venuekey.Token{Refresh: "r"}); err != nil || len(seen) != 1 || seen[0] != "/?oauth=token" {
		t.Fatal(seen, err)
	}
}

// A token that may not see who it belongs to is not dead: the remedy is another
// sign-in with more scopes, and nothing is wrong with this one until then.
func TestMeTellsTooFewScopesFromADeadToken(t *testing.T) {
	for name, answer := range map[string]http.HandlerFunc{
		"as the plugin answers": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("WWW-Authenticate", `Bearer realm="Service", scope="profile", error="insufficient_scope", error_description="The request requires higher privileges"`)
			w.WriteHeader(403)
			fmt.Fprint(w, `{"error":"insufficient_scope"}`)
		},
		"in the body only": func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(403)
			fmt.Fprint(w, `{"error":"insufficient_scope","scope":"profile"}`)
		},
		"and no JSON": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("WWW-Authenticate", `Bearer error="insufficient_scope", scope="profile"`)
			w.WriteHeader(403)
			fmt.Fprint(w, `<html>`)
		},
	} {
		server := httptest.NewServer(answer)
		_, err := (ttp.Venue{Site: server.URL}).Me(t.Context(), venuekey.App{}, "alive")
		server.Close()
		known, ok := errors.AsType[*venuekey.Error](err)
		if !ok || known.Class != venuekey.ClassMisconfigured || known.Op != "me" || len(known.Scopes) != 1 || known.Scopes[0] != "profile" || !strings.Contains(known.Remedy, "profile") {
			t.Errorf("%s: %v %+v", name, err, known)
		}
	}
}

// A firewall's JSON says nothing of the token, nor does one of WordPress.
func TestMeTakesAFirewallForNoRefusal(t *testing.T) {
	for status, body := range map[int]string{
		403: `{"error":"blocked"}`, 429: `{"error":"too many requests"}`, 408: `{}`, 409: `{}`, 302: `{"error":"moved"}`, 503: `{}`,
		404: `{"code":"rest_no_route","message":"No route was found"}`, 405: `{"code":"rest_no_route"}`, 200: `{"code":"rest_disabled"}`,
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			fmt.Fprint(w, body)
		}))
		if me, err := (ttp.Venue{Site: server.URL}).Me(t.Context(), venuekey.App{}, "alive"); err == nil || venuekey.NeedsSignIn(err) || venuekey.Temporary(err) == (status == 404 || status == 405) {
			t.Errorf("%d: %+v %v", status, me, err)
		}
		server.Close()
	}
}

// An app without a secret is known by its id alone, where the site lets it in; a
// site that does not says that something is wrong with the app.
func TestAnAppWithoutASecret(t *testing.T) {
	app := venuekey.App{ClientID: "public", RedirectURI: "https://app.example/cb", Params: map[string]venuekey.Secret{"client_auth": "none"}}
	if err := (ttp.Venue{}).CheckApp(app); err != nil {
		t.Error(err)
	}
	secret := app
	secret.ClientSecret = "s"
	if err := (ttp.Venue{}).CheckApp(secret); !venuekey.Misconfigured(err) {
		t.Error("a secret that is not sent goes unnoticed:", err)
	}
	server := httptest.NewServer(&emu.Server{Knobs: emu.Knobs{RefusePublic: true}, Apps: []emulator.App{{ClientID: "public"}}})
	defer server.Close()
	if _, err := (ttp.Venue{Site: server.URL}).Refresh(t.Context(), app, venuekey.Token{Refresh: "r"}); !venuekey.Misconfigured(err) {
		t.Error(err)
	}
}
