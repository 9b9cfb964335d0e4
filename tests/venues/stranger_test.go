package venues_test

import (
	"testing"
	"time"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/emulator"
	"github.com/venuekey/venuekey/internal/keepertest"
)

// A gateway or a firewall in front of a venue says no in its own words, with the
// statuses that mean something at a token address: no sign-in ends for that, and
// when the venue is reached again the same refresh token renews.
func TestAStrangersNoEndsNoSignIn(t *testing.T) {
	strangers := []emulator.Fault{
		{Status: 401, Body: `{"message":"Unauthorized"}`}, {Status: 403, Body: `{"message":"Forbidden"}`},
		{Status: 404, Body: `{"message":"no Route matched with those values"}`}, {Status: 405, Body: `{"message":"Method Not Allowed"}`},
		{Status: 403, Body: `{"success":false,"errors":[{"code":1020,"message":"Access denied"}]}`},
		{Status: 400, Body: `{"error":"rate_limit_exceeded"}`}, {Status: 400, Body: `{"error":{"code":400,"message":"invalid_grant"}}`},
		{Status: 451, Body: `{"message":"Unavailable For Legal Reasons"}`}, {Status: 200, Body: `{"error":"maintenance"}`},
	}
	for _, s := range stages() {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			keeper, id := s.open(t)
			token := keepertest.SignIn(t, keeper, id)
			for _, fault := range strangers {
				fault.On, fault.Kind, fault.ContentType, fault.Times = s.renewal, emulator.FaultStatusBefore, "application/json", 3
				s.server.Inject(fault)
				if _, err := keeper.Refresh(t.Context(), id); err == nil || !venuekey.Temporary(err) {
					t.Fatalf("%d %s: %v", fault.Status, fault.Body, err)
				}
				if got, err := keeper.Token(t.Context(), id); err != nil || got.Access != token.Access {
					t.Fatalf("%d %s: the token is not served: %v", fault.Status, fault.Body, err)
				}
				for deadline := 0; ; deadline++ { // other ways to the venue meet the fault too
					renewed, err := keeper.Refresh(t.Context(), id)
					if err == nil {
						token = renewed
						break
					}
					if deadline == 3 {
						t.Fatalf("%d %s: not renewed afterwards: %v", fault.Status, fault.Body, err)
					}
				}
			}
			if status, err := keeper.Status(t.Context(), id); err != nil || status.State != venuekey.StateFresh || time.Until(status.Expires) <= 0 {
				t.Fatalf("%+v %v", status, err)
			}
		})
	}
}
