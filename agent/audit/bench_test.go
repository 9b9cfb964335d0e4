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

func BenchmarkVerify(b *testing.B) {
	path := b.TempDir() + "/audit/audit.log"
	log, err := audit.Open(path, audit.Options{})
	if err != nil {
		b.Fatal(err)
	}
	const lines = 100_000
	for generation := range int64(lines) {
		if err := log.Write(given(generation)); err != nil {
			b.Fatal(err)
		}
	}
	if err := log.Close(); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if report, err := audit.Verify(path); err != nil || !report.Whole() || report.Lines != lines {
			b.Fatal(report, err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/lines, "ns/line")
}
