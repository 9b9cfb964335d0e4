package defined_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/venue/defined"
)

// An app that cannot work is refused before anybody signs in, with what to do.
func TestAppsThatCannotWork(t *testing.T) {
	good := map[string]venuekey.App{
		"schwab":   {ClientID: "c", ClientSecret: "s", RedirectURI: "https://127.0.0.1:8182"},
		"projectx": {Params: map[string]venuekey.Secret{"user": "u", "key": "k", "host": "api.topstepx.com"}},
		"nested":   {Params: map[string]venuekey.Secret{"key": "k"}, Environment: "demo"},
	}
	venues := map[string]venuekey.Venue{"schwab": named(t, "schwab"), "projectx": named(t, "projectx"), "nested": defined.New(madeUpDefinition(t, "nested"))}
	for name, app := range good {
		if err := venues[name].(venuekey.Registrar).CheckApp(app); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, row := range map[string]struct {
		venue, says string
		change      func(*venuekey.App)
	}{
		"no id":                {"schwab", "client id", func(a *venuekey.App) { a.ClientID = "" }},
		"no secret":            {"schwab", "client secret", func(a *venuekey.App) { a.ClientSecret = "" }},
		"no redirect":          {"schwab", "redirect uri", func(a *venuekey.App) { a.RedirectURI = "" }},
		"a redirect of http":   {"schwab", "accepts https only", func(a *venuekey.App) { a.RedirectURI = "http://127.0.0.1:8080/cb" }},
		"no such environment":  {"schwab", "no such environment", func(a *venuekey.App) { a.Environment = "demo" }},
		"nor such a one":       {"nested", "no such environment", func(a *venuekey.App) { a.Environment = "paper" }},
		"no key":               {"projectx", "has no key", func(a *venuekey.App) { a.Params = map[string]venuekey.Secret{"user": "u"} }},
		"a host with a path":   {"projectx", "host", func(a *venuekey.App) { a.Params["host"] = "api.topstepx.com/elsewhere" }},
		"a host with a user":   {"projectx", "host", func(a *venuekey.App) { a.Params["host"] = "me@api.topstepx.com" }},
		"a host with a line":   {"projectx", "host", func(a *venuekey.App) { a.Params["host"] = "api.topstepx.com\nx" }},
		"a key with a line":    {"projectx", "key", func(a *venuekey.App) { a.Params["key"] = "k\r\nX: y" }},
		"an authority of none": {"projectx", "PEM", func(a *venuekey.App) { a.Params["ca"] = "nothing" }},
	} {
		app := good[row.venue]
		params := map[string]venuekey.Secret{}
		for name, value := range app.Params {
			params[name] = value
		}
		app.Params = params
		row.change(&app)
		err := venues[row.venue].(venuekey.Registrar).CheckApp(app)
		if !venuekey.Misconfigured(err) || !strings.Contains(err.Error(), row.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A host that does not match its pattern gets nothing, also if nobody checked the app.
func TestAttackAHostThatDoesNotMatch(t *testing.T) {
	asked := false
	venue := defined.NewOver(direct{http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked = true })}, parsed(t, "projectx"))
	for _, host := range []venuekey.Secret{"evil.example/x", "a@evil.example", "evil.example#", "evil.example?x", "nodots", "evil.example:99999999", "evil.example\n"} {
		app := venuekey.App{Params: map[string]venuekey.Secret{"user": "u", "key": "k", "host": host}}
		if _, err := venue.Login(t.Context(), app, nil); !venuekey.Misconfigured(err) || asked {
			t.Errorf("%q: %v", string(host), err)
		}
	}
}

// Which interfaces a venue has follows from what its definition says.
func TestTheOptionalInterfaces(t *testing.T) {
	for name, want := range map[string]string{"ttp": "IRP", "schwab": "P", "projectx": "", "questrade": "P", "upstox": "", "kite": "I", "tradestation": "RP"} {
		venue, got := named(t, name), ""
		if _, ok := venue.(venuekey.Identifier); ok {
			got += "I"
		}
		if _, ok := venue.(venuekey.Revoker); ok {
			got += "R"
		}
		if _, ok := venue.(venuekey.Prober); ok {
			got += "P"
		}
		if got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

// Requests go where the environment says, and where the app says before that.
func TestEnvironments(t *testing.T) {
	var asked string
	venue := defined.NewOver(direct{http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = r.Host + r.URL.Path
		w.WriteHeader(http.StatusBadRequest)
	})}, parsed(t, "questrade"))
	for want, app := range map[string]venuekey.App{
		"login.questrade.com/oauth2/token":         {},
		"practicelogin.questrade.com/oauth2/token": {Environment: "demo"},
		"proxy.example/oauth2/token":               {URLs: map[string]string{"base": "https://proxy.example"}},
		"other.example/token":                      {URLs: map[string]string{"renew": "https://other.example/token"}},
	} {
		_, _ = venue.Refresh(t.Context(), app, venuekey.Token{Refresh: "r"})
		if asked != want {
			t.Errorf("%q, want %q", asked, want)
		}
	}
	asked = ""
	venue = defined.NewOver(direct{http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { asked = r.Host + r.URL.Path })}, madeUpDefinition(t, "nested"))
	_, _ = venue.Refresh(t.Context(), venuekey.App{Environment: "demo"}, venuekey.Token{Refresh: "r"})
	if asked != "demo.example/session/refresh-token" {
		t.Errorf("%q", asked)
	}
}

// A status alone means what the definition says; the same status from a gateway, without
// JSON, means what it always does.
func TestAnErrorThatIsKnownByItsStatus(t *testing.T) {
	answer := httptest.NewRecorder()
	venue := defined.NewOver(direct{http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = w.Write(answer.Body.Bytes())
	})}, madeUpDefinition(t, "result"))
	app := venuekey.App{ClientID: "c", ClientSecret: "s", Params: map[string]venuekey.Secret{"user": "u", "pin": "p"}}
	answer.Body.WriteString(`{"state": "repair"}`)
	if _, err := venue.Login(t.Context(), app, nil); !venuekey.Temporary(err) || !strings.Contains(err.Error(), "being repaired") {
		t.Error(err)
	}
	answer.Body.Reset()
	answer.Body.WriteString(`<html>`)
	if _, err := venue.Login(t.Context(), app, nil); err == nil || strings.Contains(err.Error(), "being repaired") {
		t.Error(err)
	}
}

