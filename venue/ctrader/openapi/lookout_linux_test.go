package openapi_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/venue/ctrader/openapi"
	"github.com/venuekey/venuekey/venue/ctrader/openapi/message"
)

// lookout_linux_test.go owns connections whose own goroutine watches the socket while
// callers read. They need real sockets.

// patient is longer than anything here takes, and shorter than a request's time.
const patient = 10 * time.Second

// watchedConn is a connection on a real socket with a listener for quotes. The
// server answers a VersionReq when the story does.
func watchedConn(t *testing.T, o openapi.Options) (c *openapi.Conn, f *fake, asked chan message.Envelope, quotes chan int64) {
	t.Helper()
	f, asked, quotes = newFake(), make(chan message.Envelope, 10), make(chan int64, 100)
	f.hook = func(_ *peer, e message.Envelope, _ message.Message) bool {
		if e.Type == message.TypeVersionReq {
			asked <- e
		}
		return e.Type == message.TypeVersionReq
	}
	o.Requests = 1e6
	c, err := openapi.Dial(t.Context(), f.listen(t), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	openapi.Handle(c, func(m *message.SpotEvent) { quotes <- m.SymbolID })
	standsBy(t)
	for begun := time.Now(); f.connections() == 0 && time.Since(begun) < patient; runtime.Gosched() {
		// the server may have its side of the handshake before it
	}
	return c, f, asked, quotes
}

// standsBy waits until a connection's own goroutine watches the socket.
func standsBy(t *testing.T) { t.Helper(); somebodyIs(t, "openapi.(*Conn).waitWatching") }

func somebodyIs(t *testing.T, in string) {
	t.Helper()
	for begun := time.Now(); !bytes.Contains(stacks(), []byte(in+"(")); runtime.Gosched() {
		if time.Since(begun) > patient {
			t.Fatalf("nobody is in %s:\n%s", in, stacks())
		}
	}
}

func stacks() []byte {
	room := make([]byte, 1<<20)
	return room[:runtime.Stack(room, true)]
}

func comes[T any](t *testing.T, from <-chan T, what string) (got T) {
	t.Helper()
	select {
	case got = <-from:
	case <-time.After(patient):
		t.Fatalf("%s does not come:\n%s", what, stacks())
	}
	return got
}

func quoteFrame(symbol int64) []byte {
	payload, _ := (&message.SpotEvent{CtidTraderAccountID: 7, SymbolID: symbol}).AppendBinary(nil)
	return message.AppendFrame(nil, message.Envelope{Type: message.TypeSpotEvent, Payload: payload})
}

func answerFrame(e message.Envelope) []byte {
	payload, _ := (&message.VersionRes{Version: "1"}).AppendBinary(nil)
	return message.AppendFrame(nil, message.Envelope{Type: message.TypeVersionRes, Payload: payload, ID: e.ID})
}

// The answer to the first request after a pause is read by its caller, and no other goroutine
// wakes.
func TestACallerReadsThoughEventsHaveListeners(t *testing.T) {
	c, f, asked, _ := watchedConn(t, openapi.Options{})
	for range 3 {
		waiting := ask(t.Context(), c)
		e := comes(t, asked, "the request")
		somebodyIs(t, "openapi.(*Conn).readUntil")
		standsBy(t)
		f.last().raw(answerFrame(e))
		if err := comes(t, waiting, "the answer"); err != nil {
			t.Fatal(err)
		}
	}
}

// What arrives with an answer, before or after it, is delivered at once,
// however it is cut into records.
func TestWhatComesWithAnAnswerIsHandedOutAtOnce(t *testing.T) {
	quote := quoteFrame(2)
	for name, write := range map[string]func(s *peer, answer []byte){
		"in one record":      func(s *peer, answer []byte) { s.raw(append(answer, quote...)) },
		"before it":          func(s *peer, answer []byte) { s.raw(append(bytes.Clone(quote), answer...)) },
		"in the next record": func(s *peer, answer []byte) { s.raw(answer); s.raw(quote) },
		"half of it with the answer": func(s *peer, answer []byte) {
			s.raw(append(answer, quote[:7]...))
			s.raw(quote[7:])
		},
		"a byte a record": func(s *peer, answer []byte) {
			for _, b := range append(answer, quote...) {
				s.raw([]byte{b})
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			c, f, asked, quotes := watchedConn(t, openapi.Options{})
			for range 20 {
				waiting := ask(t.Context(), c)
				write(f.last(), answerFrame(comes(t, asked, "the request")))
				if err := comes(t, waiting, "the answer"); err != nil {
					t.Fatal(err)
				}
				comes(t, quotes, "the quote")
			}
		})
	}
}

// More than the buffers hold comes with an answer.
func TestAFloodBehindAnAnswerIsHandedOutAtOnce(t *testing.T) {
	c, f, asked, quotes := watchedConn(t, openapi.Options{})
	for range 5 {
		waiting := ask(t.Context(), c)
		flood := answerFrame(comes(t, asked, "the request"))
		const many = 5000
		for i := range int64(many) {
			flood = append(flood, quoteFrame(i)...)
		}
		go f.last().raw(flood)
		if err := comes(t, waiting, "the answer"); err != nil {
			t.Fatal(err)
		}
		for i := range int64(many) {
			if got := comes(t, quotes, "a quote"); got != i {
				t.Fatalf("quote %d where %d was due", got, i)
			}
		}
	}
}

func TestACallerThatLeavesReleasesTheRead(t *testing.T) {
	c, f, asked, quotes := watchedConn(t, openapi.Options{})
	for i := range int64(20) {
		ctx, cancel := context.WithCancel(t.Context())
		waiting := ask(ctx, c)
		e := comes(t, asked, "the request")
		other := ask(t.Context(), c)
		second := comes(t, asked, "the other request")
		cancel()
		if err := comes(t, waiting, "the end"); !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		f.last().raw(append(answerFrame(e), quoteFrame(i)...))
		if got := comes(t, quotes, "the quote"); got != i {
			t.Error(got)
		}
		f.last().raw(answerFrame(second))
		if err := comes(t, other, "the other's answer"); err != nil {
			t.Fatal(err)
		}
	}
}

func TestAHandlerThatBlocksHoldsUpNoCaller(t *testing.T) {
	c, f, asked, _ := watchedConn(t, openapi.Options{})
	blocked := make(chan struct{})
	defer close(blocked)
	openapi.Handle(c, func(*message.TraderUpdatedEvent) { <-blocked })
	ctx, cancel := context.WithCancel(t.Context())
	waiting := ask(ctx, c)
	comes(t, asked, "the request")
	f.last().send("", &message.TraderUpdatedEvent{CtidTraderAccountID: 7, Trader: message.Trader{CtidTraderAccountID: 7, DepositAssetID: 1}})
	cancel()
	if err := comes(t, waiting, "the end"); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// The goroutines that read or watch end with the connection.
func TestTheEndReachesAllGoroutines(t *testing.T) {
	for name, end := range map[string]func(*openapi.Conn, *fake){
		"closed here":  func(c *openapi.Conn, _ *fake) { c.Close() },
		"closed there": func(_ *openapi.Conn, f *fake) { f.last().nc.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			c, f, asked, _ := watchedConn(t, openapi.Options{})
			waiting := ask(t.Context(), c)
			comes(t, asked, "the request")
			somebodyIs(t, "openapi.(*Conn).readUntil")
			end(c, f)
			if err := comes(t, waiting, "the end"); venuekey.ClassOf(err) != venuekey.ClassUnknown {
				t.Error(err)
			}
			comes(t, c.Done(), "Done")
			idle, f, _, _ := watchedConn(t, openapi.Options{})
			end(idle, f)
			comes(t, idle.Done(), "Done")
		})
	}
}

// A connection takes one more descriptor, and gives it back.
func TestNoDescriptorIsLeft(t *testing.T) {
	epolls := func() (n int) {
		list, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Fatal(err)
		}
		for _, one := range list {
			if to, _ := os.Readlink("/proc/self/fd/" + one.Name()); strings.Contains(to, "eventpoll") {
				n++
			}
		}
		return n
	}
	before := epolls()
	for range 20 {
		c, _, _, _ := watchedConn(t, openapi.Options{})
		if epolls() <= before {
			t.Error("there is none to begin with")
		}
		c.Close()
		for begun := time.Now(); epolls() > before; runtime.Gosched() {
			if time.Since(begun) > patient {
				t.Fatalf("%d descriptors, %d before", epolls(), before)
			}
		}
	}
}

