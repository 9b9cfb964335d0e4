package link_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/venuekey/venuekey/venue/internal/link"
)

// ends_test.go owns which functions an end calls.

func TestAnEndCallsEachFunctionOnce(t *testing.T) {
	var ends link.Ends
	var heard []string
	add := func(name string) (remove func()) {
		return ends.Add(func(cause error) { heard = append(heard, name+" "+cause.Error()) })
	}
	gone := add("gone")
	add("here")
	gone()
	ends.End(errors.New("first"))
	add("late")()
	ends.Begin()
	add("again")
	ends.End(errors.New("second"))
	gone()
	if !slices.Equal(heard, []string{"here first", "late first", "again second"}) {
		t.Error(heard)
	}
}