// An ask whose answer does not fit is asked about again by the person, not by the venue.
func TestAnAnswerThatIsMissing(t *testing.T) {
	asked := false
	venue := defined.NewOver(direct{http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked = true })}, parsed(t, "questrade"))
	_, err := venue.Login(t.Context(), venuekey.App{}, silent{})
	if venuekey.ClassOf(err) != venuekey.ClassDeclined || asked {
		t.Error(err)
	}
}

// A probe shows nothing that an app has, in whatever field of a request that would travel.
func TestAProbeShowsNothing(t *testing.T) {
	d, err := defined.Parse("my.json", []byte(`{"name": "acme", "login": "code", "authorize": {"url": "https://a.example/authorize"},
		"ask": [{"name": "key", "help": "h", "keep": "app", "secret": true}],
		"exchange": {"url": "https://a.example/token", "fallbacks": ["https://a.example/other"], "headers": {"X-Key": "{ask.key}", "X-App": "{client_id}", "X-Version": "3"}},
		"environments": {"live": {}, "demo": {"exchange": "https://demo.example/token"}}, "renew": {"with": "refresh"}}`))
	if err != nil {
		t.Fatal(err)
	}
	var seen []string
	venue := defined.NewOver(direct{http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		seen = append(seen, fmt.Sprint(r.Host, r.URL, r.Header, string(body)))
		w.WriteHeader(http.StatusNotFound)
	})}, d)
	app := venuekey.App{ClientID: "the-client-id", ClientSecret: "the-secret", Params: map[string]venuekey.Secret{"key": "the-key-of-the-api"}}
	_ = venue.(venuekey.Prober).Probe(t.Context(), app)
	if all := strings.Join(seen, "\n"); len(seen) != 2 || strings.Contains(all, "the-") || !strings.Contains(all, "X-Version:[3]") {
		t.Errorf("%d requests: %s", len(seen), all)
	}
	seen, app.Environment = nil, "demo"
	_, _ = venue.Refresh(t.Context(), app, venuekey.Token{Refresh: "r"})
	if len(seen) != 1 || !strings.Contains(seen[0], "demo.example") || !strings.Contains(seen[0], "the-key-of-the-api") {
		t.Errorf("%q", seen)
	}
}
