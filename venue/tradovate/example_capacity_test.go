package tradovate_test

import (
	"fmt"
	"time"

	"github.com/venuekey/venuekey/venue/tradovate"
)

// One address keeps fourteen sign-ins; tokens that lived a day would let it keep 252.
func ExampleCapacity() {
	policy := tradovate.Venue{}.Policy()
	fmt.Println(tradovate.Capacity(policy))
	policy.DefaultLife = 24 * time.Hour
	fmt.Println(tradovate.Capacity(policy))
	// Output:
	// 14
	// 252
}
