package tradovate

import (
	"net/http"

	"github.com/venuekey/venuekey/emulator"
	"github.com/venuekey/venuekey/emulator/internal/core"
)

// limit.go owns the limit of a user, which counts whatever is asked with a token.

// UserLimited is the event of a request beyond the limit of its user.
const UserLimited emulator.EventKind = "user-limited"

// limited answers a request beyond the limit of its user: 429 without a body, and if the
// user is warned a single 423 before (Tradovate facts §6). It reports whether it did.
func (s *Server) limited(w http.ResponseWriter, r *http.Request, k Knobs) bool {
	now := s.core.Clock.Now()
	g, known := s.core.Tokens.Owner(now, core.Bearer(r))
	if !known {
		return false
	}
	locked, first := s.users.isLocked(now, g.User, k.UserLimit)
	if !locked {
		s.users.count(now, g.User)
		return false
	}
	status := http.StatusTooManyRequests
	if first && k.UserWarned {
		status = http.StatusLocked
	}
	s.core.Record(emulator.Event{Kind: UserLimited, User: g.User, Status: status})
	k.deny(w, status)
	return true
}
