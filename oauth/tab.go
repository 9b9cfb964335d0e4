package oauth

import (
	"crypto/rand"
	"net/http"

	"github.com/venuekey/venuekey"
)

// tab.go owns how a tab is recognised at a venue that does not return state. A hostile
// page can send another tab of the same browser to the callback, with the cookie and a
// code of its own, but not the tab in which the sign-in began. So the first page stores a
// value in the tab's session storage, which belongs to one tab and one origin (HTML
// §12.2.2), and the last page sends it back. If the tab has none, the user is asked.

// tabs is what a listener knows of tabs, nil if the venue returns state.
type tabs struct {
	// Value is what the tab stores, and Path where it is sent back.
	Value, Path venuekey.Secret
	// Pending are callbacks whose tab is not confirmed yet, by a random key that no other
	// page can guess.
	Pending map[string]callback
}

// mostPending bounds Pending: each is a page that the user's browser shows.
const mostPending = 32

func newTabs() *tabs {
	return &tabs{Value: venuekey.Secret(rand.Text()), Path: venuekey.Secret("/finish/" + rand.Text()), Pending: map[string]callback{}}
}

// sendOn sends a browser to the venue.
func (l *listener) sendOn(w http.ResponseWriter) {
	if l.tabs == nil {
		w.Header().Set("Location", l.leads)
		w.WriteHeader(http.StatusSeeOther)
		return
	}
	l.render(w, http.StatusOK, sheet{notice: notice{Title: "One moment", Words: "Taking you to the venue to sign in."},
		Leads: l.leads, Key: l.name, Value: string(l.tabs.Value), Nonce: rand.Text()})
}

// askTab asks the tab for what it stores, and the user if it stores nothing.
func (l *listener) askTab(w http.ResponseWriter, got callback) {
	id := rand.Text()
	l.mu.Lock()
	if len(l.tabs.Pending) >= mostPending {
		clear(l.tabs.Pending) // the earlier pages have to be reloaded
	}
	l.tabs.Pending[id] = got
	l.mu.Unlock()
	l.render(w, http.StatusOK, sheet{notice: notice{Title: "Is this your sign-in?",
		Words: "The venue sent a sign-in back, but not in the tab where you started it. If you have just allowed access on the venue's own page in this tab, continue. If not, close this tab: another page may be trying to sign you in to someone else's account."},
		Finish: string(l.tabs.Path), Pending: id, Key: l.name, Nonce: rand.Text()})
}

// finish receives the answer to that question. It comes from a form on our own page: no
// other page knows the key, and from another site it would come without the cookie.
func (l *listener) finish(w http.ResponseWriter, r *http.Request) {
	why := l.began(r)
	r.Body = http.MaxBytesReader(w, r.Body, 4<<10)
	site := r.Header.Get("Sec-Fetch-Site")
	id, kept := r.PostFormValue("pending"), venuekey.Secret(r.PostFormValue("tab")) // outside the lock: this waits for the body
	l.mu.Lock()
	got, asked := l.tabs.Pending[id]
	l.mu.Unlock()
	switch {
	case why == "" && (!asked || r.Method != http.MethodPost || site != "" && site != "same-origin"):
		why = "it does not come from venuekey's own page"
	case why == "" && kept != "" && !kept.Equal(l.tabs.Value):
		why = "its tab belongs to another sign-in"
	}
	if why != "" {
		l.refuse(w, why)
		return
	}
	l.deliver(got)
	l.await(w, r)
}
