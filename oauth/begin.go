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

// begin.go owns how a browser begins a sign-in, and how it is known again at the
// callback (RFC 9700 §4.7: the answer is bound to the user agent that asked).
//
// A browser is sent to a one-time address of the listener, which gives it a cookie
// and sends it on to the venue. So the venue's address, and state with it, stands in
// no list of arguments; and no page can fetch the callback in the background, because
// SameSite=Lax keeps the cookie from everything but a navigation of the whole tab
// (RFC 6265bis §5.2). The cookie needs no Secure: the connection never leaves this
// machine, and Safari keeps no Secure cookie of plain http. All browsers keep a cookie
// that comes with a redirect to another site, because it is the answer to a
// navigation of this one. Browsers do not tell ports apart (RFC 6265 §8.5), hence a
// separate name for each attempt.

// startAddress is an address that works once.
type startAddress struct {
	// Path is where it is, and Cookie what the browser that opens it gets.
	Path, Cookie venuekey.Secret
	// exposed says that the address stands in a list of arguments.
	exposed bool

	// opened and by are what is known of the browser that opened it.
	opened bool
	by     peer
}

func newStartAddress(exposed bool) *startAddress {
	return &startAddress{Path: venuekey.Secret("/start/" + rand.Text()), Cookie: venuekey.Secret(rand.Text()), exposed: exposed}
}

// address is the whole of it, at the host of the redirect: a cookie belongs to a host, and
// localhost and 127.0.0.1 are two.
func (l *listener) address(d *startAddress) string {
	return (&url.URL{Scheme: "http", Host: l.redirect.URL.Host, Path: string(d.Path)}).String()
}

// startAt finds the address with a path, nil if there is none.
func (l *listener) startAt(path string) *startAddress {
	for _, d := range l.starts {
		if d.Path.Equal(venuekey.Secret(path)) {
			return d
		}
	}
	return nil
}

// begin lets a browser in and sends it to the venue. What a browser or a scanner asks
// for before somebody wants it uses nothing up, and a browser that has the cookie may come again.
func (l *listener) start(w http.ResponseWriter, r *http.Request, d *startAddress) {
	from := peerOf(r)
	switch {
	case r.Method != http.MethodGet:
		w.Header().Set("Allow", http.MethodGet)
		l.show(w, http.StatusMethodNotAllowed, notice{Title: "Not like this", Words: "Open this address in a browser."})
	case early(r) || !navigates(r):
		l.show(w, http.StatusServiceUnavailable, notice{Title: "Not yet", Words: "This address works once, for a browser that shows it."})
	case from.isOther(d.exposed, whoLoggedIn()):
		l.strays.ignore("another user of this machine (uid " + strconv.Itoa(from.uid) + ") asked for the one-time address; if that was you, open the address shown here as the user who began")
		l.show(w, http.StatusForbidden, notice{Title: "Not for you", Words: "Another user of this machine is signing in here. If that is you, open the address that venuekey shows as the user who began."})
	case !l.enter(r, d, from):
		l.deliver(callback{denied: &venuekey.Error{Class: venuekey.ClassFailed, Reason: "two browsers opened the one-time address of this sign-in, and one of them may be somebody else's",
			Remedy: "sign in again; if you opened it only once, another user of this machine did too"}})
		l.show(w, http.StatusForbidden, notice{Title: "Somebody else was here", Words: "This address works once, and another browser has opened it. The sign-in is over: start it again."})
	default:
		http.SetCookie(w, l.cookie(d))
		l.sendOn(w)
	}
}

// enter reports whether a browser may come in: the first one, and again the same.
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

// has reports whether a request brings the address's cookie.
func (l *listener) has(r *http.Request, d *startAddress) bool {
	for _, cookie := range r.CookiesNamed(l.name) {
		if d.Cookie.Equal(venuekey.Secret(cookie.Value)) {
			return true
		}
	}
	return false
}

// began says why a request does not come from a browser that began this sign-in, ""
// if it does.
func (l *listener) began(r *http.Request) (stray string) {
	if !navigates(r) {
		return "a page requested it in the background, as it would a picture"
	}
	d := l.enteredBy(r)
	switch {
	case d == nil:
		return "the browser did not begin this sign-in, or keeps no cookies"
	case d.by.known && peerOf(r) != d.by:
		// Cookies are shown to every port of a host, so that another user's program
		// may have seen this one.
		return "another user of this machine brought it"
	}
	return ""
}

// enteredBy finds the address whose cookie a request brings, nil if it brings none.
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

// navigates reports whether a tab is sent to this address, as far as the browser
// says (Fetch Metadata: Chromium 80, Firefox 90, Safari 16.4 and later say it to
// loopback addresses too, which count as trustworthy).
func navigates(r *http.Request) bool {
	mode, dest := r.Header.Get("Sec-Fetch-Mode"), r.Header.Get("Sec-Fetch-Dest")
	return (mode == "" || mode == "navigate") && (dest == "" || dest == "document")
}

// early reports whether a browser asks before anybody wants the page.
func early(r *http.Request) bool {
	for _, name := range []string{"Sec-Purpose", "Purpose", "X-Purpose", "X-Moz"} {
		purpose := strings.ToLower(r.Header.Get(name))
		if strings.Contains(purpose, "prefetch") || strings.Contains(purpose, "prerender") || strings.Contains(purpose, "preview") {
			return true
		}
	}
	return false
}
