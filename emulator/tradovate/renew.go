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
	token := core.Bearer(r)
	if s.renewals.take(s.core.Clock.Now(), address(r), k.RenewQuota) {
		s.core.Record(emulator.Event{Kind: emulator.EventRenewRefused, Fingerprint: emulator.Fingerprint(token), Status: http.StatusTooManyRequests, Detail: "quota"})
		k.deny(w, http.StatusTooManyRequests)
		return
	}
	if s.penalised(w, r, k, emulator.AtRenew, "") {
		return
	}
	pair, err := s.core.Renew(token, k.sessionPolicy())
	if err != nil {
		k.deny(w, s.deadStatus(k, pair, err))
		return
	}
	u, _ := s.core.Registry.User(pair.Grant.User)
	core.Reply(w, http.StatusOK, s.signedIn(k, pair, u))
}
