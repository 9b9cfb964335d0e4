package venues_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/emulator"
	ttpemu "github.com/venuekey/venuekey/emulator/ttp"
	"github.com/venuekey/venuekey/internal/keepertest"
	"github.com/venuekey/venuekey/venue/ttp"
)

// rules_test.go plays the venue that looks at what a client sends, and holds the
// rules of doc/security.md that can be seen there.

// witness remembers every request before the venue sees it.
type witness struct {
	venue http.Handler
	mu    sync.Mutex
	seen  []probeResult
}

// sight is one request: the client's, or the browser's to the authorize page.
type probeResult struct {
	*http.Request
	query, form url.Values
	body        string
	browser     bool
}

func (w *witness) ServeHTTP(out http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	s := probeResult{Request: r.Clone(context.Background()), query: r.URL.Query(), body: string(body), browser: r.UserAgent() != "venuekey" && r.Header.Get("Authorization") == ""}
	if strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded") {
		s.form, _ = url.ParseQuery(string(body))
	}
	w.mu.Lock()
	w.seen = append(w.seen, s)
	w.mu.Unlock()
	r.Body = io.NopCloser(bytes.NewReader(body))
	w.venue.ServeHTTP(out, r)
}

// take gives what was seen since, the client's requests and the browser's authorize
// requests apart.
func (w *witness) take() (client, authorize []probeResult) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, s := range w.seen {
		switch {
		case !s.browser:
			client = append(client, s)
		case s.query.Has("client_id"):
			authorize = append(authorize, s)
		}
	}
	w.seen = nil
	return client, authorize
}

// Every venue, from the sign-in to the sign-out, sees no request that the RFCs
// forbid a client. Where a venue forces us off a rule, the exception stands here.
func TestEveryVenueSeesOnlyWhatTheRulesAllow(t *testing.T) {
	for _, s := range stages() {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			w := &witness{venue: s.server}
			keeper, id := s.openAt(t, w)
			states := map[string]bool{}
			for range 2 {
				keepertest.SignIn(t, keeper, id)
				client, authorize := w.take()
				s.judgeAuthorize(t, authorize, client, states)
				s.judge(t, client)
			}
			if _, err := keeper.Refresh(t.Context(), id); err != nil {
				t.Fatal(err)
			}
			asleep := s.sleep(t, keeper, id, time.Minute) // so that a refresh token is presented, where there is one
			_, _ = asleep.Refresh(t.Context(), id)
			_ = asleep.SignOut(t.Context(), id, true)
			client, _ := w.take()
			s.judge(t, client)
		})
	}
}

// judgeAuthorize looks at where the browser was sent.
func (s stage) judgeAuthorize(t *testing.T, authorize, client []probeResult, states map[string]bool) {
	t.Helper()
	if s.name == "tradovate by password" {
		if len(authorize) > 0 {
			t.Error("a sign-in by password sent a browser somewhere")
		}
		return
	}
	if len(authorize) == 0 {
		t.Fatal("no browser was sent anywhere")
	}
	q := authorize[0].query
	want := "code" // RFC 6749 §4.1.1; RFC 9700 §2.1.2: no implicit grant
	if s.venue.Name() == "ctrader" {
		want = "" // documents none, and its own libraries send none
	}
	state := q.Get("state")
	switch {
	case q.Get("response_type") != want || q.Get("response_mode") != "":
		t.Errorf("response_type %q, response_mode %q", q.Get("response_type"), q.Get("response_mode"))
	case len(state) < 26 || states[state]: // RFC 6749 §10.10, §10.12
		t.Errorf("state %q is short, or was used before", state)
	case q.Has("client_secret"):
		t.Error("the browser was given the client secret")
	case q.Has("code_challenge") && (q.Get("code_challenge_method") != "S256" || len(q.Get("code_challenge")) != 43): // RFC 7636 §4.2
		t.Errorf("a challenge of method %q", q.Get("code_challenge_method"))
	}
	states[state] = true
	redirect, err := url.Parse(q.Get("redirect_uri"))
	if err != nil || redirect.Hostname() != "127.0.0.1" || redirect.Port() == "0" || redirect.Fragment != "" { // RFC 8252 §7.3
		t.Errorf("redirect uri %s", q.Get("redirect_uri"))
	}
	for _, request := range client {
		form := request.parameters()
		if form.Get("grant_type") != "authorization_code" {
			continue
		}
		// RFC 6749 §4.1.3, §3.2.1; RFC 7636 §4.5: what was promised is kept.
		if form.Get("redirect_uri") != q.Get("redirect_uri") || form.Has("code_verifier") != q.Has("code_challenge") {
			t.Errorf("the exchange says %q, %t", form.Get("redirect_uri"), form.Has("code_verifier"))
		}
	}
}

// parameters are those of a token request.
func (s probeResult) parameters() url.Values {
	if s.Method == http.MethodGet {
		return s.query
	}
	return s.form
}

