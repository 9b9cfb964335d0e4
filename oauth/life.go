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

// life.go owns how long a token is taken to live if the answer states something
// implausible.

const (
	// shortestLife is the shortest plausible lifetime. A token that lives for less would
	// be renewed on every request and be dead when it is handed out, since nothing is
	// renewed twice within a second.
	shortestLife = 2 * time.Second
	// farthest is how many times the documented lifetime is still plausible. A site that
	// is configured otherwise may have days in place of hours; one that counts in
	// milliseconds is off by a thousand.
	farthest = 20
	// longestLife is the longest plausible lifetime if none is documented.
	longestLife = 10 * 365 * 24 * time.Hour
)

// Life checks the lifetime that an answer states for an access token. It returns a
// plausible one as it is. It replaces any other by the documented lifetime, or by one
// hour if that is zero, and the note says so.
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

// refreshLife does the same for a refresh token. Zero means unknown, in place of an
// implausible lifetime if none is documented.
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

// lives sets both expiry times of a token from its answer.
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

// lifetime reads a number of seconds, which may be in a string; ok is false if none of
// the fields holds one.
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
