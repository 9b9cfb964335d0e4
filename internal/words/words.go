// Package words owns how settings are written down: each value of an enumeration is
// one stable word, and a duration is text such as 80m. What is read is checked against
// the known words, and an error names them.
package words

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/venuekey/venuekey/internal/foreign"
)

// List names a kind of value, and its words in the order of the values.
type List struct {
	Kind  string
	Words []string
}

// Of gives the word of a value.
func Of[E ~int](list List, value E) ([]byte, error) {
	if value < 0 || int(value) >= len(list.Words) {
		return nil, fmt.Errorf("%s %d has no word", list.Kind, int(value))
	}
	return []byte(list.Words[value]), nil
}

// Read sets the value that a word means. It leaves the value alone if it fails.
func Read[E ~int](list List, word []byte, value *E) error {
	at := slices.Index(list.Words, string(word))
	if at < 0 {
		return fmt.Errorf("%s %q is none of %s", list.Kind, foreign.Name(string(word)), strings.Join(list.Words, ", "))
	}
	*value = E(at)
	return nil
}

// Duration is a time.Duration that is text in JSON: 80m, 24h, 1h30m.
type Duration time.Duration

// MarshalText writes a duration without the units that are zero.
func (d Duration) MarshalText() ([]byte, error) {
	text := time.Duration(d).String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return []byte(text), nil
}

// UnmarshalText reads what time.ParseDuration does.
func (d *Duration) UnmarshalText(text []byte) error {
	read, err := time.ParseDuration(string(text))
	if err != nil {
		return fmt.Errorf("duration %q is not written as in 80m, 24h or 1h30m", foreign.Name(string(text)))
	}
	*d = Duration(read)
	return nil
}
