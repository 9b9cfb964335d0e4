package agent_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/venuekey/venuekey/agent"
	"github.com/venuekey/venuekey/internal/keepertest"
	"github.com/venuekey/venuekey/store/memory"
)

// bench_test.go owns the benchmark of a token read, compared with a bare handler that answers with
// a constant of the same size over a socket of the same kind. Both alternate.
func BenchmarkTokenRead(b *testing.B) {
	keeper := keepertest.New(b, &memory.Store{}, &keepertest.Venue{})
	if _, err := keeper.SignIn(b.Context(), alice, keepertest.NoUI{}); err != nil {
		b.Fatal(err)
	}
	folder := b.TempDir()
	listener, err := agent.Listen(filepath.Join(folder, "a", "agent.sock"))
	if err != nil {
		b.Fatal(err)
	}
	ctx, stop := context.WithCancel(b.Context())
	ended := make(chan error)
	go func() { ended <- (&agent.Server{Keeper: keeper}).Serve(ctx, listener) }()
	defer func() { stop(); <-ended }()
	client := func(path string) *http.Client {
		c := &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", path)
		}}}
		b.Cleanup(c.CloseIdleConnections)
		return c
	}
	ask := func(c *http.Client) (size int) {
		response, err := c.Get("http://agent/v1/token/" + alice.String())
		if err != nil {
			b.Fatal(err)
		}
		defer response.Body.Close()
		text, err := io.ReadAll(response.Body)
		if err != nil || response.StatusCode != http.StatusOK {
			b.Fatal(response.Status, err)
		}
		return len(text)
	}
	ours := client(filepath.Join(folder, "a", "agent.sock"))
	constant := make([]byte, ask(ours))
	bare, err := net.Listen("unix", filepath.Join(folder, "bare.sock"))
	if err != nil {
		b.Fatal(err)
	}
	peer := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(constant)
	})}
	go peer.Serve(bare)
	defer peer.Close()
	theirs := client(filepath.Join(folder, "bare.sock"))
	var took [2]time.Duration
	var each []time.Duration
	turn := func() {
		for i, c := range []*http.Client{ours, theirs} {
			for range 200 {
				began := time.Now()
				ask(c)
				d := time.Since(began)
				if took[i] += d; i == 0 {
					each = append(each, d)
				}
			}
		}
	}
	turn()
	took, each = [2]time.Duration{}, nil
	n := 0
	b.ResetTimer()
	for ; n < b.N; n += 200 {
		turn()
	}
	slices.Sort(each)
	b.ReportMetric(float64(took[0].Nanoseconds())/float64(n), "venuekey-ns/op")
	b.ReportMetric(float64(took[1].Nanoseconds())/float64(n), "raw-ns/op")
	b.ReportMetric(float64(took[1])/float64(took[0]), "of-raw-speed")
	b.ReportMetric(float64(each[len(each)*99/100].Nanoseconds())/1e6, "ms-p99")
}
