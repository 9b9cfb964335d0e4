package proxy_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// BenchmarkCall compares a call through the proxy with one through a bare
// httputil.ReverseProxy on a socket of the same kind, which adds a constant header. Both
// alternate.
func BenchmarkCall(b *testing.B) {
	answer := make([]byte, 2<<10)
	s := play(b, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(answer) }, nil)
	target, err := url.Parse(s.api.URL)
	if err != nil {
		b.Fatal(err)
	}
	path := filepath.Join(b.TempDir(), "bare.sock")
	listener, err := net.Listen("unix", path)
	if err != nil {
		b.Fatal(err)
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost = 64
	bare := httptest.NewUnstartedServer(&httputil.ReverseProxy{Transport: transport, Rewrite: func(p *httputil.ProxyRequest) {
		p.SetURL(target)
		p.Out.Header.Set("Authorization", "Bearer access-1")
	}})
	bare.Listener = listener
	bare.Start()
	defer bare.Close()
	defer transport.CloseIdleConnections()
	peer := &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", path)
	}}}
	defer peer.CloseIdleConnections()
	ask := func(c *http.Client, address string) time.Duration {
		began := time.Now()
		response, err := c.Get(address)
		if err != nil {
			b.Fatal(err)
		}
		defer response.Body.Close()
		if n, err := io.Copy(io.Discard, response.Body); err != nil || n != int64(len(answer)) || response.StatusCode != 200 {
			b.Fatal(response.Status, n, err)
		}
		return time.Since(began)
	}
	var ours, theirs []time.Duration
	for b.Loop() {
		ours = append(ours, ask(s.client, "http://agent/proxy/stage/alice/read/orders"))
		theirs = append(theirs, ask(peer, "http://agent/read/orders"))
	}
	slices.Sort(ours)
	slices.Sort(theirs)
	b.ReportMetric(float64(theirs[len(theirs)/2])/float64(ours[len(ours)/2]), "of-bare")
	b.ReportMetric(float64(ours[len(ours)*99/100].Microseconds())/1000, "p99-ms")
}
