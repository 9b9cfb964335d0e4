package venuekey_test

import (
	"fmt"
	"time"

	"github.com/venuekey/venuekey/venue/tradovate"
)

// A venue's policy says when it is under maintenance: just before that a token is renewed.
func ExampleMaintenance_Next() {
	now := time.Date(2026, time.November, 27, 12, 0, 0, 0, time.UTC)
	next, ok := tradovate.Venue{}.Policy().Maintenance.Next(now)
	fmt.Println(ok, next.From.UTC().Format("Mon 15:04"), next.To.UTC().Format("Mon 15:04"))
	fmt.Println(next.Contains(now))
	// Output:
	// true Fri 22:00 Sat 02:00
	// false
}
