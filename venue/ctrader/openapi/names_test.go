package openapi_test

import (
	"testing"

	"github.com/venuekey/venuekey/venue/ctrader/openapi"
)

// An unknown kind or phase is printed by its number.
func TestUnknownKindsAndPhasesHaveNames(t *testing.T) {
	for got, want := range map[string]string{
		openapi.KindPlain.String():             "plain",
		openapi.KindAlreadyDone.String():       "already done",
		(openapi.KindAlreadyDone + 1).String(): "kind 6",
		openapi.Kind(-1).String():              "kind -1",
		openapi.Phase(0).String():              "idle",
		openapi.Phase(99).String():             "phase 99",
		openapi.Phase(-1).String():             "phase -1",
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
