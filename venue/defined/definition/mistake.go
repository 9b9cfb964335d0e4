package definition

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/venuekey/venuekey"
)

// mistake.go owns what is said about a file that is no definition.

// Mistake is one mistake in a file.
type Mistake struct {
	// File and Line are where it is.
	File string
	Line int
	// Field is the field, such as renew.life; empty for the file as a whole.
	Field string
	// What is wrong, and Remedy what to do.
	What, Remedy string
}

// Error returns "file:line: field: what; remedy".
func (m Mistake) Error() string {
	text := fmt.Sprintf("%s:%d: ", m.File, m.Line)
	if m.Field != "" {
		text += m.Field + ": "
	}
	text += m.What
	if m.Remedy != "" {
		text += "; " + m.Remedy
	}
	return text
}

// Mistakes are all mistakes of a file, in the order of its lines.
type Mistakes []Mistake

// mostMistakes bounds how many are reported: nobody reads more.
const mostMistakes = 50

// Error returns a line for each of them.
func (m Mistakes) Error() string {
	lines := make([]string, len(m))
	for i, mistake := range m {
		lines[i] = mistake.Error()
	}
	return strings.Join(lines, "\n")
}

// ErrorClass says for venuekey.ClassOf that somebody has to correct the file.
func (m Mistakes) ErrorClass() venuekey.Class { return venuekey.ClassMisconfigured }

// sorted returns the mistakes in the order of their lines, nil if there are none.
func (m Mistakes) sorted() error {
	if len(m) == 0 {
		return nil
	}
	slices.SortStableFunc(m, func(a, b Mistake) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Field, b.Field), cmp.Compare(a.What, b.What))
	})
	return m[:min(len(m), mostMistakes)]
}
