package tradovate

import (
	"net/http"

	"github.com/venuekey/venuekey/emulator"
	"github.com/venuekey/venuekey/emulator/internal/core"
)

// renew.go owns the renewal of a live access token.

// renew accepts the tokens of both kinds of sign-in (Tradovate facts §2).
func (s *Server) renew(w http.ResponseWriter, r *http.Request) {
	k := s.Current().filled()
	now, token := s.core.Clock.Now(), core.Bearer(r)
	if k.Quota429 {
		if locked, _ := s.renewals.isLocked(now, address(r), perHour(k.RenewQuota)); locked {
			s.core.Record(emulator.Event{Kind: emulator.EventRenewRefused, Fingerprint: emulator.Fingerprint(token), Status: http.StatusTooManyRequests, Detail: "quota"})
			k.deny(w, http.StatusTooManyRequests)
			return
		}
	}
	if s.penalised(w, r, k, emulator.AtRenew, presented{}, s.renewals.isSpent(now, address(r), k.RenewQuota)) {
		return
	}
	s.renewals.count(now, address(r))
	pair, err := s.core.Renew(token, k.sessionPolicy())
	if err != nil {
		k.deny(w, s.deadStatus(k, pair, err))
		return
	}
	u, _ := s.core.Registry.User(pair.Grant.User)
	core.Reply(w, http.StatusOK, s.signedIn(k, pair, u))
}
