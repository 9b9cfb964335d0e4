package venuekey

import "fmt"

// counted.go owns which counters are plausible. Generations are also stored outside
// the seal, where anything that can write to the store can write any number: a new
// sign-in must not start above an absurd one, and overflow.

// mostGenerations is far more than the renewals of any sign-in, with ample room to
// count on.
const mostGenerations = 1 << 52

// plausible returns a generation, or zero if no program can have counted to it.
func plausible(generation int64) int64 {
	if generation < 0 || generation > mostGenerations {
		return 0
	}
	return generation
}

// checkCounts refuses a record from elsewhere whose counters are implausible.
func checkCounts(record Record) error {
	if plausible(record.Generation) != record.Generation || record.Attempt < 0 || record.Failures < 0 {
		return &Error{ID: record.ID(), Class: ClassDamaged, Reason: fmt.Sprintf("record %s has generation %d, which no program can have reached", record.Key, record.Generation)}
	}
	return nil
}
