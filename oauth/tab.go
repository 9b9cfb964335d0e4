package oauth

import (
	"crypto/rand"
	"net/http"

	"github.com/venuekey/venuekey"
)

// tab.go owns how a tab is known again, at a venue that does not send state back. A
// page of somebody else's can send a tab of the same browser to the callback, with the
// cookie and a code of its own; but not the tab in which the sign-in began. So the
// first page keeps a value in the tab's session storage, which belongs to one tab and
// one origin (HTML §12.2.2), and the last one hands it over. If it is not there
// the user is asked.

// tabs is what a listener knows of tabs, nil if state comes back.
type tabs struct {
	// Value is what the tab keeps, and Path where it is handed over.
	Value, Path venuekey.Secret
	// Pending are callbacks whose tab is not known yet, by a number that no other
	// page can guess.
	Pending map[string]callback
}

// mostPending bounds them: each is a page that the user's browser shows.
const mostPending = 32

func newTabs() *tabs {
	return &tabs{Value: venuekey.Secret(rand.Text()), Path: venuekey.Secret("/finish/" + rand.Text()), Pending: map[string]callback{}}
}

// lead sends a browser on to the venue.
func (l *listener) sendOn(w http.ResponseWriter) {
	if l.tabs == nil {
		w.Header().Set("Location", l.leads)
		w.WriteHeader(http.StatusSeeOther)
		return
	}
	l.render(w, http.StatusOK, sheet{notice: notice{Title: "To the venue", Words: "You are sent on."},
		Leads: l.leads, Key: l.name, Value: string(l.tabs.Value), Nonce: rand.Text()})
}

// askTab asks a tab what it keeps, and the user if it keeps nothing.
func (l *listener) askTab(w http.ResponseWriter, got callback) {
	id := rand.Text()
	l.mu.Lock()
	if len(l.tabs.Pending) >= mostPending {
		clear(l.tabs.Pending) // the pages of before have to be loaded again
	}
	l.tabs.Pending[id] = got
	l.mu.Unlock()
	l.render(w, http.StatusOK, sheet{notice: notice{Title: "Was it you?",
		Words: "A sign-in came back here, but not in the tab in which you began it. If you just allowed access on the venue's own page in this tab, go on. If not, close the tab: another page is trying to sign you in as somebody else."},
		Finish: string(l.tabs.Path), Pending: id, Key: l.name, Nonce: rand.Text()})
}

// finish takes the answer to that question. It is a form of our own page: no other
// knows the number, and from another site it would come without the cookie.
func (l *listener) finish(w http.ResponseWriter, r *http.Request) {
	why := l.began(r)
	r.Body = http.MaxBytesReader(w, r.Body, 4<<10)
	site := r.Header.Get("Sec-Fetch-Site")
	id, kept := r.PostFormValue("pending"), venuekey.Secret(r.PostFormValue("tab")) // which waits for the body
	l.mu.Lock()
	got, asked := l.tabs.Pending[id]
	l.mu.Unlock()
	switch {
	case why == "" && (!asked || r.Method != http.MethodPost || site != "" && site != "same-origin"):
		why = "it does not come from the page that asks for it"
	case why == "" && kept != "" && !kept.Equal(l.tabs.Value):
		why = "its tab began another sign-in"
	}
	if why != "" {
		l.refuse(w, why)
		return
	}
	l.deliver(got)
	l.await(w, r)
}
