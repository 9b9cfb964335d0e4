package openapi_test

import (
	"context"
	"crypto/tls"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/venue/ctrader/openapi"
	"github.com/venuekey/venuekey/venue/ctrader/openapi/message"
)

// bench_test.go owns the benchmarks of connections: events and round trips compared with
// bare frames on the same TLS, and the cost of an idle Client. Ours and the bare form
// alternate, because the speed of a machine varies over time.

// spotServer answers a TraderReq with as many spot events as its account ID
// says, and then with the answer.
func spotServer() *fake {
	f := newFake()
	f.careless = true
	var batch []byte
	for i := range 200 {
		payload, _ := (&message.SpotEvent{CtidTraderAccountID: 12345678, SymbolID: int64(i), Bid: message.Some(uint64(108123 + i)), Ask: message.Some(uint64(108131 + i)), Timestamp: message.Some(int64(1_770_000_000_000 + i))}).AppendBinary(nil)
		batch = message.AppendFrame(batch, message.Envelope{Type: message.TypeSpotEvent, Payload: payload})
	}
	f.hook = func(s *peer, e message.Envelope, m message.Message) bool {
		req, ok := m.(*message.TraderReq)
		if !ok {
			return false
		}
		for range req.CtidTraderAccountID / 200 {
			s.raw(batch)
		}
		s.send(e.ID, &message.TraderRes{CtidTraderAccountID: 1, Trader: message.Trader{CtidTraderAccountID: 1, DepositAssetID: 1}})
		return true
	}
	return f
}

// bare is the minimum that any program would have to do.
type bare struct {
	*tls.Conn
	frames message.FrameReader
	spot   message.SpotEvent
}

func bareConn(b *testing.B, e openapi.Endpoint) *bare {
	nc, err := e.Dial(b.Context(), "tcp", "")
	if err != nil {
		b.Fatal(err)
	}
	secured := tls.Client(nc, &tls.Config{RootCAs: e.TLS.RootCAs, ServerName: fakeHost})
	b.Cleanup(func() { nc.Close() })
	return &bare{Conn: secured, frames: message.FrameReader{Reader: secured}}
}

func (c *bare) send(b *testing.B, req message.Message) {
	payload, _ := req.AppendBinary(nil)
	if _, err := c.Write(message.AppendFrame(nil, message.Envelope{Type: req.PayloadType(), Payload: payload, ID: "1"})); err != nil {
		b.Fatal(err)
	}
}

// ask sends a request and reads until its answer.
func (c *bare) ask(b *testing.B, req message.Message) (events int) {
	c.send(b, req)
	for {
		frame, err := c.frames.Next()
		var e message.Envelope
		if err == nil {
			err = e.UnmarshalBinary(frame)
		}
		if err == nil && e.Type == message.TypeSpotEvent {
			events++
			err = c.spot.UnmarshalBinary(e.Payload)
		}
		if err != nil {
			b.Fatal(err)
		}
		if e.ID != "" {
			if _, err := message.Decode(e.Type, e.Payload); err != nil {
				b.Fatal(err)
			}
			return events
		}
	}
}

func benchConn(b *testing.B, e openapi.Endpoint) *openapi.Conn {
	c, err := openapi.Dial(b.Context(), e, openapi.Options{Requests: 1e6})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { c.Close() })
	return c
}

// A spot event from the wire to a handler of its type.
func BenchmarkSpots(b *testing.B) {
	e := spotServer().listen(b)
	ours, peer := benchConn(b, e), bareConn(b, e)
	got := 0
	openapi.Handle(ours, func(m *message.SpotEvent) { got++ })
	const batch = 200_000 // some 30 ms, so that the beginning of a turn plays no part
	turns(b, batch, func(n int64) {
		if _, err := ours.Trader(b.Context(), &message.TraderReq{CtidTraderAccountID: n}); err != nil {
			b.Fatal(err)
		}
	}, func(n int64) { peer.ask(b, &message.TraderReq{CtidTraderAccountID: n}) })
	if got == 0 {
		b.Fatal("no events")
	}
}

// A request to its answer.
func BenchmarkRoundTrip(b *testing.B) { roundTrip(b, func(*openapi.Conn) {}) }

// The same while quotes have a listener.
func BenchmarkRoundTripWithListener(b *testing.B) {
	roundTrip(b, func(c *openapi.Conn) { openapi.Handle(c, func(*message.SpotEvent) {}) })
}

func roundTrip(b *testing.B, prepare func(*openapi.Conn)) {
	f := newFake()
	f.careless = true
	e := f.listen(b)
	ours, peer := benchConn(b, e), bareConn(b, e)
	prepare(ours)
	turns(b, 200, func(n int64) {
		for range n {
			if _, err := ours.Version(b.Context(), &message.VersionReq{}); err != nil {
				b.Fatal(err)
			}
		}
	}, func(n int64) {
		for range n {
			peer.ask(b, &message.VersionReq{})
		}
	})
}

// Requests that do not wait for each other's answers, 64 at a time, against one
// after the other.
func BenchmarkInFlight(b *testing.B) {
	f := newFake()
	f.careless = true
	ours := benchConn(b, f.listen(b))
	ask := func() {
		if _, err := ours.Version(b.Context(), &message.VersionReq{}); err != nil {
			b.Error(err)
		}
	}
	turns(b, 640, func(n int64) {
		var flying sync.WaitGroup
		for range 64 {
			flying.Go(func() {
				for range n / 64 {
					ask()
				}
			})
		}
		flying.Wait()
	}, func(n int64) {
		for range n {
			ask()
		}
	})
}

