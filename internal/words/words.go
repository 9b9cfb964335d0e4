// Package words converts settings to text: each value of an enumeration is one stable
// word, and a duration is text such as 80m. Text is checked against the known words, and
// errors list them.
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

// Of returns the word of a value.
func Of[E ~int](list List, value E) ([]byte, error) {
	if value < 0 || int(value) >= len(list.Words) {
		return nil, fmt.Errorf("%s %d has no word", list.Kind, int(value))
	}
	return []byte(list.Words[value]), nil
}

// Read sets the value that a word stands for. On an error it leaves the value unchanged.
func Read[E ~int](list List, word []byte, value *E) error {
	at := slices.Index(list.Words, string(word))
	if at < 0 {
		return fmt.Errorf("%s %q is not one of %s", list.Kind, foreign.Name(string(word)), strings.Join(list.Words, ", "))
	}
	*value = E(at)
	return nil
}

// Duration is a time.Duration that is text in JSON: 80m, 24h, 1h30m.
type Duration time.Duration

// MarshalText formats a duration without zero units.
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

// UnmarshalText parses what time.ParseDuration accepts.
func (d *Duration) UnmarshalText(text []byte) error {
	read, err := time.ParseDuration(string(text))
	if err != nil {
		return fmt.Errorf("duration %q is not written as in 80m, 24h or 1h30m", foreign.Name(string(text)))
	}
	*d = Duration(read)
	return nil
}
