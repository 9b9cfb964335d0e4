package agent_test

import (
	"bufio"
	"context"
	"io"
	"net"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/venuekey/venuekey/agent"
	"github.com/venuekey/venuekey/internal/keepertest"
	"github.com/venuekey/venuekey/store/memory"
)

// streams_bench_test.go owns the benchmarks of event streams: how soon a rotation reaches many, and
// what idle ones cost.

// streamsOf opens streams to an agent; heard is called with each line that says rotated.
func streamsOf(b *testing.B, path string, number int, heard func()) (conns []net.Conn) {
	b.Helper()
	var reading sync.WaitGroup
	for range number {
		conn, err := net.Dial("unix", path)
		if err != nil {
			b.Fatal(err)
		}
		conns = append(conns, conn)
		if _, err := io.WriteString(conn, "GET /v1/events HTTP/1.1\r\nHost: a\r\n\r\n"); err != nil {
			b.Fatal(err)
		}
		lines := bufio.NewReaderSize(conn, 512)
		for { // until it has begun
			line, err := lines.ReadString('\n')
			if err != nil {
				b.Fatal(err)
			}
			if strings.HasPrefix(line, "event: found") {
				break
			}
		}
		if heard == nil {
			continue
		}
		reading.Go(func() {
			for {
				line, err := lines.ReadString('\n')
				if err != nil {
					return
				}
				if strings.HasPrefix(line, "event: rotated") {
					heard()
				}
			}
		})
	}
	b.Cleanup(func() {
		for _, conn := range conns {
			_ = conn.Close()
		}
		reading.Wait()
	})
	return conns
}

// BenchmarkStreams renews a token that 1,000 programs listen for, and counts the memory that
// thousands of programs cost that listen for nothing: both ends of each, and 512 bytes of the
// reader here. There are fewer than 10,000 of them, since one process has both ends open.
func BenchmarkStreams(b *testing.B) {
	keeper := keepertest.New(b, &memory.Store{}, &keepertest.Venue{})
	if _, err := keeper.SignIn(b.Context(), alice, keepertest.NoUI{}); err != nil {
		b.Fatal(err)
	}
	path := filepath.Join(b.TempDir(), "a", "agent.sock")
	listener, err := agent.Listen(path)
	if err != nil {
		b.Fatal(err)
	}
	ctx, stop := context.WithCancel(b.Context())
	ended := make(chan error)
	go func() { ended <- (&agent.Server{Keeper: keeper}).Serve(ctx, listener) }()
	b.Cleanup(func() { stop(); <-ended })
	const many, idle = 1_000, 8_000
	told := make(chan time.Time, many)
	streamsOf(b, path, many, func() { told <- time.Now() })
	var took []time.Duration
	for b.Loop() {
		began := time.Now()
		if _, err := keeper.Refresh(b.Context(), alice); err != nil {
			b.Fatal(err)
		}
		var last time.Time
		for range many {
			last = <-told
		}
		took = append(took, last.Sub(began))
	}
	b.StopTimer()
	slices.Sort(took)
	before := memoryInUse()
	streamsOf(b, path, idle, nil)
	b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "ms-to-1000-streams")
	b.ReportMetric(float64(memoryInUse()-before)/idle/1e3, "KB/stream")
}

func memoryInUse() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapInuse + m.StackInuse)
}
