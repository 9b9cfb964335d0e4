package openapi_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/venuekey/venuekey/venue/ctrader/openapi"
	"github.com/venuekey/venuekey/venue/ctrader/openapi/message"
)

// brisk_test.go owns callers that read themselves although events have listeners,
// because they ask one request right after the other.

// askBriskly asks until callers read.
func askBriskly(t *testing.T, c *openapi.Conn) {
	t.Helper()
	for range 40 {
		if _, err := c.Version(t.Context(), &message.VersionReq{}); err != nil {
			t.Fatal(err)
		}
	}
}

// What arrives after the last answer is delivered within two short naps.
func TestAnEventAfterBriskRequestsIsHandedOutSoon(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		c := authorised(t, f, openapi.Options{}, 7)
		defer c.Close()
		s := openapi.Events[message.SpotEvent](c)
		askBriskly(t, c)
		for i := range 3 {
			f.last().send("", &message.SpotEvent{CtidTraderAccountID: 7, SymbolID: int64(i)})
			begun := time.Now()
			m, err := s.Next(t.Context())
			if took := time.Since(begun); err != nil || m.SymbolID != int64(i) || took > time.Millisecond {
				t.Error(m, err, took)
			}
		}
	})
}

// An event that a caller reads is delivered at once and by another goroutine, so that a
// handler that blocks does not hold up the caller's context.
func TestAHandlerDoesNotHoldUpACallersContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		asked := make(chan message.Envelope, 1)
		var mute atomic.Bool
		f.hook = func(_ *peer, e message.Envelope, _ message.Message) bool {
			if e.Type == message.TypeVersionReq && mute.Load() {
				asked <- e
				return true
			}
			return false
		}
		c := authorised(t, f, openapi.Options{}, 7)
		defer c.Close()
		blocked := make(chan struct{})
		var handled []int64
		defer openapi.Handle(c, func(m *message.SpotEvent) {
			handled = append(handled, m.SymbolID)
			<-blocked
		})()
		askBriskly(t, c)
		mute.Store(true)
		begun := time.Now()
		waiting := ask(within(t, 2*time.Second), c)
		<-asked
		for i := range 2 {
			f.last().send("", &message.SpotEvent{CtidTraderAccountID: 7, SymbolID: int64(i)})
		}
		if err := <-waiting; !errors.Is(err, context.DeadlineExceeded) || time.Since(begun) != 2*time.Second {
			t.Error(err, time.Since(begun))
		}
		close(blocked)
		time.Sleep(time.Second)
		synctest.Wait()
		if len(handled) != 2 || handled[1] != 1 {
			t.Error(handled)
		}
	})
}

// An event that answers a request is delivered to listeners as well.
func TestAnOrdersAnswerIsAnEventForListeners(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		c := authorised(t, f, openapi.Options{Requests: 1000}, 7)
		defer c.Close()
		s := openapi.Events[message.ExecutionEvent](c)
		askBriskly(t, c)
		for range 5 {
			if _, err := c.NewOrder(t.Context(), order); err != nil {
				t.Fatal(err)
			}
			if _, err := s.Next(within(t, time.Millisecond)); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// Brisk callers, slow ones, and a stream of quotes, on real sockets: every answer
// arrives at once, every quote in order.
func TestBriskCallersAmongQuotes(t *testing.T) {
	f := newFake(7)
	f.careless = true
	c, err := openapi.Dial(t.Context(), f.listen(t), openapi.Options{Requests: 1e6})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Version(t.Context(), &message.VersionReq{}); err != nil {
		t.Fatal(err)
	}
	const quotes = 2000
	var got atomic.Int64
	over := make(chan struct{})
	defer openapi.Handle(c, func(m *message.SpotEvent) {
		if !got.CompareAndSwap(m.SymbolID, m.SymbolID+1) {
			t.Errorf("quote %d where %d was due", m.SymbolID, got.Load())
		}
		if m.SymbolID == quotes-1 {
			close(over)
		}
	})()
	var all sync.WaitGroup
	all.Go(func() {
		for i := range quotes {
			f.last().send("", &message.SpotEvent{CtidTraderAccountID: 7, SymbolID: int64(i)})
		}
	})
	for range 3 {
		all.Go(func() {
			for range 3000 {
				ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
				if _, err := c.Version(ctx, &message.VersionReq{}); err != nil {
					t.Error(err)
				}
				cancel()
			}
		})
	}
	all.Wait()
	select {
	case <-over:
	case <-time.After(20 * time.Second):
		t.Errorf("%d quotes of %d", got.Load(), quotes)
	}
}
