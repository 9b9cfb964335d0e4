package link_test

import (
	"slices"
	"testing"

	"github.com/venuekey/venuekey/venue/internal/link"
)

// list_test.go owns that what is read of a list stays as it was.

func TestAListIsReplaced(t *testing.T) {
	var list link.List[string]
	a, b, c := new(string), new(string), new(string)
	if len(list.All()) != 0 {
		t.Error("it is not empty")
	}
	removeA, removeB := list.Add(a), list.Add(b)
	before := list.All()
	removeA()
	list.Add(c)
	removeA()
	if !slices.Equal(before, []*string{a, b}) || !slices.Equal(list.All(), []*string{b, c}) {
		t.Error(before, list.All())
	}
	removeB()
	if !slices.Equal(list.All(), []*string{c}) {
		t.Error(list.All())
	}
}
