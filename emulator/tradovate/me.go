package tradovate

import (
	"net/http"

	"github.com/venuekey/venuekey/emulator"
	"github.com/venuekey/venuekey/emulator/internal/core"
)

// me.go owns the endpoint that says whose token it is.

// me answers on the live host; the demo host refers to that, whatever the token (Tradovate
// facts §0, §4).
func (s *Server) me(w http.ResponseWriter, r *http.Request, env environment) {
	k := s.Current().filled()
	now, token := s.core.Clock.Now(), core.Bearer(r)
	e := emulator.Event{Kind: emulator.EventMeRefused, Fingerprint: emulator.Fingerprint(token), Status: http.StatusOK}
	if k.Quota429 {
		if locked, _ := s.meFailed.isLocked(now, address(r), perHour(k.MeQuota)); locked {
			e.Status, e.Detail = http.StatusTooManyRequests, "quota"
			s.core.Record(e)
			k.deny(w, e.Status)
			return
		}
	}
	if s.penalised(w, r, k, emulator.AtMe, presented{}, s.meFailed.isSpent(now, address(r), k.MeQuota)) {
		return
	}
	if env == demo && !k.MeOnDemo {
		e.Detail = "wrong host"
		s.core.Record(e)
		s.meFailed.count(now, address(r))
		refuseText(w, "This endpoint should be called on live.tradovateapi.com")
		return
	}
	pair, err := s.core.Tokens.Use(now, token)
	if err != nil {
		e.Status, e.Detail = s.deadStatus(k, pair, err), err.Error()
		s.core.Record(e)
		s.meFailed.count(now, address(r))
		k.deny(w, e.Status)
		return
	}
	u, _ := s.core.Registry.User(pair.Grant.User)
	e.Kind, e.User, e.Client = emulator.EventMeAnswered, u.Name, pair.Grant.Client
	s.core.Record(e)
	out := profile(u)
	if now.Sub(pair.Issued) < k.UserIDAfter {
		delete(out, "userId")
	}
	core.Reply(w, http.StatusOK, out)
}

// profile returns an OAuthMeResponse, with the fields of 2026, whose values are made up
// (Tradovate facts §4).
func profile(u emulator.User) map[string]any {
	return map[string]any{
		"userId":        u.ID,
		"name":          u.Name,
		"fullName":      u.Name,
		"email":         u.Email,
		"emailVerified": true,
		"isTrial":       false,

		"organizationName":   "",
		"currentAccountPlan": "Monthly",
		"currentMDSubs":      []string{"CME"},
		"currentBalance":     12345.67,
		"activePlugins":      []string{"API"},
	}
}
