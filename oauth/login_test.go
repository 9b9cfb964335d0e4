package oauth

import (
	"context"
	"errors"
	"fmt"
	"html"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/venuekey/venuekey"
)

// person is a UI whose visit is a function: what the user does in the browser.
type person struct {
	visit  func(venuekey.Visit) error
	pastes chan string
	mu     sync.Mutex
	told   []string
}

func (p *person) Visit(_ context.Context, visit venuekey.Visit) error { return p.visit(visit) }

func (p *person) Paste(ctx context.Context) (string, error) {
	if p.pastes == nil {
		return "", errors.ErrUnsupported
	}
	select {
	case text := <-p.pastes:
		return text, nil
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

func (*person) Ask(context.Context, []venuekey.Field) (map[string]venuekey.Secret, error) {
	return nil, errors.ErrUnsupported
}

func (p *person) Tell(line string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.told = append(p.told, line)
}

// agent is a browser with its cookies. The zero value never began a sign-in.
type agent struct{ jar http.CookieJar }

// begins opens the address that a visit shows, and does not follow it to the venue.
func begins(t *testing.T, visit venuekey.Visit) agent {
	t.Helper()
	return opens(t, visit.URL)
}

func opens(t *testing.T, address string) agent {
	t.Helper()
	a := agent{newJar(t)}
	if status, _, _ := a.get(t, address, nil); status != http.StatusSeeOther && status != http.StatusOK {
		t.Errorf("the one-time address answered %d", status)
	}
	return a
}

// get asks for something and gives status and page.
func (a agent) get(t *testing.T, address string, change func(*http.Request)) (int, string, http.Header) {
	t.Helper()
	request, err := http.NewRequest(http.MethodGet, address, nil)
	if err != nil {
		t.Error(err)
		return 0, "", nil
	}
	if change != nil {
		change(request)
	}
	client := http.Client{Jar: a.jar, Transport: &http.Transport{DisableKeepAlives: true}, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	response, err := client.Do(request)
	if err != nil {
		t.Error(err)
		return 0, "", nil
	}
	defer response.Body.Close()
	page, _ := io.ReadAll(response.Body)
	return response.StatusCode, string(page), response.Header
}

// post sends a form.
func (a agent) post(t *testing.T, address string, form url.Values, change func(*http.Request)) (int, string) {
	t.Helper()
	status, page, _ := a.get(t, address, func(r *http.Request) {
		r.Method, r.Body = http.MethodPost, io.NopCloser(strings.NewReader(form.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		if change != nil {
			change(r)
		}
	})
	return status, page
}

// goodCode is one that is long enough to stand alone.
const goodCode = "a-good-code-of-the-venue"

// stage is a venue that grants any code once, and the app for it.
func stage(t *testing.T) (Client, venuekey.App) {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if code := r.PostFormValue("code"); code != "good-code" && code != goodCode {
			w.WriteHeader(400)
			fmt.Fprint(w, `{"error":"invalid_grant"}`)
			return
		}
		fmt.Fprint(w, `{"access_token":"a","refresh_token":"r"}`)
	}))
	t.Cleanup(server.Close)
	return Client{Config: Config{AuthorizeURL: "https://venue.example/authorize?theme=dark", TokenURL: server.URL}},
		venuekey.App{ClientID: "id & co", ClientSecret: "secret", RedirectURI: "http://127.0.0.1:0/auth/callback", Scopes: []string{"one", "two"}}
}

func stateOf(visit venuekey.Visit) string {
	address, _ := url.Parse(visit.Elsewhere)
	return address.Query().Get("state")
}

func TestTheAuthorizeAddressIsEscaped(t *testing.T) {
	client, app := stage(t)
	client.PKCE = true
	attempt := Attempt{State: "s", Verifier: "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"}
	address, err := client.Authorize(app, attempt)
	if err != nil {
		t.Fatal(err)
	}
	// The challenge of this verifier is the example of RFC 7636, appendix B.
	want := "https://venue.example/authorize?client_id=id+%26+co&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256" +
		"&redirect_uri=http%3A%2F%2F127.0.0.1%3A0%2Fauth%2Fcallback&response_type=code&scope=one+two&state=s&theme=dark"
	if address != want {
		t.Fatalf("got  %s\nwant %s", address, want)
	}
}

func TestASignInThatGoesWell(t *testing.T) {
	client, app := stage(t)
	ui := &person{}
	page := make(chan string, 1)
	ui.visit = func(visit venuekey.Visit) error {
		go func() {
			_, text, header := begins(t, visit).get(t, visit.Redirect+"?code=good-code&state="+stateOf(visit), nil)
			page <- text + header.Get("Referrer-Policy") + header.Get("Cache-Control")
		}()
		return nil
	}
	token, err := client.Login(t.Context(), app, ui)
	if err != nil || token.Access != "a" || token.Refresh != "r" || strings.Join(token.Scopes, " ") != "one two" {
		t.Fatal(token.Scopes, err)
	}
	shown := <-page
	if !strings.Contains(shown, "You are signed in") || !strings.Contains(shown, "no-referrer") || !strings.Contains(shown, "no-store") || strings.Contains(shown, "good-code") {
		t.Fatal(shown)
	}
}

// What strangers, scanners and old tabs send to the callback is answered and
// ignored; the sign-in goes on.
func TestStrayRequestsAtTheCallback(t *testing.T) {
	client, app := stage(t)
	ui := &person{}
	ui.visit = func(visit venuekey.Visit) error {
		base := strings.TrimSuffix(visit.Redirect, "/auth/callback")
		state, browser := stateOf(visit), begins(t, visit)
		for _, row := range []struct {
			name, address string
			change        func(*http.Request)
			status        int
		}{
			{"favicon", base + "/favicon.ico", nil, 404},
			{"root", base + "/", nil, 404},
			{"a longer path", visit.Redirect + "/?code=good-code&state=" + state, nil, 404},
			{"no query", visit.Redirect, nil, 400},
			{"no state", visit.Redirect + "?code=good-code", nil, 400},
			{"foreign state", visit.Redirect + "?code=evil-code&state=other", nil, 400},
			{"foreign state with an error", visit.Redirect + "?error=access_denied&state=other", nil, 400},
			{"two codes", visit.Redirect + "?code=a&code=b&state=" + state, nil, 400},
			{"neither code nor error", visit.Redirect + "?state=" + state, nil, 400},
			{"post", visit.Redirect + "?code=good-code&state=" + state, func(r *http.Request) { r.Method = "POST" }, 405},
			{"a name of the internet", visit.Redirect + "?code=good-code&state=" + state, func(r *http.Request) { r.Host = "evil.example" }, 421},
		} {
			if status, page, _ := browser.get(t, row.address, row.change); status != row.status || strings.Contains(page, "signed in") {
				t.Errorf("%s: %d, want %d", row.name, status, row.status)
			}
		}
		// A port scan: bytes that are no HTTP at all.
		if connection, err := net.Dial("tcp", strings.TrimPrefix(base, "http://")); err == nil {
			fmt.Fprint(connection, "\x16\x03\x01\x00")
			connection.Close()
		}
		go func() { browser.get(t, visit.Redirect+"?code=good-code&state="+state, nil) }()
		return nil
	}
	if _, err := client.Login(t.Context(), app, ui); err != nil {
		t.Fatal(err)
	}
	// Each kind once: two had no state, and two a foreign one.
	if told := strings.Join(ui.told, "\n"); strings.Count(told, "a callback was ignored") != 4 || !strings.Contains(told, "6 callbacks were ignored in all") || strings.Contains(told, "evil-code") {
		t.Fatal(told)
	}
}

func TestSignInsThatEndBadly(t *testing.T) {
	for _, row := range []struct {
		name, query string
		class       venuekey.Class
		reason      string
	}{
		{"denied", "error=access_denied", venuekey.ClassRefused, "denied"},
		{"denied in words", "error=access_denied&error_description=%3Cb%3Eno%0Away", venuekey.ClassRefused, "denied"},
		{"server error", "error=server_error", venuekey.ClassLater, "reports an internal error"},
		{"unknown scope", "error=invalid_scope", venuekey.ClassMisconfigured, "scope"},
		{"code used or too old", "code=stale", venuekey.ClassRefused, "too old"},
	} {
		t.Run(row.name, func(t *testing.T) {
			client, app := stage(t)
			ui, page := &person{}, make(chan string, 1)
			ui.visit = func(visit venuekey.Visit) error {
				go func() {
					_, text, _ := begins(t, visit).get(t, visit.Redirect+"?state="+stateOf(visit)+"&"+row.query, nil)
					page <- text
				}()
				return nil
			}
			_, err := client.Login(t.Context(), app, ui)
			if venuekey.ClassOf(err) != row.class || !strings.Contains(err.Error(), row.reason) {
				t.Fatalf("%s: %v", venuekey.ClassOf(err), err)
			}
			if text := <-page; !strings.Contains(text, "Not signed in") {
				t.Fatal(text)
			}
		})
	}
}

func TestAVenueThatDoesNotEchoState(t *testing.T) {
	for name, tab := range map[string]func(t *testing.T, first string) string{
		"the tab that began":      kept,
		"another, and he says so": func(*testing.T, string) string { return "" },
	} {
		t.Run(name, func(t *testing.T) {
			client, app := stage(t)
			client.StateNotEchoed = true
			ui := &person{}
			ui.visit = func(visit venuekey.Visit) error {
				browser := agent{newJar(t)}
				_, first, _ := browser.get(t, visit.URL, nil)
				if status, _, _ := browser.get(t, visit.Redirect+"?code=evil&state=foreign", nil); status != 400 {
					t.Errorf("a foreign state was taken: %d", status)
				}
				_, asks, _ := browser.get(t, visit.Redirect+"?code=good-code", nil)
				go browser.post(t, originOf(visit)+field(asks, `action="`), url.Values{"pending": {field(asks, `name="pending" value="`)}, "tab": {tab(t, first)}}, nil)
				return nil
			}
			if _, err := client.Login(t.Context(), app, ui); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// field is what stands behind some words of a page, until the next quote.
func field(page, before string) string {
	_, after, _ := strings.Cut(page, before)
	value, _, _ := strings.Cut(after, `"`)
	return html.UnescapeString(value)
}

// kept is what the first page has its tab keep.
func kept(t *testing.T, first string) string {
	t.Helper()
	found := regexp.MustCompile(`setItem\("[^"]+", "([^"]+)"\)`).FindStringSubmatch(first)
	if found == nil {
		t.Errorf("the first page keeps nothing: %s", first)
		return ""
	}
	return found[1]
}

func originOf(visit venuekey.Visit) string {
	return strings.TrimSuffix(visit.Redirect, "/auth/callback")
}

func newJar(t *testing.T) http.CookieJar {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Error(err)
	}
	return jar
}

// Where nothing can listen, the user pastes: the whole address or the code.
func TestPastedRedirects(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	client, app := stage(t)
	app.RedirectURI = "http://" + taken.Addr().String() + "/auth/callback"
	for _, row := range []struct {
		name   string
		pasted func(venuekey.Visit) []string
		told   int
	}{
		{"the whole address", func(v venuekey.Visit) []string {
			return []string{" <" + v.Redirect + "?code=good-code&state=" + stateOf(v) + ">\n"}
		}, 0},
		{"the bare code", func(venuekey.Visit) []string { return []string{goodCode} }, 0},
		{"after mistakes", func(v venuekey.Visit) []string {
			return []string{"", v.Elsewhere, v.Redirect + "?code=x", "code=good-code", "two words", v.Redirect + "?code=good-code&state=" + stateOf(v)}
		}, 5},
	} {
		t.Run(row.name, func(t *testing.T) {
			ui := &person{pastes: make(chan string, 10)}
			ui.visit = func(visit venuekey.Visit) error {
				if visit.Listening || !strings.Contains(visit.NotListening, "in use") {
					t.Errorf("listening %v because %q", visit.Listening, visit.NotListening)
				}
				for _, text := range row.pasted(visit) {
					ui.pastes <- text
				}
				return nil
			}
			if _, err := client.Login(t.Context(), app, ui); err != nil || len(ui.told) != row.told {
				t.Fatal(err, ui.told)
			}
		})
	}
	t.Run("nobody pastes", func(t *testing.T) {
		ui := &person{visit: func(venuekey.Visit) error { return nil }}
		if _, err := client.Login(t.Context(), app, ui); !venuekey.Misconfigured(err) || !strings.Contains(err.Error(), "in use") {
			t.Fatal(err)
		}
	})
}

// stubborn is a UI whose methods return when they are released and not before.
type stubborn struct {
	person
	released chan struct{}
	visits   bool // Visit blocks too
	tells    bool // Tell does
}

func (s *stubborn) block() { <-s.released }

func (s *stubborn) Visit(ctx context.Context, visit venuekey.Visit) error {
	err := s.person.Visit(ctx, visit)
	if s.visits {
		s.block()
	}
	return err
}

func (s *stubborn) Paste(context.Context) (string, error) {
	s.block()
	return "", errors.New("released")
}

func (s *stubborn) Tell(line string) {
	if s.tells {
		s.block()
	}
	s.person.Tell(line)
}

// Whatever the UI does, a token that was exchanged reaches whoever saves it, and
// a sign-in ends with its context.
func TestNoUIKeepsATokenBack(t *testing.T) {
	for name, ui := range map[string]*stubborn{"Paste": {}, "Visit": {visits: true}, "Tell": {tells: true}} {
		for _, ends := range []string{"exchange", "context"} {
			t.Run(name+" blocks, "+ends, func(t *testing.T) {
				client, app := stage(t)
				client.CodeLife = time.Minute
				ui := &stubborn{released: make(chan struct{}), visits: ui.visits, tells: ui.tells}
				ctx, leave := context.WithCancel(t.Context())
				defer leave()
				ui.visit = func(visit venuekey.Visit) error {
					if ends == "context" {
						leave()
						return nil
					}
					go func() { begins(t, visit).get(t, visit.Redirect+"?code=good-code&state="+stateOf(visit), nil) }()
					return nil
				}
				returned := make(chan error, 1)
				go func() {
					token, err := client.Login(ctx, app, ui)
					if err == nil && token.Access != "a" {
						err = errors.New("no token")
					}
					returned <- err
				}()
				select {
				case err := <-returned:
					if (ends == "exchange") != (err == nil) {
						t.Error(err)
					}
				case <-time.After(5 * time.Second):
					t.Error("Login waits for the UI")
				}
				close(ui.released)
			})
		}
	}
}

// Browsers open connections in advance and send nothing on them.
func TestASilentConnectionKeepsNoTokenBack(t *testing.T) {
	client, app := stage(t)
	ui := &person{}
	ui.visit = func(visit venuekey.Visit) error {
		address, _ := url.Parse(visit.Redirect)
		silent, err := net.Dial("tcp", address.Host)
		if err != nil {
			return err
		}
		t.Cleanup(func() { silent.Close() })
		go func() { begins(t, visit).get(t, visit.Redirect+"?code=good-code&state="+stateOf(visit), nil) }()
		return nil
	}
	began := time.Now()
	if _, err := client.Login(t.Context(), app, ui); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(began); took > 1500*time.Millisecond {
		t.Errorf("the token waited %s for a silent connection", took)
	}
}

// What cannot be a code is told and never presented.
func TestWhatCannotBeACodeIsNotPresented(t *testing.T) {
	redirect, _ := ParseRedirect("http://localhost:8080/auth/callback")
	for text, want := range map[string]struct {
		code  venuekey.Secret
		stray string
	}{
		"yes":                          {stray: "too short"},
		"q":                            {stray: "too short"},
		"\x1b[A\x1b[A\x1b[A":           {stray: "nothing"},
		"pässwörter":                   {stray: "neither"},
		"venuekey login":               {stray: "neither"},
		"client_id=0123456789":         {stray: "neither"},
		"good-code":                    {stray: "too short"},
		"correct horse battery staple": {stray: "neither"},
		"Tr0ub4dor&3":                  {stray: "neither"},
		"\x1b[A":                       {stray: "nothing"},
		"\x1bOA\x1b[1;5C":              {stray: "nothing"},
		"\x1b[200~localhost:8080/auth/callback?code=good-code&state=s\x1b[201~": {code: "good-code"},
		"\x1b[Alocalhost:8080/auth/callback?code=good-code&state=s":             {code: "good-code"},
		"localhost:8080/auth/callback?code=good%0Acode&state=s":                 {stray: "cannot be right"},
		goodCode:                       {code: goodCode},
		"ab%2Fcd%2Bef%3D%3D0123456789": {stray: "neither"},
		"ab%2Fcd%2Bef0123456789%3D%3D": {code: "ab/cd+ef0123456789=="},
		"localhost:8080/auth/callback?code=good-code&state=s": {code: "good-code"},
		"localhost:8080/auth/callback?code=good-code&state=x": {stray: "state"},
		"localhost:8080/elsewhere?code=good-code&state=s":     {stray: "neither"},
	} {
		got := Config{}.readPasted(text, redirect, Attempt{State: "s"})
		if got.Code != want.code || (want.stray == "") != (got.stray == "") || !strings.Contains(got.stray, want.stray) {
			t.Errorf("%q: %q, %q", text, string(got.Code), got.stray)
		}
	}
}

func TestTheCallbackMayComeWhileTheUserCouldPaste(t *testing.T) {
	client, app := stage(t)
	ui := &person{pastes: make(chan string)}
	ui.visit = func(visit venuekey.Visit) error {
		go func() { begins(t, visit).get(t, visit.Redirect+"?code=good-code&state="+stateOf(visit), nil) }()
		return nil
	}
	if _, err := client.Login(t.Context(), app, ui); err != nil {
		t.Fatal(err)
	}
}

func TestLeavingFreesThePort(t *testing.T) {
	client, app := stage(t)
	ctx, leave := context.WithCancel(t.Context())
	var redirect string
	ui := &person{visit: func(visit venuekey.Visit) error { redirect = visit.Redirect; leave(); return nil }}
	if _, err := client.Login(ctx, app, ui); !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "interrupted") {
		t.Fatal(err)
	}
	address, _ := url.Parse(redirect)
	socket, err := net.Listen("tcp", address.Host)
	if err != nil {
		t.Fatalf("the port is still taken: %v", err)
	}
	socket.Close()
}

// localhost may resolve to either family, and a browser may try either first.
func TestLocalhostListensInBothFamilies(t *testing.T) {
	if socket, err := net.Listen("tcp", "[::1]:0"); err != nil {
		t.Logf("this machine has no IPv6 loopback (%v); 127.0.0.1 alone is tried", err)
	} else {
		socket.Close()
	}
	client, app := stage(t)
	app.RedirectURI = "http://localhost:0/auth/callback"
	ui := &person{}
	ui.visit = func(visit venuekey.Visit) error {
		if !strings.HasPrefix(visit.Redirect, "http://localhost:") {
			t.Errorf("redirect %s", visit.Redirect)
		}
		_, port, _ := net.SplitHostPort(strings.TrimSuffix(strings.TrimPrefix(visit.Redirect, "http://"), "/auth/callback"))
		for _, host := range []string{"127.0.0.1", "::1"} {
			probe, err := net.Listen("tcp", net.JoinHostPort(host, "0"))
			if err != nil {
				continue
			}
			probe.Close()
			if status, _, _ := (agent{}).get(t, "http://"+net.JoinHostPort(host, port)+"/favicon.ico", nil); status != 404 {
				t.Errorf("%s: %d", host, status)
			}
		}
		go func() { begins(t, visit).get(t, visit.Redirect+"?code=good-code&state="+stateOf(visit), nil) }()
		return nil
	}
	if _, err := client.Login(t.Context(), app, ui); err != nil {
		t.Fatal(err)
	}
}

func TestRedirectURIs(t *testing.T) {
	for text, want := range map[string]string{
		"http://localhost:8080/auth/callback": "", "http://127.0.0.1:1/": "", "http://[::1]:1/x": "", "https://app.example/cb": "",
		"": "missing", "localhost:8080/cb": "absolute", "HTTP://localhost:8080/cb": "lower case", "http://app.example/cb": "plain http",
		"http://localhost:8080/cb#x": "fragment", "http://localhost:8080/cb#": "fragment", "http://me@localhost/cb": "user name", "://": "absolute", "ftp://localhost/": "must begin",
	} {
		redirect, err := ParseRedirect(text)
		if want == "" && (err != nil || len(redirect.Notes()) == 0) || want != "" && (!venuekey.Misconfigured(err) || !strings.Contains(err.Error(), want)) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}

func FuzzCallback(f *testing.F) {
	f.Add("code=c&state=s")
	f.Add("error=access_denied&state=s")
	f.Add("code=c&code=d")
	f.Add("%zz")
	client, attempt := Config{}, Attempt{State: "s"}
	redirect, _ := ParseRedirect("http://localhost:8080/cb")
	f.Fuzz(func(t *testing.T, query string) {
		values, _ := url.ParseQuery(query)
		got := client.readCallback(values, attempt)
		if kinds := boolCount(got.Code != "", got.denied != nil, got.stray != ""); kinds != 1 {
			t.Fatalf("%q was read as %d things", query, kinds)
		}
		if got.stray == "" && values.Get("state") != "s" {
			t.Fatalf("%q was taken without the state", query)
		}
		pasted := client.readPasted(query, redirect, attempt)
		if kinds := boolCount(pasted.Code != "", pasted.denied != nil, pasted.stray != ""); kinds != 1 {
			t.Fatalf("%q pasted was read as %d things", query, kinds)
		}
		if pasted.denied != nil && strings.ContainsAny(pasted.denied.Error(), "\n\r") {
			t.Fatal("an error of more than one line")
		}
	})
}

func boolCount(values ...bool) (n int) {
	for _, value := range values {
		if value {
			n++
		}
	}
	return n
}
