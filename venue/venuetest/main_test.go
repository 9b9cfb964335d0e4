package venuetest

import (
	"testing"

	"go.uber.org/goleak"

	"github.com/venuekey/venuekey/internal/needs"
)

// Nothing that the suite or a venue started runs on.
func TestMain(m *testing.M) {
	needs.Overlap()
	goleak.VerifyTestMain(m)
}