// From nothing to an authorised account, compared with the minimum of the protocol: a
// connection, TLS, and two requests.
func BenchmarkStart(b *testing.B) {
	f := newFake(1)
	f.careless = true
	e := f.listen(b)
	turns(b, 1, func(int64) {
		ctx, end := context.WithCancel(b.Context())
		client := &openapi.Client{Endpoint: e, ClientID: "id", ClientSecret: fakeSecret, Accounts: []int64{1},
			Token: func(context.Context) (venuekey.Secret, error) { return "access-1", nil }}
		ended := make(chan struct{})
		go func() {
			_ = client.Run(ctx)
			close(ended)
		}()
		if err := client.Ready(ctx); err != nil {
			b.Fatal(err)
		}
		end()
		<-ended
	}, func(int64) {
		c := bareConn(b, e)
		c.ask(b, &message.ApplicationAuthReq{ClientID: "id", ClientSecret: fakeSecret})
		c.ask(b, &message.AccountAuthReq{CtidTraderAccountID: 1, AccessToken: "access-1"})
		c.NetConn().Close()
	})
}

func turns(b *testing.B, batch int64, ours, bare func(int64)) {
	ours(batch)
	bare(batch)
	var took, peer, worked, peerWorked time.Duration
	n := int64(0)
	b.ResetTimer()
	for ; n < int64(b.N); n += batch {
		began, work := time.Now(), processorTime()
		ours(batch)
		middle, halfWork := time.Now(), processorTime()
		bare(batch)
		took, peer = took+middle.Sub(began), peer+time.Since(middle)
		worked, peerWorked = worked+halfWork-work, peerWorked+processorTime()-halfWork
	}
	if peerWorked > 0 {
		b.ReportMetric(float64(worked)/float64(peerWorked), "of-raw-processor-time")
	}
	b.ReportMetric(float64(took.Nanoseconds())/float64(n), "venuekey-ns/op")
	b.ReportMetric(float64(peer.Nanoseconds())/float64(n), "raw-ns/op")
	b.ReportMetric(float64(peer)/float64(took), "of-raw-speed")
}

// The cost of a ready and idle Client, compared with a TLS connection and a goroutine that
// reads it.
func BenchmarkClients(b *testing.B) {
	const clients = 1000
	for range b.N {
		f := newFake(1)
		f.careless = true
		e := f.listen(b)
		empty, routines := memory(), runtime.NumGoroutine()
		var conns []*bare
		var reading sync.WaitGroup
		for range clients {
			c := bareConn(b, e)
			c.ask(b, &message.VersionReq{})
			conns = append(conns, c)
			reading.Go(func() { _, _ = c.frames.Next() })
		}
		alone, aloneRoutines := memory(), runtime.NumGoroutine()
		for _, c := range conns {
			c.NetConn().Close()
		}
		reading.Wait()
		conns = nil
		for range 100 { // the server notices
			if runtime.NumGoroutine() <= routines {
				break
			}
			time.Sleep(10 * time.Millisecond)
		}
		empty = min(empty, memory())
		ctx, cancel := context.WithCancel(b.Context())
		var running sync.WaitGroup
		list := make([]*openapi.Client, clients)
		for i := range list {
			list[i] = &openapi.Client{Endpoint: e, ClientID: "id", ClientSecret: fakeSecret, Accounts: []int64{1},
				Token: func(context.Context) (venuekey.Secret, error) { return "access-1", nil }}
			running.Go(func() { _ = list[i].Run(ctx) })
			if err := list[i].Ready(within(b, time.Minute)); err != nil {
				b.Fatal(err)
			}
		}
		full, fullRoutines := memory(), runtime.NumGoroutine()
		b.ReportMetric(float64(full-empty)/clients/1024, "KB/client-with-TLS-and-server")
		b.ReportMetric(float64(full-alone)/clients/1024, "KB/client-beside-TLS")
		b.ReportMetric(float64(fullRoutines-aloneRoutines)/clients+1, "goroutines/client")
		cancel()
		running.Wait()
		runtime.KeepAlive(list)
	}
}

func memory() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapInuse + m.StackInuse)
}

// The path of a spot event hardly allocates.
func TestSpotsAllocateAlmostNothing(t *testing.T) {
	f := spotServer()
	e := f.listen(t)
	c, err := openapi.Dial(t.Context(), e, openapi.Options{Requests: 1e6})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	const events = 20_000
	ask := func() { _, err = c.Trader(t.Context(), &message.TraderReq{CtidTraderAccountID: events}) }
	stop := openapi.Handle(c, func(*message.SpotEvent) {})
	if per := testing.AllocsPerRun(5, ask) / events; err != nil || per > 0.1 {
		t.Errorf("%.2f allocations an event with a handler, %v", per, err)
	}
	stop()
	s := openapi.Events[message.SpotEvent](c)
	if per := testing.AllocsPerRun(5, ask) / events; err != nil || per > 1.1 {
		t.Errorf("%.2f allocations an event with a stream, %v", per, err)
	}
	s.Close()
}
