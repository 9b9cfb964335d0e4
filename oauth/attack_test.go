package oauth

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/venuekey/venuekey"
)

// attack_test.go owns attacks on a sign-in that is under way. Each ends with the
// user's own sign-in, which must go well.

// attacked runs a sign-in while the attack does what it likes, and finishes it as the
// user would. The attack gets the browser of a user who began.
func attacked(t *testing.T, client Client, app venuekey.App, attack func(venuekey.Visit, agent)) []string {
	t.Helper()
	ui := &person{}
	ui.visit = func(visit venuekey.Visit) error {
		jar := newJar(t)
		browser := agent{jar}
		_, first, _ := browser.get(t, visit.URL, nil)
		attack(visit, browser)
		go func() {
			_, asks, _ := browser.get(t, visit.Redirect+"?code=good-code&state="+stateOf(visit), nil)
			if action := field(asks, `action="`); action != "" {
				browser.post(t, originOf(visit)+action, url.Values{"pending": {field(asks, `name="pending" value="`)}, "tab": {kept(t, first)}}, nil)
			}
		}()
		return nil
	}
	if token, err := client.Login(soon(t), app, ui); err != nil || token.Access != "a" {
		t.Fatal(err)
	}
	return ui.told
}

// soon ends a sign-in that an attack has kept from ending.
func soon(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// fetched is what a browser says of a request.
func fetched(site, mode, dest string) func(*http.Request) {
	return func(r *http.Request) {
		r.Header.Set("Sec-Fetch-Site", site)
		r.Header.Set("Sec-Fetch-Mode", mode)
		r.Header.Set("Sec-Fetch-Dest", dest)
	}
}

// What pages and programs send to the callback while the user signs in, at a venue
// whose callback has no state: it is refused, with and without the cookie.
func TestAttackACallbackThatTheUsersBrowserDidNotBring(t *testing.T) {
	client, app := stage(t)
	client.StateNotEchoed = true
	attacked(t, client, app, func(visit venuekey.Visit, browser agent) {
		for _, what := range []string{"?code=evil-code", "?error=access_denied", "?code=evil-code&state=" + stateOf(visit), "?error=access_denied&state=" + stateOf(visit)} {
			for _, row := range []struct {
				name   string
				from   agent
				change func(*http.Request)
			}{
				{"no cookie", agent{}, nil},
				{"no cookie, a navigation", agent{}, fetched("cross-site", "navigate", "document")},
				{"a made-up cookie", agent{}, func(r *http.Request) { r.Header.Set("Cookie", "venuekey=x; "+cookieName(t, browser, visit)+"=guessed") }},
				{"an empty cookie", agent{}, func(r *http.Request) { r.Header.Set("Cookie", cookieName(t, browser, visit)+"=") }},
				{"a picture", browser, fetched("cross-site", "no-cors", "image")},
				{"a script", browser, fetched("cross-site", "no-cors", "script")},
				{"a style", browser, fetched("cross-site", "no-cors", "style")},
				{"fetch", browser, fetched("cross-site", "cors", "empty")},
				{"fetch from a port of this host", browser, fetched("same-site", "no-cors", "empty")},
				{"a frame", browser, fetched("cross-site", "navigate", "iframe")},
				{"an object", browser, fetched("cross-site", "navigate", "object")},
				{"a worker", browser, fetched("same-origin", "same-origin", "worker")},
				{"a connection", browser, fetched("cross-site", "websocket", "websocket")},
			} {
				if status, page, _ := row.from.get(t, visit.Redirect+what, row.change); status != 400 || strings.Contains(page, "<form") {
					t.Errorf("%s %s: %d", row.name, what, status)
				}
			}
		}
	})
}

func cookieName(t *testing.T, browser agent, visit venuekey.Visit) string {
	t.Helper()
	address, _ := url.Parse(visit.Redirect)
	for _, cookie := range browser.jar.Cookies(address) {
		return cookie.Name
	}
	t.Error("the browser has no cookie")
	return ""
}

// A cookie of one sign-in is none of the next one's.
func TestAttackACookieOfAnEarlierSignIn(t *testing.T) {
	client, app := stage(t)
	var before http.CookieJar
	for range 2 {
		attacked(t, client, app, func(visit venuekey.Visit, browser agent) {
			if before != nil {
				if status, _, _ := (agent{before}).get(t, visit.Redirect+"?code=evil-code&state="+stateOf(visit), nil); status != 400 {
					t.Errorf("%d", status)
				}
			}
			before = browser.jar
		})
	}
}

// Another page can send a tab of the same browser to the callback, with the cookie.
// What it brings is taken by the user's word only, and not by a form of that page's.
func TestAttackATabThatAnotherPageSentToTheCallback(t *testing.T) {
	client, app := stage(t)
	client.StateNotEchoed = true
	attacked(t, client, app, func(visit venuekey.Visit, browser agent) {
		for _, what := range []string{"?code=evil-code", "?error=access_denied"} {
			status, asks, header := browser.get(t, visit.Redirect+what, fetched("cross-site", "navigate", "document"))
			action, pending := originOf(visit)+field(asks, `action="`), field(asks, `name="pending" value="`)
			if status != 200 || pending == "" || strings.Contains(asks, "evil-code") || !strings.Contains(header.Get("Content-Security-Policy"), "frame-ancestors 'none'") {
				t.Fatalf("%d %s", status, asks)
			}
			for name, row := range map[string]struct {
				from   agent
				form   url.Values
				change func(*http.Request)
			}{
				"a form of another page":       {browser, url.Values{"pending": {pending}}, fetched("cross-site", "navigate", "document")},
				"a form of another port":       {browser, url.Values{"pending": {pending}}, fetched("same-site", "navigate", "document")},
				"without the cookie":           {agent{}, url.Values{"pending": {pending}}, nil},
				"a guessed number":             {browser, url.Values{"pending": {"guessed"}}, nil},
				"no number":                    {browser, url.Values{}, nil},
				"the tab of another sign-in's": {browser, url.Values{"pending": {pending}, "tab": {"guessed"}}, nil},
				"a script's request":           {browser, url.Values{"pending": {pending}}, fetched("same-origin", "cors", "empty")},
			} {
				if status, _ := row.from.post(t, action, row.form, row.change); status != 400 {
					t.Errorf("%s: %d", name, status)
				}
			}
			if status, _, _ := browser.get(t, action+"?pending="+pending, nil); status != 400 {
				t.Errorf("a link: %d", status)
			}
		}
	})
}

// A form whose body never arrives delays no other request.
func TestAttackAFormThatDoesNotEnd(t *testing.T) {
	client, app := stage(t)
	client.StateNotEchoed = true
	attacked(t, client, app, func(visit venuekey.Visit, browser agent) {
		_, asks, _ := browser.get(t, visit.Redirect+"?code=evil-code", nil)
		host := strings.TrimPrefix(originOf(visit), "http://")
		conn, err := net.Dial("tcp", host)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: %s\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 100\r\nExpect: 100-continue\r\n\r\n", field(asks, `action="`), host)
		if _, err := conn.Read(make([]byte, 10)); err != nil { // the body is waited for
			t.Fatal(err)
		}
		began := time.Now()
		if status, _, _ := browser.get(t, visit.Redirect+"?code=evil-code", nil); status != 200 || time.Since(began) > 5*time.Second {
			t.Errorf("%d after %s", status, time.Since(began))
		}
	})
}

// The addresses that stand in lists of arguments hold nothing that a callback needs.
func TestAttackAUserWhoReadsTheOpenersArguments(t *testing.T) {
	client, app := stage(t)
	for redirect, listens := range map[string]bool{app.RedirectURI: true, "https://app.example/cb": false} {
		app.RedirectURI = redirect
		ctx, leave := context.WithCancel(t.Context())
		ui := &person{visit: func(visit venuekey.Visit) error {
			defer leave()
			if state := stateOf(visit); state == "" || strings.Contains(visit.Open, state) || strings.Contains(visit.Open, "venue.example") || !strings.HasPrefix(visit.Open, "http://127.0.0.1:") {
				t.Errorf("%s is opened", visit.Open)
			}
			if visit.Open == visit.URL || visit.Listening != listens {
				t.Errorf("%+v", visit)
			}
			if status, _, header := (agent{}).get(t, visit.Open, nil); status != 303 || header.Get("Location") != visit.Elsewhere {
				t.Errorf("%d to %q", status, header.Get("Location"))
			}
			return nil
		}}
		if _, err := client.Login(ctx, app, ui); venuekey.ClassOf(err) != venuekey.ClassFailed {
			t.Error(err)
		}
		leave()
	}
}

// If another browser opens the one-time address first, that is noticed when the user's
// browser comes.
func TestAttackSomebodyElseOpensTheOneTimeAddress(t *testing.T) {
	for _, name := range []string{"shown", "opened"} {
		client, app := stage(t)
		ui := &person{}
		ui.visit = func(visit venuekey.Visit) error {
			address := map[string]string{"shown": visit.URL, "opened": visit.Open}[name]
			opens(t, address)
			if status, page, header := (agent{}).get(t, address, nil); status != 403 || header.Get("Set-Cookie") != "" || !strings.Contains(page, "another browser had opened it already") {
				t.Errorf("%s: the second browser: %d", name, status)
			}
			return nil
		}
		if _, err := client.Login(soon(t), app, ui); venuekey.ClassOf(err) != venuekey.ClassFailed || !strings.Contains(err.Error(), "two browsers opened the one-time address") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A prefetch does not use the address up, and a browser that has the cookie may come
// again.
func TestTheOneTimeAddressIsUsedUpByABrowserThatShowsIt(t *testing.T) {
	client, app := stage(t)
	ui := &person{}
	ui.visit = func(visit venuekey.Visit) error {
		for name, change := range map[string]func(*http.Request){
			"a scanner": func(r *http.Request) { r.Method = http.MethodHead }, "a form": func(r *http.Request) { r.Method = http.MethodPost },
			"prefetch":  func(r *http.Request) { r.Header.Set("Sec-Purpose", "prefetch") },
			"prerender": func(r *http.Request) { r.Header.Set("Sec-Purpose", "prefetch;prerender") },
			"older":     func(r *http.Request) { r.Header.Set("Purpose", "prefetch") }, "Safari's": func(r *http.Request) { r.Header.Set("X-Purpose", "preview") },
			"Firefox's":              func(r *http.Request) { r.Header.Set("X-Moz", "prefetch") },
			"a picture":              fetched("cross-site", "no-cors", "image"),
			"a name of the internet": func(r *http.Request) { r.Host = "evil.example" },
		} {
			if status, _, header := (agent{}).get(t, visit.URL, change); status/100 < 4 || header.Get("Set-Cookie") != "" || header.Get("Location") != "" {
				t.Errorf("%s: %d", name, status)
			}
		}
		browser := begins(t, visit)
		status, _, header := browser.get(t, visit.URL, fetched("none", "navigate", "document"))
		if status != 303 || header.Get("Location") != visit.Elsewhere {
			t.Errorf("again: %d", status)
		}
		cookie := header.Get("Set-Cookie")
		for _, want := range []string{"HttpOnly", "SameSite=Lax", "Path=/", "Max-Age="} {
			if !strings.Contains(cookie, want) {
				t.Errorf("the cookie is %q", cookie)
			}
		}
		go func() {
			_, _, header := browser.get(t, visit.Redirect+"?code=good-code&state="+stateOf(visit), fetched("cross-site", "navigate", "document"))
			if !strings.Contains(header.Get("Set-Cookie"), "Max-Age=0") {
				t.Error("the cookie stays")
			}
		}()
		return nil
	}
	if _, err := client.Login(t.Context(), app, ui); err != nil {
		t.Fatal(err)
	}
}

// A page that sends callbacks without end writes a handful of lines.
func TestAttackCallbacksWithoutEnd(t *testing.T) {
	client, app := stage(t)
	told := attacked(t, client, app, func(visit venuekey.Visit, browser agent) {
		for i := range 100 {
			agent{}.get(t, fmt.Sprintf("%s?code=evil-%d&state=%d", visit.Redirect, i, i), nil)
			browser.get(t, fmt.Sprintf("%s?code=evil-%d&state=%d", visit.Redirect, i, i), nil)
			browser.get(t, fmt.Sprintf("%s?code=evil-%d", visit.Redirect, i), nil)
			browser.get(t, visit.Redirect, fetched("cross-site", "no-cors", "image"))
		}
	})
	if len(told) > mostTold+1 || told[len(told)-1] != "400 callbacks were ignored in all" {
		t.Errorf("%d lines: %q", len(told), told)
	}
}

// An answer that names another issuer is another venue's (RFC 9207).
func TestAttackAnAnswerOfAnotherIssuer(t *testing.T) {
	client := Config{AuthorizeURL: "https://id.venue.example/authorize", TokenURL: "https://api.venue.example:8443/token"}
	known := client
	known.Issuer = "https://venue.example/"
	for _, row := range []struct {
		client Config
		issuer string
		taken  bool
	}{
		{client, "https://id.venue.example", true}, {client, "https://id.venue.example/realm", true}, {client, "https://API.venue.example:8443", true},
		{client, "https://evil.example", false}, {client, "https://api.venue.example", false}, {client, "http://id.venue.example", false},
		{client, "https://id.venue.example.evil.example", false}, {client, "https://id.venue.example@evil.example", false}, {client, "id.venue.example", false}, {client, "", false},
		{known, "https://venue.example/", true}, {known, "https://venue.example", false}, {known, "https://id.venue.example", false}, {known, "", false},
	} {
		for _, answer := range []string{"code", "error"} {
			got := row.client.readCallback(url.Values{answer: {"x"}, "state": {"s"}, "iss": {row.issuer}}, Attempt{State: "s"})
			if (got.stray == "") != row.taken {
				t.Errorf("iss %q: %+v", row.issuer, got)
			}
		}
	}
	twice := client.readCallback(url.Values{"code": {"x"}, "state": {"s"}, "iss": {"https://id.venue.example", "https://evil.example"}}, Attempt{State: "s"})
	without := known.readCallback(url.Values{"code": {"x"}, "state": {"s"}}, Attempt{State: "s"})
	if twice.stray == "" || without.stray != "" {
		t.Error(twice, without)
	}
	_, app := stage(t)
	real, _ := stage(t)
	attacked(t, real, app, func(visit venuekey.Visit, browser agent) {
		if status, page, _ := browser.get(t, visit.Redirect+"?code=evil-code&iss=https%3A%2F%2Fevil.example&state="+stateOf(visit), nil); status != 400 || !strings.Contains(page, "iss") {
			t.Errorf("%d", status)
		}
	})
}

// A user signs in at a venue that is hostile. It sends him on to an honest one, with
// the honest app's client id and this sign-in's state (mix-up, RFC 9700 §4.4). What
// becomes of the honest venue's code depends on what tells the two apart.
func TestAttackAnHonestVenuesCodeAtASignInOfAHostileOne(t *testing.T) {
	for _, row := range []struct {
		name, redirect, issuer string
		status                 int
	}{
		{"each has a redirect uri of its own", "/auth/callback/honest", "", 404},
		{"the honest one says who it is", "/auth/callback", "https://honest.example", 400},
		{"neither", "/auth/callback", "", 200},
	} {
		t.Run(row.name, func(t *testing.T) {
			var stolen url.Values
			hostile := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				_ = r.ParseForm()
				stolen = r.PostForm
				fmt.Fprint(w, `{"access_token":"a"}`)
			}))
			defer hostile.Close()
			client := Client{Config: Config{AuthorizeURL: hostile.URL + "/authorize", TokenURL: hostile.URL + "/token", PKCE: true}}
			app := venuekey.App{ClientID: "app-at-the-hostile-one", ClientSecret: "hostile-secret", RedirectURI: "http://127.0.0.1:0/auth/callback"}
			ctx, leave := context.WithCancel(t.Context())
			defer leave()
			ui := &person{}
			ui.visit = func(visit venuekey.Visit) error {
				browser := begins(t, visit)
				go func() {
					answer := url.Values{"code": {"code-of-the-honest-one"}, "state": {stateOf(visit)}}
					if row.issuer != "" {
						answer.Set("iss", row.issuer)
					}
					if status, _, _ := browser.get(t, originOf(visit)+row.redirect+"?"+answer.Encode(), nil); status != row.status {
						t.Errorf("%d, want %d", status, row.status)
					}
					leave()
				}()
				return nil
			}
			_, _ = client.Login(ctx, app, ui)
			switch {
			case row.status != 200 && stolen != nil:
				t.Errorf("the hostile venue got %v", stolen)
			case row.status == 200 && (stolen.Get("client_secret") != "hostile-secret" || strings.Contains(stolen.Encode(), "honest-secret")):
				// Then it has the code, and nothing of the honest app's to redeem it with.
				t.Errorf("the hostile venue got %v", stolen)
			}
		})
	}
}

// The program that has the callback's port would get the code, so no browser is sent
// there.
func TestAttackAStrangerOnTheCallbacksPort(t *testing.T) {
	stranger, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer stranger.Close()
	for _, host := range []string{"127.0.0.1", "localhost"} {
		client, app := stage(t)
		_, port, _ := net.SplitHostPort(stranger.Addr().String())
		app.RedirectURI = "http://" + net.JoinHostPort(host, port) + "/auth/callback"
		ui := &person{pastes: make(chan string, 1)}
		ui.visit = func(visit venuekey.Visit) error {
			if visit.URL != "" || visit.Open != "" || visit.Listening || visit.NotListening == "" {
				t.Errorf("%+v", visit)
			}
			// On another machine nothing listens at that address.
			ui.pastes <- visit.Redirect + "?code=good-code&state=" + stateOf(visit)
			return nil
		}
		if _, err := client.Login(t.Context(), app, ui); err != nil {
			t.Error(host, err)
		}
	}
}

// Nothing that is typed or pasted by mistake ends a sign-in.
func TestAttackWhateverIsTypedWhereAnAddressIsPasted(t *testing.T) {
	client, app := stage(t)
	app.RedirectURI = "https://app.example/cb"
	ui := &person{pastes: make(chan string, 100)}
	ui.visit = func(visit venuekey.Visit) error {
		for _, text := range []string{"", "\x1b[A", "\x1b", "\x00\x07\x7f", "y", "hunter2-hunter2", "a password of several words", "correct-horse-battery-staple-is-long", "\u202efdp.x", strings.Repeat("é", 4000),
			visit.URL, visit.Redirect + "?code=x", visit.Redirect + "?code=good-code&state=foreign", visit.Redirect + "?error=access_denied", visit.Redirect + "?code=a%1b%5bAcode&state=" + stateOf(visit)} {
			ui.pastes <- text
		}
		for range 50 {
			ui.pastes <- "\x1b[B"
		}
		ui.pastes <- "\x1b[200~" + visit.Redirect + "?code=good-code&state=" + stateOf(visit) + "\x1b[201~"
		return nil
	}
	if _, err := client.Login(soon(t), app, ui); err != nil {
		t.Fatal(err, ui.told)
	}
	if len(ui.told) > mostMistakes+mostTries {
		t.Errorf("%d lines were told", len(ui.told))
	}
	for _, line := range ui.told {
		if !isPlain(line) {
			t.Errorf("%q was told", line)
		}
	}
}

// FuzzPaste reads arbitrary input. What it accepts answers this sign-in, and can be a
// code.
func FuzzPaste(f *testing.F) {
	for _, seed := range []string{"", "\x1b[A", "\x1b[200~localhost:8080/cb?code=c&state=s\x1b[201~", goodCode, "localhost:8080/cb?code=c&state=s", "http://localhost:8080/cb?error=access_denied&state=s",
		"http://localhost:8080/cb?code=%1b%5bA&state=s", "ab%2Fcd%2Bef0123456789%3D%3D", "<http://localhost:8080/cb?code=c&state=s&iss=https%3A%2F%2Fevil.example>", "a\x00b", "://", "%zz"} {
		f.Add(seed)
	}
	redirect, _ := ParseRedirect("http://localhost:8080/cb")
	f.Fuzz(func(t *testing.T, text string) {
		got := Config{}.readPasted(text, redirect, Attempt{State: "s"})
		if kinds := boolCount(got.Code != "", got.denied != nil, got.stray != ""); kinds != 1 {
			t.Fatalf("%q was read as %d things", text, kinds)
		}
		if !isVisible(string(got.Code)) || got.bare && len(got.Code) < shortestCode {
			t.Fatalf("%q was taken for the code %q", text, string(got.Code))
		}
		if (got.Code != "" && !got.bare || got.denied != nil) && !strings.Contains(text, "s") {
			t.Fatalf("%q was taken without the state", text)
		}
		if !isPlain(got.stray) || len(got.stray) > 200 {
			t.Fatalf("%q is told as %q", text, got.stray)
		}
	})
}

func isPlain(line string) bool {
	return !strings.ContainsFunc(line, func(letter rune) bool { return letter < ' ' || letter > '~' })
}
