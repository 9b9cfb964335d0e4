package notify

import (
	"time"

	"github.com/venuekey/venuekey"
)

// urgent.go owns which troubles need their user, and which of them do not wait for the end of
// quiet hours.

// needsUser reports whether a trouble passes only if its user does something: such a one is
// said again. A renewal that fails while the token lives is tried again by itself.
func needsUser(e venuekey.Event) bool {
	s := e.Status
	if e.Kind == venuekey.EventWarning { // it is only due if an earlier process has said it
		return true
	}
	switch s.Remedy() {
	case "":
		return false
	case venuekey.RemedyRefresh:
		return s.Left <= 0
	}
	return true
}

// urgent reports whether something is said although the hours are quiet: the sign-in is dead,
// or it will be before they end and only its user can prevent that. What only fails at the
// moment waits; if it dies of that, that is said. Reminders wait, and so does what is mended.
func (t *Teller) urgent(m *matter, now, until time.Time) bool {
	s := m.event.Status
	switch {
	case m.over || s.ID.Name == "":
		return false
	case s.Err != nil, t.Ended != nil && t.Ended(s), !s.Expires.IsZero() && s.Left <= 0:
		return true // no program gets a token any more
	}
	dies := time.Time{}
	if s.EndsAnyway && s.SignInEnds.After(now) {
		dies = s.SignInEnds
	}
	switch s.Remedy() {
	case venuekey.RemedySignIn, venuekey.RemedySignInSoon, venuekey.RemedyNewestCopy: // nothing renews it
		dies = s.Expires
	default:
		if m.event.Kind == venuekey.EventWarning && dies.IsZero() {
			dies = s.Expires // the sign-in has ended, and its last token has not
		}
	}
	return !dies.IsZero() && dies.Before(until)
}
