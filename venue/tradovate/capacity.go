package tradovate

import (
	"time"

	"github.com/venuekey/venuekey"
)

// capacity.go owns how many sign-ins one internet address can keep.

const (
	// RenewalQuota is how many renewals with an access token Tradovate answers within
	// any one hour, for one IP address, whoever's sign-ins they are (Tradovate facts
	// §1.6). Renewals that succeed count as well.
	RenewalQuota = 15
	// RenewalReserve is how many of them Capacity leaves for attempts that are repeated:
	// an hour in which some answers are lost, or all sign-ins come due at once. It is
	// our choice; no source has a number.
	RenewalReserve = 3
)

// Capacity returns how many sign-ins fit one IP address: so many that renewing all of them
// as the policy says, at RefreshAt of DefaultLife, stays within RenewalQuota less
// RenewalReserve per hour. It is 9 for Venue.Policy: a token of 80 minutes is renewed after
// 48, so each sign-in takes 1.25 renewals an hour of the 12.
//
// It is about renewals with an access token. For the refresh tokens of OAuth sign-ins no
// quota is published, so these may get by beyond it. Whatever else renews from the same
// address, such as another vault, counts too.
func Capacity(policy venuekey.Policy) int {
	life, at := policy.DefaultLife, policy.RefreshAt
	if life <= 0 {
		life = AccessLife
	}
	if at <= 0 || at >= 1 {
		at = Venue{}.Policy().RefreshAt
	}
	every := time.Duration(float64(life) * at)
	return int((RenewalQuota - RenewalReserve) * every / time.Hour)
}
