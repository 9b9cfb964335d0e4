package venuekey

import "fmt"

// counted.go owns how far anybody counts. Generations lie outside the seal as
// well, where whoever can write the store can write any number: one that nobody
// has counted to is no reason to begin a new sign-in above it, and run over.

// mostGenerations is far more than any sign-in is renewed, and leaves as many again
// to count on.
const mostGenerations = 1 << 52

// plausible is a generation, or zero for a number that nobody has counted to.
func plausible(generation int64) int64 {
	if generation < 0 || generation > mostGenerations {
		return 0
	}
	return generation
}

// checkCounts refuses a record from elsewhere that counts too far.
func checkCounts(record Record) error {
	if plausible(record.Generation) != record.Generation || record.Attempt < 0 || record.Failures < 0 {
		return &Error{ID: record.ID(), Class: ClassDamaged, Reason: fmt.Sprintf("record %s has generation %d, which nobody has counted to", record.Key, record.Generation)}
	}
	return nil
}
