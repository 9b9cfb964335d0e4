package socket_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/venue/tradovate/socket"
)

// bench_test.go owns the benchmarks: a request compared with a bare echo over the same
// WebSocket library and TLS, heartbeats while quotes pour in, and the cost of an idle
// Client. Ours and the bare form alternate, because the speed of a machine varies over time.

// echo is a venue that takes every token, answers every request at once, and pours out
// quotes after the first subscription if it is to.
type echo struct {
	delay time.Duration // before an answer
	pours atomic.Bool
	gap   atomic.Int64 // the longest between heartbeats, in nanoseconds
}

var opening, answerBegin, answerEnd = []byte("o"), []byte(`a[{"s":200,"i":`), []byte(`,"d":{"id":3001,"name":"ESZ6"}}]`)

func (e *echo) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	ws, err := websocket.Accept(w, r, nil)
	if err != nil {
		return
	}
	defer ws.CloseNow()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	_ = ws.Write(ctx, websocket.MessageText, opening)
	var pouring sync.WaitGroup
	defer pouring.Wait()
	defer cancel()
	var beat time.Time
	for {
		_, text, err := ws.Read(ctx)
		if err != nil {
			return
		}
		if string(text) == "[]" {
			now := time.Now()
			if gap := int64(now.Sub(beat)); !beat.IsZero() && gap > e.gap.Load() {
				e.gap.Store(gap)
			}
			beat = now
			continue
		}
		if e.delay > 0 {
			<-time.After(e.delay)
		}
		lines := bytes.SplitN(text, []byte("\n"), 3)
		if len(lines) < 3 || ws.Write(ctx, websocket.MessageText, append(append(append([]byte(nil), answerBegin...), lines[1]...), answerEnd...)) != nil {
			return
		}
		if e.pours.Load() && string(lines[0]) == "md/subscribeQuote" {
			pouring.Go(func() {
				for ws.Write(ctx, websocket.MessageText, quote) == nil {
				}
			})
		}
	}
}

var quote = []byte(`a[{"e":"md","d":{"quotes":[{"timestamp":"2026-01-02T03:04:05.678Z","contractId":3001,"entries":{"Bid":{"price":6012.25,"size":33},"Offer":{"price":6012.5,"size":12},"Trade":{"price":6012.25,"size":1},"TotalTradeVolume":{"size":1200345}}}]}}]`)

func (e *echo) serve(b *testing.B) socket.Endpoint { return serveTLS(b, e) }

// serveTLS serves a venue behind TLS, on a port of this machine.
func serveTLS(b *testing.B, venue http.Handler) socket.Endpoint {
	id := identity()
	web := httptest.NewUnstartedServer(venue)
	web.TLS = &tls.Config{Certificates: []tls.Certificate{id.server}, MinVersion: tls.VersionTLS12}
	web.StartTLS()
	b.Cleanup(web.Close)
	return socket.Endpoint{
		Address: socket.LiveHost, TLS: &tls.Config{RootCAs: id.roots, MinVersion: tls.VersionTLS12},
		Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, web.Listener.Addr().String())
		},
	}
}

// client is one that is ready.
func (e *echo) client(b *testing.B, at socket.Endpoint) *socket.Client {
	c := &socket.Client{Endpoint: at, Options: socket.Options{Requests: 1e9}, Token: func(context.Context) (venuekey.Secret, error) { return "token", nil }}
	ctx, cancel := context.WithCancel(b.Context())
	ended := make(chan struct{})
	go func() {
		_ = c.Run(ctx)
		close(ended)
	}()
	b.Cleanup(func() { cancel(); <-ended })
	if err := c.Ready(ctx); err != nil {
		b.Fatal(err)
	}
	return c
}

// bareSocket is the least that any program has to do.
func bareSocket(b *testing.B, at socket.Endpoint) *websocket.Conn {
	transport := &http.Transport{DialTLSContext: func(ctx context.Context, network, address string) (net.Conn, error) {
		below, err := at.Dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		config := at.TLS.Clone()
		config.ServerName = socket.LiveHost
		return tls.Client(below, config), nil
	}}
	ws, _, err := websocket.Dial(b.Context(), "wss://"+at.Address+"/v1/websocket", &websocket.DialOptions{HTTPClient: &http.Client{Transport: transport}})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { ws.CloseNow() })
	if _, _, err := ws.Read(b.Context()); err != nil {
		b.Fatal(err)
	}
	return ws
}

// A request to its answer through a Client, compared with writing and reading a frame, and
// with the same where a goroutine reads and hands on by a channel: a program that is to hear
// events as well cannot do with less, since a read of this library cannot be called off.
func BenchmarkRequest(b *testing.B) { request(b, 0, 200) }

// The same with a venue that is a millisecond away, which is nearer than any is.
func BenchmarkFarRequest(b *testing.B) { request(b, time.Millisecond, 20) }

