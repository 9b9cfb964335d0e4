// Package needs is for tests that need more than Go: a browser, root, a server. If that
// is missing they skip, and say so.
package needs

import (
	"fmt"
	"os"
	"testing"
)

// Skip skips the test because something is missing. "make test" repeats the
// reason in its last lines; with CI=true a skip is a failure.
func Skip(t testing.TB, suite, missing string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatalf("%s: %s, and with CI=true nothing is skipped", suite, missing)
	}
	if path := os.Getenv("VENUEKEY_SKIPS"); path != "" {
		file, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		_, err = fmt.Fprintf(file, "%s: %s\n", suite, missing)
		if err := file.Close(); err != nil {
			t.Fatal(err)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	t.Skipf("%s: %s", suite, missing)
}
