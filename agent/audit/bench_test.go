package audit_test

import (
	"testing"

	"github.com/venuekey/venuekey/agent/audit"
)

// bench_test.go owns what a line costs, beside everything else that a hand-out does.

func BenchmarkWrite(b *testing.B) {
	log, err := audit.Open(b.TempDir()+"/audit/audit.log", audit.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer log.Close()
	for b.Loop() {
		if err := log.Write(given(1)); err != nil {
			b.Fatal(err)
		}
	}
}
