package oauth

import (
	"crypto/rand"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/venuekey/venuekey"
)

// begin.go owns the start of a sign-in in the browser, and how that browser is recognised
// at the callback: the answer is bound to the user agent that asked (RFC 9700 §4.7).
//
// The browser first opens a single-use address of the listener, which sets a cookie and
// redirects to the venue. So the venue's URL, which contains state, never appears in a
// process's arguments. No page can fetch the callback in the background either, because
// SameSite=Lax limits the cookie to top-level navigations (RFC 6265bis §5.2). The cookie
// is not Secure: the connection never leaves this machine, and Safari drops Secure
// cookies over plain http. Every browser keeps a cookie that arrives with a redirect to
// another site, because the redirect answers a navigation to this one. Browsers do not
// separate cookies by port (RFC 6265 §8.5), so each attempt has its own cookie name.

// startAddress is a single-use address at which a browser starts the sign-in.
type startAddress struct {
	// Path is its path, and Cookie the value that the browser that opens it receives.
	Path, Cookie venuekey.Secret
	// exposed says that the address is visible to other users in a process's arguments.
	exposed bool

	// opened says that a browser opened it, and by is what is known of that browser.
	opened bool
	by     peer
}

func newStartAddress(exposed bool) *startAddress {
	return &startAddress{Path: venuekey.Secret("/start/" + rand.Text()), Cookie: venuekey.Secret(rand.Text()), exposed: exposed}
}

// address returns the full URL. It uses the host of the redirect URI, because cookies
// belong to a host and localhost and 127.0.0.1 are two.
func (l *listener) address(d *startAddress) string {
	return (&url.URL{Scheme: "http", Host: l.redirect.URL.Host, Path: string(d.Path)}).String()
}

// startAt returns the start address with that path, nil if there is none.
func (l *listener) startAt(path string) *startAddress {
	for _, d := range l.starts {
		if d.Path.Equal(venuekey.Secret(path)) {
			return d
		}
	}
	return nil
}

// start admits a browser and redirects it to the venue. Prefetches and scanners do not
// use the address up, and a browser that holds the cookie may come again.
func (l *listener) start(w http.ResponseWriter, r *http.Request, d *startAddress) {
	from := peerOf(r)
	switch {
	case r.Method != http.MethodGet:
		w.Header().Set("Allow", http.MethodGet)
		l.show(w, http.StatusMethodNotAllowed, notice{Title: "Open this address in a browser", Words: "It begins a sign-in only when a browser opens it as a page."})
	case early(r) || !navigates(r):
		l.show(w, http.StatusServiceUnavailable, notice{Title: "The sign-in has not begun", Words: "Your browser asked for this page in advance or in the background. Open the address in a tab of its own."})
	case from.isOther(d.exposed, whoLoggedIn()):
		l.strays.ignore("another user of this machine (uid " + strconv.Itoa(from.uid) + ") opened the one-time address; if that was you, open the address shown here in a browser of the account that started the sign-in")
		l.show(w, http.StatusForbidden, notice{Title: "This is another user's sign-in", Words: "Another account on this machine started it. If that was you, open the address that venuekey shows in a browser of that account."})
	case !l.enter(r, d, from):
		l.deliver(callback{denied: &venuekey.Error{Class: venuekey.ClassFailed, Reason: "two browsers opened the one-time address of this sign-in, and one of them may not be yours",
			Remedy: "sign in again; if you opened it only once, another user of this machine opened it too"}})
		l.show(w, http.StatusForbidden, notice{Title: "This sign-in was stopped", Words: "Its address works once, and another browser had opened it already. To be safe, nothing was signed in. Start the sign-in again."})
	default:
		http.SetCookie(w, l.cookie(d))
		l.sendOn(w)
	}
}

// enter reports whether a browser is admitted: the first one, and the same one again.
func (l *listener) enter(r *http.Request, d *startAddress, from peer) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if d.opened {
		return l.has(r, d)
	}
	d.opened, d.by = true, from
	return true
}

func (l *listener) cookie(d *startAddress) *http.Cookie {
	return &http.Cookie{Name: l.name, Value: string(d.Cookie), Path: "/", MaxAge: int(l.life / time.Second), HttpOnly: true, SameSite: http.SameSiteLaxMode}
}

// has reports whether a request carries the cookie of d.
func (l *listener) has(r *http.Request, d *startAddress) bool {
	for _, cookie := range r.CookiesNamed(l.name) {
		if d.Cookie.Equal(venuekey.Secret(cookie.Value)) {
			return true
		}
	}
	return false
}

// began returns why a request does not come from a browser that started this sign-in, or
// "" if it does.
func (l *listener) began(r *http.Request) (stray string) {
	if !navigates(r) {
		return "a page requested it in the background, like an image"
	}
	d := l.enteredBy(r)
	switch {
	case d == nil:
		return "the browser did not start this sign-in, or blocks cookies"
	case d.by.known && peerOf(r) != d.by:
		// Browsers send cookies to every port of a host, so a program of another user may
		// have seen this one.
		return "it came from another user of this machine"
	}
	return ""
}

// enteredBy returns the start address whose cookie a request carries, nil if there is
// none.
func (l *listener) enteredBy(r *http.Request) *startAddress {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, d := range l.starts {
		if d.opened && l.has(r, d) {
			return d
		}
	}
	return nil
}

// navigates reports whether a request is a top-level navigation, as far as the browser
// says (Fetch Metadata: Chromium 80, Firefox 90, Safari 16.4 and later send these headers
// to loopback addresses too, which count as trustworthy).
func navigates(r *http.Request) bool {
	mode, dest := r.Header.Get("Sec-Fetch-Mode"), r.Header.Get("Sec-Fetch-Dest")
	return (mode == "" || mode == "navigate") && (dest == "" || dest == "document")
}

// early reports whether a browser asks in advance, before the user has opened the page.
func early(r *http.Request) bool {
	for _, name := range []string{"Sec-Purpose", "Purpose", "X-Purpose", "X-Moz"} {
		purpose := strings.ToLower(r.Header.Get(name))
		if strings.Contains(purpose, "prefetch") || strings.Contains(purpose, "prerender") || strings.Contains(purpose, "preview") {
			return true
		}
	}
	return false
}
