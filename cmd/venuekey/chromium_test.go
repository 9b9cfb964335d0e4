package main

import (
	"context"
	"io"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/venuekey/venuekey/internal/environ"
	"github.com/venuekey/venuekey/internal/needs"
)

// chromium_test.go owns the sign-in as a new user does it: the command prints
// an address, and a real browser goes through the venue's pages. With
// VENUEKEY_SCREENSHOTS set to a folder it leaves there what the user saw.

func TestSigningInWithARealBrowser(t *testing.T) {
	needs.Time(t, "a browser is started")
	path := chromiumPath(t)
	for i, host := range []string{"localhost", "127.0.0.1", "[::1]"} {
		if host == "[::1]" && !hasFamily("::1") {
			continue
		}
		for j, venue := range emulatedVenues(true) {
			if i != j && os.Getenv("VENUEKEY_HEAVY") == "" {
				continue // each venue once, and each host once
			}
			t.Run(venue.venue+" at "+host, func(t *testing.T) {
				s := newBrowserStage(t, venue, "http://"+host+":0/auth/callback")
				page, cancel := context.WithTimeout(startChromium(t, path), time.Minute)
				defer cancel()
				login := s.login(t)
				if err := chromedp.Do(page, chromedp.Navigate(login.address)); err != nil {
					t.Fatal(err)
				}
				s.goThrough(t, page, venue.venue, "http://"+host+":")
				if code := <-login.ended; code != exitGood {
					t.Fatalf("login ended with %d", code)
				}
				var out strings.Builder
				if code := run(t.Context(), quietly(s.environ, &out, "token", s.id)); code != exitGood || strings.TrimSpace(out.String()) == "" {
					t.Fatalf("token ended with %d", code)
				}
			})
		}
	}
}

// browserStage is an emulated venue, and a place of its own to sign in from.
type browserStage struct {
	environ []string
	id      string
}

func newBrowserStage(t *testing.T, venue emulated, redirect string) browserStage {
	t.Helper()
	web := httptest.NewServer(venue.hosts[0].handler)
	t.Cleanup(web.Close)
	app := emulatedApp()
	return browserStage{id: venue.venue + "/alice", environ: []string{
		"VENUEKEY_HOME=" + filepath.Join(t.TempDir(), "home"), "VENUEKEY_KEY=file", "HOME=" + t.TempDir(),
		environ.Variable(venue.venue, "BASE_URL") + "=" + web.URL,
		environ.Variable(venue.venue, "CLIENT_ID") + "=" + app.ClientID,
		environ.Variable(venue.venue, "CLIENT_SECRET") + "=" + app.ClientSecret,
		environ.Variable(venue.venue, "REDIRECT_URI") + "=" + redirect,
	}}
}

// goThrough does with the venue's pages what a user does, from the sign-in to the
// page that he ends at.
func (s browserStage) goThrough(t *testing.T, page context.Context, venue, end string) {
	t.Helper()
	// CSS everywhere: a plain search finds the style sheet's words too.
	do := func(shown string, steps ...chromedp.Action[chromedp.Void]) {
		t.Helper()
		if err := chromedp.Do(page, steps...); err != nil {
			t.Fatal(err)
		}
		shoot(t, page, venue+"-"+shown)
	}
	do("1-sign-in",
		chromedp.WaitVisible(chromedp.CSS(`input[type=password]`)),
		chromedp.SendKeys(chromedp.CSS(`input[name=user]`), "alice"),
		chromedp.SendKeys(chromedp.CSS(`input[type=password]`), "wonderland"))
	press := chromedp.Click(chromedp.CSS(`button[value="sign-in"]`))
	if venue != "ttp" { // which has no consent page
		do("2-consent", press, chromedp.WaitVisible(chromedp.CSS(`button[value=allow]`)))
		press = chromedp.Click(chromedp.CSS(`button[value=allow]`))
	}
	do("3-callback", press, chromedp.WaitVisible(chromedp.CSS(`main.good, main.bad`)))
	heading, err := chromedp.Run(page, chromedp.Text(chromedp.CSS(`h1`)))
	if err != nil {
		t.Fatal(err)
	}
	at, err := chromedp.Run(page, chromedp.Location())
	if err != nil {
		t.Fatal(err)
	}
	if heading != "You are signed in" || !strings.HasPrefix(at, end) {
		t.Errorf("the browser ends at a page that says %q", heading)
	}
}

// quietly is the command without anybody at it.
func quietly(environ []string, out io.Writer, args ...string) host {
	return host{args: args, environ: environ, stdin: strings.NewReader(""), stdout: out, stderr: io.Discard}
}

func chromiumPath(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	needs.Skip(t, "browser", "no Chromium is installed (apt-get install chromium)")
	return ""
}

// startChromium starts a browser that asks nobody on the network for anything.
func startChromium(t *testing.T, path string, more ...chromedp.ExecAllocatorOption) context.Context {
	t.Helper()
	allocator, cancel := chromedp.NewExecAllocator(t.Context(), append(append(chromedp.DefaultExecAllocatorOptions[:], more...),
		chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.UserDataDir(t.TempDir()),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true),
		// Nobody on the internet is needed for a page of the internet.
		chromedp.Flag("host-resolver-rules", "MAP mallory.example 127.0.0.1"),
		chromedp.WindowSize(900, 760))...)
	t.Cleanup(cancel)
	browser, cancel := chromedp.NewContext(allocator)
	t.Cleanup(cancel)
	if err := chromedp.Do(browser); err != nil {
		t.Fatal(err)
	}
	return browser
}

// startedLogin is a login that waits for its browser.
type startedLogin struct {
	address, callback string
	ended             <-chan int
	said              *buffer
}

var (
	printedAddress = regexp.MustCompile(`(?m)^  (http\S+)$`)
	printedWaiting = regexp.MustCompile(`(?m)^waiting for the sign-in at (http\S+) `)
)

// login runs login until it has printed where to go and where it waits.
func (s browserStage) login(t *testing.T, args ...string) startedLogin {
	t.Helper()
	done := make(chan int, 1)
	l := startedLogin{ended: done, said: &buffer{grew: make(chan struct{}, 1)}}
	go func() {
		done <- run(t.Context(), host{
			args: append([]string{"login", s.id, "--no-browser"}, args...), environ: s.environ,
			stdin: strings.NewReader(""), stdout: io.Discard, stderr: l.said,
		})
	}()
	for {
		said := l.said.String()
		address, waiting := printedAddress.FindStringSubmatch(said), printedWaiting.FindStringSubmatch(said)
		if address != nil && waiting != nil {
			l.address, l.callback = address[1], waiting[1]
			return l
		}
		select {
		case <-l.said.grew:
		case code := <-done:
			t.Fatalf("login ended with %d and printed no address:\n%s", code, l.said)
		}
	}
}

// shoot keeps a picture of the page.
func shoot(t *testing.T, page context.Context, name string) {
	t.Helper()
	folder := os.Getenv("VENUEKEY_SCREENSHOTS")
	if folder == "" {
		return
	}
	picture, err := chromedp.Run(page, chromedp.FullScreenshot(100))
	if err == nil {
		err = os.WriteFile(filepath.Join(folder, name+".png"), picture, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}
