package needs

import (
	"flag"
	"os"
	"testing"
)

// time.go owns the tests that take seconds because what they play does: a lease that has to
// lapse, a server that fails over, hundreds of processes that are killed.

// Slow reports whether tests may take such time: with VENUEKEY_SLOW, which "make test" and
// CI set, or VENUEKEY_HEAVY, which stands for much more. A bare "go test ./..." plays fewer
// of them, or a smaller number.
func Slow() bool {
	return os.Getenv("VENUEKEY_SLOW") != "" || os.Getenv("VENUEKEY_HEAVY") != "" || os.Getenv("CI") == "true"
}

// Time skips the test unless it may take its time. What says what it takes it for.
func Time(t testing.TB, what string) {
	t.Helper()
	if !Slow() {
		t.Skip(what + ": make test plays it, or set VENUEKEY_SLOW=1")
	}
}

// Overlap lets more tests of a package run at once than there are processors, unless the
// flag -parallel says how many: for tests that mostly wait. TestMain calls it.
func Overlap() {
	flag.Parse()
	given := false
	flag.Visit(func(f *flag.Flag) { given = given || f.Name == "test.parallel" })
	if given {
		return
	}
	if err := flag.Set("test.parallel", "8"); err != nil {
		panic(err)
	}
}