// judge looks at requests of the client itself.
func (s stage) judge(t *testing.T, client []probeResult) {
	t.Helper()
	byGet := strings.Contains(s.name, "by GET")
	if len(client) == 0 {
		t.Fatal("the client asked nothing")
	}
	for _, request := range client {
		where := request.Method + " " + request.URL.Path
		grant := request.parameters().Get("grant_type")
		// RFC 9700 §2.4: no password grant. Tradovate's own sign-in is another request.
		if grant != "" && grant != "authorization_code" && grant != "refresh_token" {
			t.Errorf("%s: grant type %s", where, grant)
		}
		// RFC 6749 §3.2.
		if grant != "" && request.Method != http.MethodPost && !byGet {
			t.Errorf("%s: a token request that is no POST", where)
		}
		// RFC 6749 §2.3.1, RFC 6750 §5.3, RFC 9700 §4.3.2: no secret in an address.
		for _, name := range []string{"access_token", "refresh_token", "client_secret", "code", "code_verifier", "password", "token"} {
			if request.query.Has(name) && !byGet {
				t.Errorf("%s: %s in the address", where, name)
			}
		}
		// RFC 6750 §2: in the header, and nowhere else.
		if request.form.Has("access_token") || request.query.Has("access_token") {
			t.Errorf("%s: a bearer token outside the header", where)
		}
		scheme, _, _ := strings.Cut(request.Header.Get("Authorization"), " ")
		if !slices.Contains([]string{"", "Bearer", "Basic"}, scheme) || scheme == "Bearer" && grant != "" {
			t.Errorf("%s: scheme %q", where, scheme)
		}
		// RFC 6749 §2.3: one way to authenticate.
		if scheme == "Basic" && request.form.Has("client_secret") {
			t.Errorf("%s: the secret twice", where)
		}
		if request.Header.Get("Referer") != "" || request.Header.Get("Cookie") != "" {
			t.Errorf("%s: %v", where, request.Header)
		}
	}
}

// Tradovate gives individuals no OAuth client, so that a password has to be asked for
// (RFC 9700 §2.4 forbids the grant). It is sent once, and kept nowhere.
func TestAPasswordIsUsedOnceAndNotKept(t *testing.T) {
	const password = "wonderland"
	for _, s := range stages() {
		if s.name != "tradovate by password" {
			continue
		}
		w := &witness{venue: s.server}
		keeper, id := s.openAt(t, w)
		keepertest.SignIn(t, keeper, id)
		if _, err := keeper.Refresh(t.Context(), id); err != nil {
			t.Fatal(err)
		}
		_ = keeper.SignOut(t.Context(), venuekey.ID{Venue: "tradovate", Name: "nobody"}, true)
		sent := 0
		client, _ := w.take()
		for _, request := range client {
			if strings.Contains(request.body+request.URL.RawQuery, password) {
				sent++
			}
		}
		token, record, err := keepertest.Kept(t.Context(), keeper.Vault, id)
		if err != nil || sent != 1 {
			t.Fatalf("sent %d times, %v", sent, err)
		}
		kept := string(token.Access) + string(token.Refresh) + string(token.Password) + token.User + record.Text
		for name, value := range token.Extras {
			kept += name + string(value)
		}
		if strings.Contains(kept, password) {
			t.Error("the password is kept")
		}
	}
}

// A renewal without a new refresh token means that the old one stays (RFC 6749 §6),
// for as often as that happens.
func TestARenewalWithoutANewRefreshTokenKeepsTheOldOne(t *testing.T) {
	s := stage{
		venue:  ttp.Venue{},
		app:    venuekey.App{Venue: "ttp", ClientID: "demo-client", ClientSecret: "demo-secret", RedirectURI: "http://127.0.0.1:0/auth/callback"},
		server: &ttpemu.Server{Knobs: ttpemu.Knobs{AnyLoopbackRedirect: true, Rotation: emulator.RotationNoNewRefresh}},
	}
	keeper, id := s.open(t)
	keepertest.SignIn(t, keeper, id)
	first, _, err := keepertest.Kept(t.Context(), keeper.Vault, id)
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if _, err := keeper.Refresh(t.Context(), id); err != nil {
			t.Fatal(err)
		}
	}
	if last, _, err := keepertest.Kept(t.Context(), keeper.Vault, id); err != nil || last.Refresh != first.Refresh || last.Access == first.Access {
		t.Fatal("the refresh token was lost, or changed:", err)
	}
}

// A body that a venue sends with 401 is no reason to send a third request, nor is
// one after another token (RFC 6750 §3.1): what it says comes through.
func TestA401IsAnsweredOnce(t *testing.T) {
	calls := 0
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		calls++
		w.Header().Set("WWW-Authenticate", `Bearer error="invalid_token"`)
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = io.WriteString(w, "its own words")
	}))
	defer api.Close()
	venue := &keepertest.Venue{Terms: venuekey.Policy{LeastInterval: time.Nanosecond}}
	keeper, _ := keepertest.SignedIn(t, venue)
	client := keeper.Source(keepertest.Alice).Client()
	defer client.CloseIdleConnections()
	response, err := client.Get(api.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, _ := io.ReadAll(response.Body)
	if _, renewals := venue.Shown(); calls != 2 || renewals != 1 || string(body) != "its own words" {
		t.Errorf("%d calls, %d renewals, %q", calls, renewals, body)
	}
	if err := venuekey.RefusalOf(response); !venuekey.NeedsSignIn(err) {
		t.Error(err)
	}
}
