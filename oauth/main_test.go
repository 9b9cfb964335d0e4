package oauth

import (
	"testing"

	"go.uber.org/goleak"
)

// Nothing that a sign-in started runs on after it returned.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