func request(b *testing.B, away time.Duration, batch int) {
	venue := &echo{delay: away}
	at := venue.serve(b)
	ours, peer, handing := venue.client(b, at), bareSocket(b, at), bareSocket(b, at)
	request := []byte("contract/find\n7\nname=ESZ6\n")
	handed := make(chan []byte, 1)
	go func() {
		for {
			_, text, err := handing.Read(context.Background())
			if err != nil {
				return
			}
			handed <- text
		}
	}()
	write := func(ws *websocket.Conn) {
		if err := ws.Write(b.Context(), websocket.MessageText, request); err != nil {
			b.Fatal(err)
		}
	}
	ways := []func(){
		func() {
			if _, err := ours.Do(b.Context(), find); err != nil {
				b.Fatal(err)
			}
		},
		func() {
			write(peer)
			if _, _, err := peer.Read(b.Context()); err != nil {
				b.Fatal(err)
			}
		},
		func() {
			write(handing)
			<-handed
		},
	}
	var took [3]time.Duration
	turn := func() {
		for i, way := range ways {
			began := time.Now()
			for range batch {
				way()
			}
			took[i] += time.Since(began)
		}
	}
	turn() // unmeasured
	took = [3]time.Duration{}
	n := 0
	b.ResetTimer()
	for ; n < b.N; n += batch {
		turn()
	}
	b.ReportMetric(float64(took[0].Nanoseconds())/float64(n), "venuekey-ns/op")
	b.ReportMetric(float64(took[1].Nanoseconds())/float64(n), "raw-ns/op")
	b.ReportMetric(float64(took[1])/float64(took[0]), "of-raw-speed")
	b.ReportMetric(float64(took[2])/float64(took[0]), "of-raw-speed-handed-on")
}

// The longest time between two heartbeats while quotes pour in as fast as they can, and
// somebody reads them all.
func BenchmarkHeartbeat(b *testing.B) {
	venue := new(echo)
	venue.pours.Store(true)
	c := venue.client(b, venue.serve(b))
	quotes, err := c.Quotes(b.Context(), 3001, socket.Buffer{Block: true})
	if err != nil {
		b.Fatal(err)
	}
	b.ResetTimer()
	read := 0
	for range b.N { // 10 s each
		for end := time.Now().Add(10 * time.Second); time.Now().Before(end); read++ {
			if _, err := quotes.Next(b.Context()); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.StopTimer()
	if venue.gap.Load() == 0 {
		b.Fatal("no heartbeats")
	}
	b.ReportMetric(float64(venue.gap.Load())/1e9, "s-between-heartbeats")
	b.ReportMetric(float64(read)/b.Elapsed().Seconds(), "quotes/s")
	quotes.Close()
}

// The cost of a ready and idle Client, compared with a TLS connection and a goroutine that
// reads it.
func BenchmarkClients(b *testing.B) {
	const clients = 1000
	for range b.N {
		venue := new(echo)
		at := venue.serve(b)
		alone := aloneWithTLS(b, clients)
		list := make([]*socket.Client, clients)
		empty := memory()
		var running sync.WaitGroup
		ctx, cancel := context.WithCancel(b.Context())
		for i := range list {
			list[i] = &socket.Client{Endpoint: at, Token: func(context.Context) (venuekey.Secret, error) { return "token", nil }}
			running.Go(func() { _ = list[i].Run(ctx) })
			if err := list[i].Ready(ctx); err != nil {
				b.Fatal(err)
			}
		}
		full := memory()
		b.ReportMetric(float64(full-empty)/clients/1024, "KB/client-with-TLS-and-server")
		b.ReportMetric((float64(full-empty)-alone)/clients/1024, "KB/client-beside-TLS")
		b.ReportMetric(float64(runtime.NumGoroutine())/clients-1, "goroutines/client") // the server has one
		cancel()
		running.Wait()
		runtime.KeepAlive(list)
	}
}

// aloneWithTLS is what as many TLS connections take with both their ends, each of which a
// goroutine reads.
func aloneWithTLS(b *testing.B, clients int) (bytes float64) {
	id := identity()
	listener, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{id.server}, MinVersion: tls.VersionTLS12})
	if err != nil {
		b.Fatal(err)
	}
	empty := memory()
	var reading sync.WaitGroup
	read := func(c net.Conn) {
		reading.Go(func() {
			_, _ = io.Copy(io.Discard, c)
			_ = c.Close()
		})
	}
	conns := make([]*tls.Conn, clients)
	for i := range conns {
		below, err := net.Dial("tcp", listener.Addr().String())
		if err != nil {
			b.Fatal(err)
		}
		theirs, err := listener.Accept()
		if err != nil {
			b.Fatal(err)
		}
		read(theirs)
		conns[i] = tls.Client(below, &tls.Config{RootCAs: id.roots, ServerName: socket.LiveHost, MinVersion: tls.VersionTLS12})
		if err := conns[i].HandshakeContext(b.Context()); err != nil {
			b.Fatal(err)
		}
		read(conns[i])
	}
	bytes = float64(memory() - empty)
	for _, c := range conns {
		_ = c.NetConn().Close()
	}
	_ = listener.Close()
	reading.Wait()
	return bytes
}

func memory() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapInuse + m.StackInuse)
}
