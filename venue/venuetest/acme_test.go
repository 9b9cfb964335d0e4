package venuetest

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/emulator"
	"github.com/venuekey/venuekey/oauth"
)

// acme_test.go owns a made-up venue, and the least of a server for it.

// acme is a venue of OAuth 2 and nothing else.
type acme struct{}

func (acme) Name() string { return "acme" }

func (acme) Policy() venuekey.Policy {
	return venuekey.Policy{AfterLostAnswer: venuekey.RetryUntilRefused, KillsAccess: true, DefaultLife: time.Hour, CodeLife: time.Minute, MaxSessions: 1}
}

func (acme) client(app venuekey.App) oauth.Client {
	return oauth.Client{Config: oauth.Config{
		AuthorizeURL: app.URL("authorize", "https://acme.example/authorize"), TokenURL: app.URL("token", "https://acme.example/token"),
		RevokeURL: app.URL("revoke", "https://acme.example/revoke"), PKCE: true, CodeLife: time.Minute, DefaultLife: time.Hour,
	}}
}

func (a acme) Login(ctx context.Context, app venuekey.App, ui venuekey.UI) (venuekey.Token, error) {
	return a.client(app).Login(ctx, app, ui)
}

func (a acme) Refresh(ctx context.Context, app venuekey.App, token venuekey.Token) (venuekey.Token, error) {
	return a.client(app).Refresh(ctx, app, token.Refresh)
}

func (a acme) Probe(ctx context.Context, app venuekey.App) error { return a.client(app).Probe(ctx) }

func (a acme) Revoke(ctx context.Context, app venuekey.App, token venuekey.Token) error {
	return a.client(app).Revoke(ctx, app, token)
}

func (acme) Identify(ctx context.Context, app venuekey.App, token venuekey.Token) (string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, app.URL("me", "https://acme.example/me"), nil)
	if err != nil {
		return "", err
	}
	token.SetAuthHeader(request)
	answer, err := oauth.Send(nil, request)
	if err != nil {
		return "", err
	}
	if refusal := answer.Refusal(token.Access); refusal != nil {
		return "", refusal
	}
	var me struct{ User string }
	if answer.Status != http.StatusOK || json.Unmarshal(answer.Body, &me) != nil || me.User == "" {
		return "", &venuekey.Error{Op: "me", Class: venuekey.ClassLater, Reason: "acme did not say who the token belongs to"}
	}
	return me.User, nil
}

func (acme) AppForm() venuekey.AppForm {
	return venuekey.AppForm{Register: "Write to acme", URLs: []string{"authorize", "token", "revoke", "me"}}
}

func (acme) CheckApp(app venuekey.App) error {
	if app.ClientID == "" || app.ClientSecret == "" {
		return &venuekey.Error{Class: venuekey.ClassMisconfigured, Reason: "the app has no client id or no client secret"}
	}
	_, err := oauth.ParseRedirect(app.RedirectURI)
	return err
}

// acmeServer grants a pair to every user, without a page, and rotates it.
type acmeServer struct {
	mu              sync.Mutex
	challenges      map[string]string // by code
	access, refresh string
}

func (a *acmeServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch r.URL.Path {
	case "/authorize":
		a.authorize(w, r)
	case "/token":
		a.token(w, r)
	case "/revoke":
		a.access, a.refresh = "", ""
	case "/me":
		if r.Header.Get("Authorization") != "Bearer "+a.access || a.access == "" {
			w.Header().Set("WWW-Authenticate", `Bearer error="invalid_token"`)
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		a.answer(w, 200, map[string]any{"user": "alice"})
	default:
		http.NotFound(w, r)
	}
}

func (a *acmeServer) authorize(w http.ResponseWriter, r *http.Request) {
	code := rand.Text()
	a.challenges = map[string]string{code: r.FormValue("code_challenge")}
	to, _ := url.Parse(r.FormValue("redirect_uri"))
	to.RawQuery = url.Values{"code": {code}, "state": {r.FormValue("state")}}.Encode()
	http.Redirect(w, r, to.String(), http.StatusFound)
}

func (a *acmeServer) token(w http.ResponseWriter, r *http.Request) {
	sum := sha256.Sum256([]byte(r.PostFormValue("code_verifier")))
	challenge, issued := a.challenges[r.PostFormValue("code")]
	switch r.PostFormValue("grant_type") {
	case "authorization_code":
		if !issued || challenge != base64.RawURLEncoding.EncodeToString(sum[:]) {
			a.answer(w, 400, map[string]any{"error": "invalid_grant"})
			return
		}
		a.challenges = nil
	case "refresh_token":
		if refresh := r.PostFormValue("refresh_token"); r.PostFormValue("client_secret") != "acme-secret" {
			a.answer(w, 401, map[string]any{"error": "invalid_client"})
			return
		} else if refresh == "" || refresh != a.refresh {
			a.answer(w, 400, map[string]any{"error": "invalid_grant"})
			return
		}
	default:
		a.answer(w, 400, map[string]any{"error": "unsupported_grant_type"})
		return
	}
	a.access, a.refresh = "access-"+rand.Text(), "refresh-"+rand.Text()
	a.answer(w, 200, map[string]any{"access_token": a.access, "refresh_token": a.refresh, "expires_in": 3600})
}

func (a *acmeServer) answer(w http.ResponseWriter, status int, body map[string]any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}

func (a *acmeServer) alive(access venuekey.Secret) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return access != "" && string(access) == a.access
}

func (a *acmeServer) takeBack() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.access, a.refresh = "", ""
}

// subject is a venue that is acme, or says so, before a new server.
func subject(venue venuekey.Venue) Subject {
	server := new(acmeServer)
	return Subject{
		Venue:  venue,
		App:    venuekey.App{ClientID: "acme-client", ClientSecret: "acme-secret", RedirectURI: "http://127.0.0.1:0/callback"},
		Server: server, Person: emulator.Person{Name: "alice", Password: "wonderland"},
		TakeBack: server.takeBack, Alive: server.alive,
	}
}

func TestAMadeUpVenueKeepsTheContract(t *testing.T) {
	Run(t, func(testing.TB) Subject { return subject(acme{}) })
}
