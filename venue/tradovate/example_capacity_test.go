package tradovate_test

import (
	"fmt"
	"time"

	"github.com/venuekey/venuekey/venue/tradovate"
)

// One address keeps nine sign-ins; tokens that lived a day would let it keep 172.
func ExampleCapacity() {
	policy := tradovate.Venue{}.Policy()
	fmt.Println(tradovate.Capacity(policy))
	policy.DefaultLife = 24 * time.Hour
	fmt.Println(tradovate.Capacity(policy))
	// Output:
	// 9
	// 172
}
