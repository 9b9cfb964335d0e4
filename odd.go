package venuekey

import (
	"context"
	"fmt"
	"time"
)

// odd.go owns values outside the seal that no program wrote. Lease, intent, counters,
// condition and due date are not sealed, because claims are made by them, in SQL. Anyone
// who can write to the store can write anything there, or delete the row; doc/security.md
// says what an attacker gains by that. An absurd value neither holds up a sign-in nor
// goes unnoticed.

const (
	// longestLease is longer than any program holds a record. A lease that ends
	// later was not written by venuekey, and is not honoured.
	longestLease = 24 * time.Hour
	// mostTries is more than any program tries.
	mostTries = 1 << 30
)

// oddity describes a value in a record that no program wrote, or returns "".
func oddity(record Record, token Token) string {
	last := record.ReadAt
	if token.Expires.After(last) {
		last = token.Expires
	}
	date := func(t time.Time) string { return t.UTC().Format(time.DateOnly) }
	switch {
	case record.LeaseOwner != "" && record.LeaseUntil.Sub(record.ReadAt) > longestLease:
		return "it is leased until " + date(record.LeaseUntil)
	case record.IntentAt.Sub(record.ReadAt) > longestLease:
		return "a renewal began on " + date(record.IntentAt) + ", in the future"
	case record.NextRefresh.Sub(last) > longestLease:
		return "it is due on " + date(record.NextRefresh) + ", long after its token expires"
	case record.Attempt < 0 || record.Attempt > mostTries:
		return fmt.Sprintf("it was presented %d times", record.Attempt)
	case record.Failures < 0 || record.Failures > mostTries:
		return fmt.Sprintf("it failed %d times", record.Failures)
	}
	switch record.Condition {
	case ConditionGood, ConditionUncertain, ConditionDead:
		return ""
	}
	return "its condition is unknown"
}

// inUse reports whether a program may hold a record: its lease is live and not absurd.
func inUse(record Record) bool {
	return record.Leased() && record.LeaseUntil.Sub(record.ReadAt) <= longestLease
}

// reportOdd adds to a status what no program wrote in its record.
func reportOdd(s *Status, record Record, token Token) {
	odd := oddity(record, token)
	if odd == "" {
		return
	}
	s.Odd = "the record holds what venuekey never writes: " + odd
	if s.Reason = s.Odd; record.Text != "" {
		s.Reason += "; " + record.Text
	}
}

// unhide recovers a record that Run would not find because something other than
// venuekey wrote outside the seal.
func (k *Keeper) unhide(ctx context.Context, record Record) {
	switch late := record.ReadAt.Sub(record.NextRefresh); {
	case record.NextRefresh.IsZero():
	case late > lookAgain && !record.Leased():
		// A write updates whatever the store uses to find due records.
		_, _ = k.Vault.Store.Put(ctx, record) // after a conflict the other write did
	case oddity(record, Token{}) != "":
		token, err := k.Vault.openToken(record)
		if err != nil {
			return // Statuses reports it
		}
		odd := oddity(record, token)
		if odd == "" {
			return
		}
		k.log().Warn("something other than venuekey writes to the store", "id", record.ID(), "odd", odd)
		due := nextRefresh(token, k.policy(record.ID().Venue), time.Time{}, 0)
		if !due.IsZero() && !due.After(time.Now()) {
			_, _ = k.await(ctx, k.fly(ctx, record.ID(), record.Generation, whenDue), nil) // the record says how it went
		}
	}
}