// Silence is noticed although no goroutine reads.
func TestSilenceIsNoticedOnAWatchedConnection(t *testing.T) {
	c, f, asked, _ := watchedConn(t, openapi.Options{Heartbeat: 20 * time.Millisecond, Silence: 100 * time.Millisecond, SignOn: 100 * time.Millisecond})
	waiting := ask(t.Context(), c)
	f.last().raw(answerFrame(comes(t, asked, "the request")))
	if err := comes(t, waiting, "the answer"); err != nil {
		t.Fatal(err)
	}
	comes(t, c.Done(), "Done")
}

// Patient, hasty, brisk and slow callers, in any number, with quotes and listeners that come
// and go: every answer belongs to its request, every quote is in its place, and no caller
// waits long.
func TestAnyCallersAmongQuotes(t *testing.T) {
	for name, plain := range map[string]bool{"watched": true, "not watched": false} {
		t.Run(name, func(t *testing.T) { callersAmongQuotes(t, plain) })
	}
}

func callersAmongQuotes(t *testing.T, plain bool) {
	f := newFake(7)
	f.careless = true
	var late sync.WaitGroup
	f.hook = func(s *peer, e message.Envelope, m message.Message) bool {
		req, ok := m.(*message.TraderReq)
		if !ok {
			return false
		}
		reply := func() {
			s.send(e.ID, &message.TraderRes{CtidTraderAccountID: req.CtidTraderAccountID, Trader: message.Trader{CtidTraderAccountID: req.CtidTraderAccountID, DepositAssetID: 1}})
		}
		if delay := time.Duration(req.CtidTraderAccountID%4) * 150 * time.Microsecond; delay > 0 {
			late.Add(1)
			time.AfterFunc(delay, func() { reply(); late.Done() })
		} else {
			reply()
		}
		return true
	}
	t.Cleanup(late.Wait) // after the server, which adds to them, has ended
	e := f.listen(t)
	if dial := e.Dial; !plain {
		e.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
			nc, err := dial(ctx, network, address)
			return struct{ net.Conn }{nc}, err
		}
	}
	c, err := openapi.Dial(t.Context(), e, openapi.Options{Requests: 1e6})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Version(t.Context(), &message.VersionReq{}); err != nil { // the server has noted who is there
		t.Fatal(err)
	}
	const quotes = 3000
	var got atomic.Int64
	over := make(chan struct{})
	openapi.Handle(c, func(m *message.SpotEvent) {
		if !got.CompareAndSwap(m.SymbolID, m.SymbolID+1) {
			t.Errorf("quote %d where %d was due", m.SymbolID, got.Load())
		}
		if m.SymbolID == quotes-1 {
			close(over)
		}
	})
	var all sync.WaitGroup
	all.Go(func() {
		chance := rand.New(rand.NewPCG(2, 0))
		for i := range int64(quotes) {
			f.last().raw(quoteFrame(i))
			if chance.IntN(8) == 0 {
				idle(chance, 400)
			}
		}
	})
	for i := range 4 {
		all.Go(func() {
			chance := rand.New(rand.NewPCG(1, uint64(i)))
			for n := range 500 {
				if err := askFor(t.Context(), c, chance, int64(1+n*4+chance.IntN(4))); err != nil {
					t.Errorf("caller %d, call %d: %v", i, n, err)
				}
			}
		})
	}
	all.Wait()
	comes(t, over, "the last quote")
}

// idle lets other goroutines run, for up to that many microseconds.
func idle(chance *rand.Rand, most int) {
	timer := time.NewTimer(time.Duration(chance.IntN(most)) * time.Microsecond)
	<-timer.C
}

// askFor sends a request in some way, after some time.
func askFor(ctx context.Context, c *openapi.Conn, chance *rand.Rand, account int64) error {
	way := chance.IntN(8)
	switch {
	case way == 0:
		short, cancel := context.WithTimeout(ctx, time.Duration(chance.IntN(600))*time.Microsecond)
		defer cancel()
		ctx = short
	case way == 1:
		defer c.Notify().Close()
	case way < 4:
		idle(chance, 2000)
	}
	begun := time.Now()
	answer, err := c.Trader(ctx, &message.TraderReq{CtidTraderAccountID: account})
	switch took := time.Since(begun); {
	case way == 0 && errors.Is(err, context.DeadlineExceeded):
		return nil
	case err == nil && answer.CtidTraderAccountID != account:
		return fmt.Errorf("the answer to %d where that to %d was due", answer.CtidTraderAccountID, account)
	case took > patient:
		return fmt.Errorf("took %v", took)
	}
	return err
}
