package openapi_test

import (
	"testing"

	"github.com/venuekey/venuekey/venue/ctrader/openapi"
)

// A class or a phase that nobody knows is printed like any other.
func TestClassesAndPhasesThatNobodyKnowsHaveNames(t *testing.T) {
	for got, want := range map[string]string{
		openapi.Unknown.String():           "unknown outcome",
		openapi.AlreadyDone.String():       "done already",
		(openapi.AlreadyDone + 1).String(): "class 10",
		openapi.Class(-1).String():         "class -1",
		openapi.Phase(0).String():          "idle",
		openapi.Phase(99).String():         "phase 99",
		openapi.Phase(-1).String():         "phase -1",
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
