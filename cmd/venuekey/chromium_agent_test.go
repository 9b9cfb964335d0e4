package main

import (
	"context"
	"html/template"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/venuekey/venuekey/agent"
	"github.com/venuekey/venuekey/emulator"
	"github.com/venuekey/venuekey/internal/keepertest"
	"github.com/venuekey/venuekey/internal/needs"
)

// chromium_agent_test.go owns the page of somebody else that is open in a browser of a machine on which an
// agent listens with TLS.

// greedy is a page that knows where an agent listens, and a consumer's token, and asks for everything in
// every way that a page has.
const greedy = `<!doctype html><title>a page with a game</title>
<a id="go" href="{{index .To 0}}">play</a><br>
{{range .To}}<img src="{{.}}"><iframe src="{{.}}"></iframe><script src="{{.}}"></script><link rel="stylesheet" href="{{.}}">
<object data="{{.}}"></object><video src="{{.}}"></video>
<iframe name="of {{.}}"></iframe><form target="of {{.}}" action="{{.}}" method="post" enctype="text/plain"><input name='{"again":true,"x":"' value='"}'></form>
{{end}}
<script>
const to = {{.To}}, tries = [], heard = [];
const wait = (register) => tries.push(new Promise((resolve) => { register(resolve); setTimeout(resolve, 2000); }));
for (const at of to) {
  for (const mode of ["no-cors", "cors", "same-origin"])
    for (const method of ["GET", "POST", "DELETE", "HEAD"])
      for (const headers of [{}, {Authorization: "Bearer word"}, {"Content-Type": "application/json"}])
        tries.push(fetch(at, {mode, method, headers, credentials: "include", ...(method === "POST" && {body: '{"access_token":"x"}'})})
          .then((answer) => answer.text()).then((text) => heard.push(text)).catch(() => {}));
  navigator.sendBeacon(at, "{}");
  wait((resolve) => { const s = new WebSocket(at.replace("https:", "wss:")); s.onopen = s.onmessage = (e) => heard.push(e.type); s.onclose = resolve; });
  wait((resolve) => { const s = new EventSource(at); s.onopen = s.onmessage = (e) => heard.push(e.type); s.onerror = () => { s.close(); resolve(); }; });
}
for (const form of document.forms) form.submit();
window.onload = () => Promise.all(tries).then(() => {
  document.body.insertAdjacentHTML("beforeend", "<p id=done>" + heard.filter((text) => text).length + "</p>");
});
</script>`

// answers counts what an agent answers, by status, and how often a token is in it.
type answers struct {
	http.ResponseWriter
	of     *tally
	status int
}

type tally struct {
	mu     sync.Mutex
	status map[int]int
	tokens int
}

func (a *answers) WriteHeader(status int) {
	a.status = status
	a.ResponseWriter.WriteHeader(status)
}

func (a *answers) Write(text []byte) (int, error) {
	a.of.mu.Lock()
	defer a.of.mu.Unlock()
	if strings.Contains(string(text), "access-") {
		a.of.tokens++
	}
	return a.ResponseWriter.Write(text)
}

func (a *answers) Unwrap() http.ResponseWriter { return a.ResponseWriter }

// The agent lets in whoever asks, as if each page knew the token of a consumer: what a browser sends of its own
// accord is enough to refuse all of them, and a person's own tab too.
func TestAttackAPageInARealBrowserAtAnAgent(t *testing.T) {
	needs.Time(t, "a browser is started")
	path := chromiumPath(t)
	venue := &keepertest.Venue{}
	keeper, _ := keepertest.SignedIn(t, venue)
	var admitted atomic.Int64
	server := &agent.Server{Keeper: keeper, Admit: func(r *http.Request) (*http.Request, error) { admitted.Add(1); return r, nil }}
	seen := &tally{status: map[int]int{}}
	web := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a := &answers{w, seen, http.StatusOK}
		server.ServeHTTP(a, r)
		seen.mu.Lock()
		seen.status[a.status]++
		seen.mu.Unlock()
	}))
	web.TLS = emulator.NewAuthority().Config()
	web.StartTLS()
	t.Cleanup(web.Close)
	at := strings.Replace(web.URL, "127.0.0.1", "localhost", 1)
	page := template.Must(template.New("page").Parse(greedy))
	mallory := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_ = page.Execute(w, map[string]any{"To": []string{at + "/v1/token/stage/alice", at + "/v1/signins/stage/alice/refresh", at + "/v1/token/stage/alice/refused", at + "/v1/signins/stage/alice", at + "/v1/events"}})
	}))
	t.Cleanup(mallory.Close)

	browser, cancel := context.WithTimeout(startChromium(t, path, chromedp.Flag("ignore-certificate-errors", true)), time.Minute)
	defer cancel()
	text := func(of string, before ...chromedp.Action[chromedp.Void]) string {
		t.Helper()
		if err := chromedp.Do(browser, before...); err != nil {
			t.Fatal(err)
		}
		text, err := chromedp.Run(browser, chromedp.Text(chromedp.CSS(of)))
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	heard := text("#done", chromedp.Navigate(strings.Replace(mallory.URL, "127.0.0.1", "mallory.example", 1)))
	shown := text("pre", chromedp.Click(chromedp.CSS("#go")))
	typed := text("pre", chromedp.Navigate(at+"/v1/token/stage/alice"))
	seen.mu.Lock()
	defer seen.mu.Unlock()
	t.Logf("answered by status: %v; the page read %s answers", seen.status, heard)
	if heard != "0" || !strings.Contains(shown, "not answer web pages") || !strings.Contains(typed, "not answer web pages") || seen.tokens > 0 || admitted.Load() > 0 || len(seen.status) != 1 || seen.status[http.StatusForbidden] < 50 {
		t.Errorf("by status %v, %d let in, %d with a token; the page read %s answers; tabs show %s and %s", seen.status, admitted.Load(), seen.tokens, heard, shown, typed)
	}
	if _, total := venue.Shown(); total > 0 {
		t.Errorf("%d renewals", total)
	}
}
