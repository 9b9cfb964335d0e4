package core

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/venuekey/venuekey/emulator"
)

// inn is a small venue: /authorize with the question that it is given.
type inn struct {
	core     *Core
	question Question
	decided  []Decision
}

func newInn(q Question) *inn {
	q.App = emulator.DefaultApp()
	return &inn{core: Start(new(Base), Setup{Branding: Branding{Name: "inn", Title: "The <Inn>", Colour: "#123456"}}), question: q}
}

func (v *inn) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != "/authorize" {
		v.core.NotFound(w, r)
		return
	}
	if r.URL.Query().Get("bad") != "" {
		v.core.Refuse(w, 400, "Invalid redirect URI", emulator.Event{})
		return
	}
	d, ok := v.core.Ask(w, r, v.question)
	if !ok {
		return
	}
	v.decided = append(v.decided, d)
	redirect := r.URL.Query().Get("redirect_uri")
	if !d.Allowed {
		SendBack(w, r, redirect, url.Values{"error": {"access_denied"}})
		return
	}
	g := emulator.Grant{User: d.User.Name, Redirect: redirect}
	v.core.SendCode(w, r, g, time.Minute, TokenFormat{}, url.Values{"state": {r.URL.Query().Get("state")}})
}

func authorizeURL(base, redirect string) string {
	// The quote and the ampersand must survive the way through the form's address.
	return base + "/authorize?" + url.Values{"redirect_uri": {redirect}, "state": {`a&b"c'd é`}}.Encode() + "&q='"
}

func TestPersonVisits(t *testing.T) {
	t.Parallel()
	called := make(chan url.Values, 1)
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		called <- r.URL.Query()
		w.WriteHeader(http.StatusTeapot) // whatever the app says
	}))
	defer app.Close()
	venue := newInn(Question{Scopes: []string{"read"}})
	web := httptest.NewServer(venue)
	defer web.Close()
	p := emulator.Person{Name: "alice", Password: "wonderland", Accounts: []int64{5002}}
	if err := p.Visit(t.Context(), authorizeURL(web.URL, app.URL+"/cb?keep=1")); err != nil {
		t.Fatal(err)
	}
	q := <-called
	if q.Get("code") == "" || q.Get("state") != `a&b"c'd é` || q.Get("keep") != "1" {
		t.Errorf("callback got %v", q)
	}
	if d := venue.decided[0]; d.User.Name != "alice" || !slices.Equal(d.Accounts, []int64{5002}) {
		t.Errorf("decided %+v", d)
	}
	for _, k := range []emulator.EventKind{emulator.EventAuthorizeShown, emulator.EventLoginGranted, emulator.EventConsentGiven, emulator.EventCodeIssued} {
		if venue.core.Log.Count(k) != 1 {
			t.Errorf("%d events %s", venue.core.Log.Count(k), k)
		}
	}
	if e := venue.core.Log.Events(); e[len(e)-1].Successor != emulator.Fingerprint(q.Get("code")) || e[len(e)-1].Venue != "inn" {
		t.Errorf("last event %+v", e[len(e)-1])
	}
}

func TestPersonRedirected(t *testing.T) {
	t.Parallel()
	alice := emulator.Person{Name: "alice", Password: "wonderland"}
	deny := alice
	deny.Deny = true
	stranger := alice
	stranger.Accounts = []int64{5003}
	for _, tc := range []struct {
		name     string
		person   emulator.Person
		question Question
		query    string
		want     string // in the address
		err      string
	}{
		{name: "allows", person: alice, want: "code="},
		{name: "denies", person: deny, want: "error=access_denied"},
		{name: "is not asked", person: alice, question: Question{SkipConsent: true}, want: "code="},
		{name: "denies without being asked", person: deny, question: Question{SkipConsent: true}, want: "error=access_denied"},
		{name: "chooses no accounts", person: alice, question: Question{NoAccounts: true}, want: "code="},
		{name: "wrong password", person: emulator.Person{Name: "alice", Password: "x"}, err: `sign-in as "alice" refused: User name or password is wrong.`},
		{name: "foreign account", person: stranger, err: `account 5003 is not offered to "alice"`},
		{name: "error page", person: alice, query: "&bad=1", err: "Invalid redirect URI"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			venue := newInn(tc.question)
			web := httptest.NewServer(venue)
			defer web.Close()
			to, err := tc.person.Redirected(t.Context(), authorizeURL(web.URL, "http://localhost:1/cb")+tc.query)
			if tc.err != "" {
				if err == nil || !strings.Contains(err.Error(), tc.err) {
					t.Fatalf("error %v, want %q", err, tc.err)
				}
				return
			}
			if err != nil || !strings.HasPrefix(to, "http://localhost:1/cb?") || !strings.Contains(to, tc.want) {
				t.Fatalf("redirected to %q, %v", to, err)
			}
		})
	}
}

