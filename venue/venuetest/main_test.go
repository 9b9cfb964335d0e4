package venuetest

import (
	"testing"

	"go.uber.org/goleak"
)

// Nothing that the suite or a venue started runs on.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
