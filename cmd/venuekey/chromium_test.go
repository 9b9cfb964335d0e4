package main

import (
	"bufio"
	"context"
	"io"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/venuekey/venuekey/internal/needs"
)

// chromium_test.go owns the sign-in as a new user does it: the command prints
// an address, and a real browser goes through the venue's pages. With
// VENUEKEY_SCREENSHOTS set to a folder it leaves there what the user saw.

func TestSigningInWithARealBrowser(t *testing.T) {
	path := chromiumPath()
	if path == "" {
		needs.Skip(t, "browser", "no Chromium is installed (apt-get install chromium)")
	}
	for _, venue := range emulatedVenues(true) {
		t.Run(venue.venue, func(t *testing.T) {
			web := httptest.NewServer(venue.hosts[0].handler)
			defer web.Close()
			app := emulatedApp()
			environ := []string{
				"VENUEKEY_HOME=" + filepath.Join(t.TempDir(), "home"), "VENUEKEY_KEY=file", "HOME=" + t.TempDir(),
				variable(venue.venue, "BASE_URL") + "=" + web.URL,
				variable(venue.venue, "CLIENT_ID") + "=" + app.ClientID,
				variable(venue.venue, "CLIENT_SECRET") + "=" + app.ClientSecret,
				variable(venue.venue, "REDIRECT_URI") + "=http://localhost:0/auth/callback",
			}
			id := venue.venue + "/alice"
			page, cancel := context.WithTimeout(startChromium(t, path), time.Minute)
			defer cancel()

			address, ended := startLogin(t, environ, id)
			// CSS everywhere: a plain search finds the style sheet's words too.
			do := func(shown string, steps ...chromedp.Action[chromedp.Void]) {
				t.Helper()
				if err := chromedp.Do(page, steps...); err != nil {
					t.Fatal(err)
				}
				shoot(t, page, venue.venue+"-"+shown)
			}
			do("1-sign-in",
				chromedp.Navigate(address),
				chromedp.WaitVisible(chromedp.CSS(`input[type=password]`)),
				chromedp.SendKeys(chromedp.CSS(`input[name=user]`), "alice"),
				chromedp.SendKeys(chromedp.CSS(`input[type=password]`), "wonderland"))
			press := chromedp.Click(chromedp.CSS(`button[value="sign-in"]`))
			if venue.venue != "ttp" { // which has no consent page
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
			if heading != "You are signed in" || !strings.HasPrefix(at, "http://localhost:") {
				t.Errorf("the browser ends at a page that says %q", heading)
			}
			if code := <-ended; code != exitGood {
				t.Fatalf("login ended with %d", code)
			}
			var out strings.Builder
			if code := run(t.Context(), host{args: []string{"token", id}, environ: environ, stdin: strings.NewReader(""), stdout: &out, stderr: io.Discard}); code != exitGood || strings.TrimSpace(out.String()) == "" {
				t.Fatalf("token ended with %d", code)
			}
		})
	}
}

func chromiumPath() string {
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	return ""
}

// startChromium starts a browser that asks nobody on the network for anything.
func startChromium(t *testing.T, path string) context.Context {
	t.Helper()
	allocator, cancel := chromedp.NewExecAllocator(t.Context(), append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.UserDataDir(t.TempDir()),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true),
		chromedp.WindowSize(900, 760))...)
	t.Cleanup(cancel)
	browser, cancel := chromedp.NewContext(allocator)
	t.Cleanup(cancel)
	if err := chromedp.Do(browser); err != nil {
		t.Fatal(err)
	}
	return browser
}

// startLogin runs login and gives the address that it prints and, later, its
// exit code.
func startLogin(t *testing.T, environ []string, id string) (address string, ended <-chan int) {
	t.Helper()
	read, write := io.Pipe()
	done := make(chan int, 1)
	go func() {
		code := run(t.Context(), host{
			args: []string{"login", id, "--no-browser"}, environ: environ,
			stdin: strings.NewReader(""), stdout: io.Discard, stderr: write,
		})
		write.Close()
		done <- code
	}()
	lines := bufio.NewScanner(read)
	for address == "" && lines.Scan() {
		if text := strings.TrimSpace(lines.Text()); strings.HasPrefix(text, "http") {
			address = text
		}
	}
	go io.Copy(io.Discard, read)
	if address == "" {
		t.Fatalf("login ended with %d and printed no address", <-done)
	}
	return address, done
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
