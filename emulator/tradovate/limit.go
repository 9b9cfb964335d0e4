package tradovate

import (
	"net/http"
	"time"

	"github.com/venuekey/venuekey/emulator"
	"github.com/venuekey/venuekey/emulator/internal/core"
)

// limit.go owns the limits of users, which count whatever is asked with a token, and of
// addresses, which count what is asked without.

// UserLimited is the event of a request beyond the limit of its user, or of its address.
const UserLimited emulator.EventKind = "user-limited"

// limited answers a request beyond the limit of its user, or of its address: 429 without a body,
// and if users are warned a single 423 before (Tradovate facts §6). It reports whether it did.
func (s *Server) limited(w http.ResponseWriter, r *http.Request, k Knobs) bool {
	now := s.core.Clock.Now()
	g, known := s.core.Tokens.Owner(now, core.Bearer(r))
	of, by, limits := &s.users, g.User, []limit{{k.UserLimit, time.Hour}, {k.UserMinute, time.Minute}}
	if !known {
		of, by, limits = &s.strangers, address(r), []limit{{k.AnonymousLimit, time.Hour}, {k.AnonymousMinute, time.Minute}}
	}
	locked, first := of.isLocked(now, by, limits...)
	if !locked {
		of.count(now, by)
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
