package notify

import (
	"bytes"
	"encoding/json"
	"errors"
	"time"

	"github.com/venuekey/venuekey/internal/foreign"
)

// letter.go owns the form of a file with a notice that has not arrived.

// longestLetter is more than any letter needs.
const longestLetter = 32 << 10

// Letter is a notice that was not delivered, yet or for good.
type Letter struct {
	Notice Notice `json:"notice"`
	// Queued is when it was first to be sent; a day later it is given up.
	Queued time.Time `json:"queued"`
	// Attempts counts how often that was tried, and Tried is the last time.
	Attempts int       `json:"attempts,omitzero"`
	Tried    time.Time `json:"tried,omitzero"`
	// Why says what became of the last attempt.
	Why string `json:"why,omitzero"`
	// Died is when it was given up; zero for one that is still tried.
	Died time.Time `json:"died,omitzero"`
}

// errNoLetter is the error of a file that does not hold a letter.
var errNoLetter = errors.New("it holds no notice")

// readLetter reads the text of a file.
func readLetter(text []byte) (Letter, error) {
	var l Letter
	if len(text) > longestLetter || json.Unmarshal(text, &l) != nil {
		return Letter{}, errNoLetter
	}
	if what := l.Notice.check(); what != "" {
		return Letter{}, errors.Join(errNoLetter, errors.New(what))
	}
	if l.Queued.IsZero() || l.Attempts < 0 {
		return Letter{}, errNoLetter
	}
	l.Why = foreign.Tell[string](l.Why)
	return l, nil
}

// text is what readLetter reads.
func (l Letter) text() ([]byte, error) {
	text, err := json.Marshal(l)
	return append(bytes.TrimSpace(text), '\n'), err
}
