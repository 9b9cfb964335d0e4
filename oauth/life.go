package oauth

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/venuekey/venuekey"
)

// life.go owns how long a token is taken to live if the answer says something
// that cannot be meant.

const (
	// shortestLife is the least that an answer can mean. A token that lives for less
	// would be renewed at every ask and be dead when it is handed out, since nothing
	// is renewed twice within a second.
	shortestLife = 2 * time.Second
	// farthest is by how many times a life may exceed the documented one. A site
	// that sets another life has days in place of hours; one that counts in
	// milliseconds is off by a thousand.
	farthest = 20
	// longestLife is the most if nothing is documented.
	longestLife = 10 * 365 * 24 * time.Hour
)

// Life judges what an answer states of an access token's life. What cannot be
// meant is replaced by the documented life, by an hour if there is none, and
// the note says so.
func Life(stated, documented time.Duration) (life time.Duration, note string) {
	usual := documented
	if usual <= 0 {
		usual = time.Hour
	}
	switch {
	case stated < shortestLife:
		return usual, fmt.Sprintf("the answer states a life of %s for the access token: taken as %s", seconds(stated), usual)
	case tooLong(stated, documented):
		return usual, fmt.Sprintf("the answer states a life of %s for the access token, far beyond the usual: taken as %s", seconds(stated), usual)
	}
	return stated, ""
}

// refreshLife does the same for a refresh token. If nothing is documented, what
// cannot be meant is unknown.
func refreshLife(stated, documented time.Duration) (life time.Duration, note string) {
	switch {
	case stated < shortestLife:
		return 0, fmt.Sprintf("the answer states a life of %s for the refresh token: taken as unknown", seconds(stated))
	case !tooLong(stated, documented):
		return stated, ""
	case documented <= 0:
		return 0, fmt.Sprintf("the answer states a life of %s for the refresh token: taken as unknown", seconds(stated))
	}
	return documented, fmt.Sprintf("the answer states a life of %s for the refresh token, far beyond the usual: taken as %s", seconds(stated), documented)
}

func tooLong(stated, documented time.Duration) bool {
	if documented > 0 {
		return stated > farthest*documented
	}
	return stated > longestLife
}

func seconds(d time.Duration) string { return strconv.FormatFloat(d.Seconds(), 'f', -1, 64) + " s" }

// lives sets both ends of a token that an answer brought.
func (c Config) lives(token *venuekey.Token, fields map[string]json.RawMessage, answered time.Time) {
	names := c.Names.withDefaults()
	life, note := c.DefaultLife, ""
	if life <= 0 {
		life = time.Hour
	}
	if stated, ok := lifetime(fields, names.ExpiresIn); ok {
		life, note = Life(stated, c.DefaultLife)
	}
	token.EndsAfter(life, answered)
	var refreshNote string
	if stated, ok := lifetime(fields, names.RefreshExpiresIn); ok {
		if life, refreshNote = refreshLife(stated, c.RefreshLife); life > 0 {
			token.RefreshExpires = token.Issued.Add(life)
		}
	}
	for _, line := range []string{note, refreshNote} {
		if line != "" {
			token.Notes = append(token.Notes, line)
		}
	}
}

// lifetime reads seconds, as a number or as a string that holds one; ok is false
// if none of the fields does.
func lifetime(fields map[string]json.RawMessage, names []string) (life time.Duration, ok bool) {
	for _, name := range names {
		raw := strings.Trim(string(fields[name]), `" `)
		seconds, err := strconv.ParseFloat(raw, 64)
		if err != nil && !math.IsInf(seconds, 0) || math.IsNaN(seconds) {
			continue
		}
		limit := 10 * longestLife.Seconds() // what fits a time
		return time.Duration(min(max(seconds, -limit), limit) * float64(time.Second)), true
	}
	return 0, false
}
