package tradovate

import (
	"net/http"
	"time"

	"github.com/venuekey/venuekey/emulator"
	"github.com/venuekey/venuekey/emulator/internal/core"
)

// limit.go owns the limits of users, which count whatever is asked with a token, and those of
// addresses, which count the rest (Tradovate facts §6).

// The events of a request beyond the limit of its user, and of its address.
const (
	UserLimited      emulator.EventKind = "user-limited"
	AnonymousLimited emulator.EventKind = "anonymous-limited"
)

// limited answers a request beyond a limit: 429 without a body, and if the user is warned a
// single 423 before. It reports whether it did.
func (s *Server) limited(w http.ResponseWriter, r *http.Request, k Knobs) bool {
	now := s.core.Clock.Now()
	g, known := s.core.Tokens.Owner(now, core.Bearer(r))
	e := emulator.Event{Kind: AnonymousLimited, Status: http.StatusTooManyRequests, Detail: "by address"}
	hits, by, limits := &s.anonymous, address(r), k.anonymousLimits()
	if known {
		e = emulator.Event{Kind: UserLimited, Status: http.StatusTooManyRequests, User: g.User}
		hits, by, limits = &s.users, g.User, k.userLimits()
	}
	locked, first := hits.isLocked(now, by, limits...)
	if !locked {
		hits.count(now, by)
		return false
	}
	if known && first && k.UserWarned {
		e.Status = http.StatusLocked
	}
	s.core.Record(e)
	k.deny(w, e.Status)
	return true
}

func (k Knobs) userLimits() []limit {
	return []limit{perHour(k.UserLimit), {time.Minute, k.UserPerMinute}, {time.Second, k.UserPerSecond}}
}

func (k Knobs) anonymousLimits() []limit {
	return []limit{perHour(k.AnonymousLimit), {time.Minute, k.AnonymousPerMinute}, {time.Second, k.AnonymousPerSecond}}
}
