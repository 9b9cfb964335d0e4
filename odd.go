package venuekey

import (
	"context"
	"fmt"
	"time"
)

// odd.go owns what stands beside the seal and no program wrote. Lease, intent,
// counts, condition and due dates are not sealed: claims are made by them, in SQL.
// Whoever can write to the store can write anything there, or delete the row;
// what that wins is in doc/security.md. What is absurd neither holds a sign-in
// up nor goes unnoticed.

const (
	// LongestLease is longer than any program holds a record. A lease that ends
	// later was not written by one.
	LongestLease = 24 * time.Hour
	// mostTries is more than anybody tries.
	mostTries = 1 << 30
)

// oddity says what in a record no program wrote; "" where nothing is odd.
func oddity(record Record, token Token) string {
	last := record.ReadAt
	if token.Expires.After(last) {
		last = token.Expires
	}
	date := func(t time.Time) string { return t.UTC().Format(time.DateOnly) }
	switch {
	case record.LeaseOwner != "" && record.LeaseUntil.Sub(record.ReadAt) > LongestLease:
		return "it is leased until " + date(record.LeaseUntil)
	case record.IntentAt.Sub(record.ReadAt) > LongestLease:
		return "a renewal began on " + date(record.IntentAt) + ", in the future"
	case record.NextRefresh.Sub(last) > LongestLease:
		return "it is due on " + date(record.NextRefresh) + ", long after its token is dead"
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

// inUse reports whether a program holds a record, or may.
func inUse(record Record) bool {
	return record.Leased() && record.LeaseUntil.Sub(record.ReadAt) <= LongestLease
}

// reportOdd puts into a status what in its record no program wrote.
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

// unhide sees to records that Run would not find, because somebody wrote beside the
// seal: once in a while, since nobody should.
func (k *Keeper) unhide(ctx context.Context, record Record) {
	switch late := record.ReadAt.Sub(record.NextRefresh); {
	case record.NextRefresh.IsZero():
	case late > lookAgain && !record.Leased():
		// Whatever a store finds by what is due, a write brings up to date.
		_, _ = k.Vault.Store.Put(ctx, record) // or somebody else writes, which does as well
	case oddity(record, Token{}) != "":
		token, err := k.Vault.Open(record)
		if err != nil {
			return // Statuses tells of it
		}
		odd := oddity(record, token)
		if odd == "" {
			return
		}
		k.log().Warn("something other than venuekey writes to the store", "id", record.ID(), "odd", odd)
		due := nextRefresh(token, k.policy(record.ID().Venue), time.Time{}, 0)
		if !due.IsZero() && !due.After(time.Now()) {
			_, _ = k.await(ctx, k.fly(ctx, record.ID(), record.Generation, whenDue), nil) // it is told
		}
	}
}
