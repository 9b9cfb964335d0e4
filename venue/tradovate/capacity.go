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

// latest is the fraction of its life after which a token should be renewed at the latest when
// the quota is short. It is our choice: the rest is for what has to be repeated.
const latest = 7.0 / 8

// Capacity returns how many sign-ins fit one IP address: so many that renewing all of them
// before an eighth of DefaultLife is left stays within RenewalQuota less RenewalReserve per
// hour. It is 14 for Venue.Policy: a token of 80 minutes is renewed after 70 at the latest.
// With fewer, renewals come sooner.
//
// It is about renewals with an access token. For the refresh tokens of OAuth sign-ins no
// quota is published, so these may get by beyond it. Whatever else renews from the same
// address, such as another vault, counts too.
func Capacity(policy venuekey.Policy) int {
	life := policy.DefaultLife
	if life <= 0 {
		life = AccessLife
	}
	every := time.Duration(float64(life) * latest)
	return int((RenewalQuota - RenewalReserve) * every / time.Hour)
}
