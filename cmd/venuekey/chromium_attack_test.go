package main

import (
	"context"
	"fmt"
	"html/template"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/venuekey/venuekey/emulator"
	"github.com/venuekey/venuekey/internal/needs"
)

// chromium_attack_test.go owns the page of somebody else that is open in the user's
// browser while he signs in.

// hostile is a page that knows where the callback is and does everything that a page
// can do to an address of another origin. The link is for a navigation of the whole
// tab, which a page starts by a click or by itself.
const hostile = `<!doctype html><title>a page with a game</title>
{{range .To}}
<img src="{{.}}"><iframe src="{{.}}"></iframe><script src="{{.}}"></script><link rel="stylesheet" href="{{.}}">
<link rel="prefetch" href="{{.}}"><object data="{{.}}"></object><embed src="{{.}}"><video src="{{.}}"></video>
<iframe name="form{{.}}"></iframe><form target="form{{.}}" action="{{.}}"><input name="code" value="a-code-of-mallory"></form>
{{end}}
<a id="go" href="{{index .To 0}}">play</a> <a id="denied" href="{{index .To 1}}">lose</a>
<button id="window">play in a window</button>
<script>
const to = {{.To}}, tries = [];
for (const at of to) {
  for (const mode of ["no-cors", "cors", "same-origin"])
    tries.push(fetch(at, {mode, credentials: "include"}).catch(() => {}));
  navigator.sendBeacon(at, "x");
}
for (const form of document.forms) form.submit();
document.getElementById("window").onclick = () => {
  const other = open(to[0]), looks = setInterval(() => {
    try { other.location.href; } catch (_) { // it is another origin's now
      clearInterval(looks);
      document.body.insertAdjacentHTML("beforeend", "<p id=opened>opened</p>");
    }
  }, 20);
};
window.onload = () => Promise.all(tries).then(() => { document.body.insertAdjacentHTML("beforeend", "<p id=done>done</p>"); });
</script>`

// mallory serves the page, at a name of the internet.
func mallory(t *testing.T) (address string) {
	t.Helper()
	page := template.Must(template.New("page").Parse(hostile))
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		callback := r.URL.Query().Get("at")
		w.Header().Set("Content-Type", "text/html")
		_ = page.Execute(w, map[string]any{"To": []string{
			callback + "?code=a-code-of-mallory", callback + "?error=access_denied",
			callback + "?code=a-code-of-mallory&state=guessed", callback + "?error=access_denied&state=guessed",
		}})
	}))
	t.Cleanup(web.Close)
	return strings.Replace(web.URL, "127.0.0.1", "mallory.example", 1) + "/?at="
}

func TestAttackAHostilePageInTheUsersBrowser(t *testing.T) {
	needs.Time(t, "a browser is started")
	path := chromiumPath(t)
	page := mallory(t)
	for _, venue := range emulatedVenues(true) {
		if venue.venue != "ctrader" && os.Getenv("VENUEKEY_HEAVY") == "" {
			continue // where state comes back there is more in the way
		}
		t.Run(venue.venue, func(t *testing.T) {
			s := newBrowserStage(t, venue, "http://localhost:0/auth/callback")
			log := venue.hosts[0].handler.(interface{ Log() *emulator.Log }).Log()
			users, cancel := context.WithTimeout(startChromium(t, path), time.Minute)
			defer cancel()
			login := s.login(t)
			m := mischief{t: t, page: page, browser: users, login: login, venue: venue.venue, log: log}
			m.attacks("before the browser began", "main.bad")
			if err := chromedp.Do(users, chromedp.Navigate(login.address), chromedp.WaitVisible(chromedp.CSS(`input[type=password]`))); err != nil {
				t.Fatal(err)
			}
			// Where no state comes back the tab is not known, and the user is asked.
			question := "main.bad"
			if venue.venue == "ctrader" {
				question = "main.asks button"
			}
			m.attacks("while the user signs in", question)
			s.goThrough(t, users, venue.venue, "http://localhost:")
			if code := <-login.ended; code != exitGood {
				t.Fatalf("login ended with %d", code)
			}
			if lines := strings.Count(fmt.Sprint(login.said), "\n"); lines > 16 {
				t.Errorf("%d lines on the terminal:\n%s", lines, login.said)
			}
		})
	}
}

// mischief is the page, open in the browser of a user who signs in.
type mischief struct {
	t       *testing.T
	page    string
	browser context.Context
	login   startedLogin
	venue   string
	log     *emulator.Log
}

// attacks opens the page in tabs of its own, once for each way to send a tab to the
// callback, and wants such a tab to be shown something.
func (m mischief) attacks(when, shown string) {
	m.t.Helper()
	links := []string{"#go", "#denied", "#window"}
	if os.Getenv("VENUEKEY_HEAVY") == "" {
		links = links[:1]
	}
	for _, link := range links {
		after := shown
		if link == "#window" {
			after = "#opened"
		}
		tab, closed := chromedp.NewContext(m.browser)
		err := chromedp.Do(tab, chromedp.Navigate(m.page+url.QueryEscape(m.login.callback)), chromedp.WaitVisible(chromedp.CSS("#done")),
			chromedp.Click(chromedp.CSS(link)), chromedp.WaitVisible(chromedp.CSS(after)))
		if err != nil {
			m.t.Fatalf("%s, %s: %v", when, link, err)
		}
		shoot(m.t, tab, m.venue+"-attack-"+link[1:]+"-"+strings.Fields(when)[0])
		closed()
	}
	select {
	case code := <-m.login.ended:
		m.t.Fatalf("%s: a page of the internet ended the sign-in, with %d:\n%s", when, code, m.login.said)
	default:
	}
	if n := m.log.Count(emulator.EventCodeRefused); n != 0 {
		m.t.Fatalf("%s: a code of a page of the internet was presented %d times", when, n)
	}
}
