package message

import (
	"iter"
	"slices"
	"strings"

	"github.com/venuekey/venuekey/internal/typo"
)

// nearest.go owns the suggestions of "did you mean".

const mostSuggestions = 3

// nearest returns the names with the smallest edit distance to text, the best first. It
// leaves out names for which more than a third of the letters would have to change. A
// name that contains text counts as near.
func nearest(text string, names iter.Seq[string]) []string {
	type candidate struct {
		name     string
		distance int
	}
	var found []candidate
	wanted := strings.ToLower(shortened(text))
	if wanted == "" {
		return nil
	}
	for name := range names {
		folded := strings.ToLower(name)
		d := typo.Distance(wanted, folded)
		if d > 1 && len(wanted) > 2 && strings.Contains(folded, wanted) {
			d = 2
		}
		if d <= max(1, (len(wanted)+1)/3) {
			found = append(found, candidate{name, d})
		}
	}
	slices.SortStableFunc(found, func(a, b candidate) int { return a.distance - b.distance })
	var list []string
	for _, c := range found[:min(len(found), mostSuggestions)] {
		if c.distance > 2*found[0].distance+1 {
			break // much worse than the best
		}
		list = append(list, c.name)
	}
	return list
}