func TestPersonKeepsToLoopback(t *testing.T) {
	t.Parallel()
	web := httptest.NewServer(newInn(Question{}))
	defer web.Close()
	p := emulator.Person{Name: "alice", Password: "wonderland"}
	err := p.Visit(t.Context(), authorizeURL(web.URL, "https://app.invalid/cb"))
	if err == nil || !strings.Contains(err.Error(), "not on loopback") {
		t.Error(err)
	}
	err = p.Visit(t.Context(), "http://127.0.0.1:1/authorize?state=hunter2")
	if err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("nobody there: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := p.Visit(ctx, authorizeURL(web.URL, "http://localhost:1/")); err == nil {
		t.Error("a dead context was served")
	}
}

// The forms by hand: what a browser could send and a Person never does.
func TestFormsThatAreNotInOrder(t *testing.T) {
	t.Parallel()
	venue := newInn(Question{})
	web := httptest.NewServer(venue)
	defer web.Close()
	here := authorizeURL(web.URL, "http://localhost:1/cb")
	signIn := func(ticket string) url.Values {
		return url.Values{"ticket": {ticket}, "user": {"alice"}, "password": {"wonderland"}, "decision": {"sign-in"}}
	}
	first := load(t, here, nil)
	if p := load(t, here, signIn("forged")); !strings.Contains(p.alert(), "expired") {
		t.Errorf("forged ticket: %s", p)
	}
	if p := load(t, authorizeURL(web.URL, "http://localhost:2/other"), signIn(first.ticket())); !strings.Contains(p.alert(), "expired") {
		t.Errorf("ticket of another request: %s", p)
	}
	second := load(t, here, signIn(first.ticket()))
	if !second.has("checkbox") || second.has("password") {
		t.Fatalf("after signing in: %s", second)
	}
	if p := load(t, here, signIn(first.ticket())); !strings.Contains(p.alert(), "expired") {
		t.Errorf("a ticket twice: %s", p)
	}
	foreign := url.Values{"ticket": {second.ticket()}, "decision": {"allow"}, "account": {"5003"}}
	third := load(t, here, foreign)
	if !strings.Contains(third.alert(), "at least one account") {
		t.Errorf("somebody else's account: %s", third)
	}
	venue.core.Clock.Advance(ticketLife)
	late := url.Values{"ticket": {third.ticket()}, "decision": {"allow"}, "account": {"5001"}}
	if p := load(t, here, late); !strings.Contains(p.alert(), "expired") {
		t.Errorf("late: %s", p)
	}
	if len(venue.decided) != 0 {
		t.Errorf("decided %+v", venue.decided)
	}
}

// shown is a page as it came.
type shown string

func (s shown) has(kind string) bool { return strings.Contains(string(s), `type="`+kind+`"`) }

func (s shown) alert() string { return s.between(`role="alert">`, "<") }

func (s shown) ticket() string { return s.between(`name="ticket" value="`, `"`) }

func (s shown) between(before, after string) string {
	_, rest, _ := strings.Cut(string(s), before)
	found, _, _ := strings.Cut(rest, after)
	return found
}

func load(t *testing.T, at string, form url.Values) shown {
	t.Helper()
	send := func() (*http.Response, error) { return direct.Get(at) }
	if form != nil {
		send = func() (*http.Response, error) { return direct.PostForm(at, form) }
	}
	res, err := send()
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return shown(body)
}

func TestPagesAreGuarded(t *testing.T) {
	t.Parallel()
	venue := newInn(Question{})
	w := httptest.NewRecorder()
	venue.ServeHTTP(w, httptest.NewRequest("GET", "/authorize?redirect_uri=http://localhost/&state=%3Cscript%3E", nil))
	body := w.Body.String()
	for _, want := range []string{"nothing here is real", "The &lt;Inn&gt;", "--venue: #123456", `<label for="password">`} {
		if !strings.Contains(body, want) {
			t.Errorf("page lacks %q", want)
		}
	}
	if strings.Contains(body, "<script") {
		t.Error("page has a script")
	}
	for k, want := range map[string]string{
		"Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Content-Type-Options": "nosniff",
		"Content-Security-Policy": "default-src 'none'",
	} {
		if !strings.Contains(w.Header().Get(k), want) {
			t.Errorf("%s: %q", k, w.Header().Get(k))
		}
	}
	w = httptest.NewRecorder()
	venue.ServeHTTP(w, httptest.NewRequest("GET", "/nowhere", nil))
	if w.Code != 404 || !strings.Contains(w.Body.String(), "Not found") {
		t.Errorf("nowhere: %d", w.Code)
	}
}

// direct keeps no connections. The default client's end when any test's server
// closes, and with them a form that is about to be sent.
var direct = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
