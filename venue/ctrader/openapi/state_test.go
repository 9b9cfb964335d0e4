package openapi_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/venuekey/venuekey/venue/ctrader/openapi"
	"github.com/venuekey/venuekey/venue/ctrader/openapi/message"
)

// state_test.go owns what OnState is called with: what State returns, and in time.

// told is what OnState was called with last.
type told struct {
	mu  sync.Mutex
	all []openapi.State
}

func (l *told) hear(s openapi.State) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all = append(l.all, s)
}

func (l *told) last() openapi.State {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.all[len(l.all)-1]
}

func (l *told) count() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.all)
}

func readyOf(s openapi.State) (ready []int64) {
	for _, a := range s.Accounts {
		if a.Ready {
			ready = append(ready, a.ID)
		}
	}
	return ready
}

// A session that ends while its connection is up is reported like any other change, before it
// is restored.
func TestTheEndOfASessionIsReported(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(7, 8)
		var held atomic.Bool
		f.hook = func(s *peer, e message.Envelope, m message.Message) bool {
			return held.Load() && e.Type == message.TypeAccountAuthReq // no answer yet
		}
		l := &told{}
		s := staged(t, f, func(s *stage) { s.OnState = l.hear })
		defer s.close(t)
		mustReady(t, s)
		synctest.Wait()
		before := l.count()
		held.Store(true)
		f.last().drop(7)
		f.last().send("", &message.AccountDisconnectEvent{CtidTraderAccountID: 7})
		time.Sleep(50 * time.Millisecond) // nobody reads for a nap
		if now := l.last(); l.count() == before || now.Phase != openapi.PhaseAuthorising || now.Err == nil || len(readyOf(now)) != 1 || readyOf(now)[0] != 8 {
			t.Errorf("State says %v, and told was %v, ready are %v", s.State().Phase, now.Phase, readyOf(now))
		}
		held.Store(false)
		time.Sleep(5 * time.Minute)
		synctest.Wait()
		if now := l.last(); now.Phase != s.State().Phase || len(readyOf(now)) != len(readyOf(s.State())) {
			t.Errorf("State says %v of %v, and told was %v of %v", s.State().Phase, readyOf(s.State()), now.Phase, readyOf(now))
		}
	})
}

// A request that finds its account gone is such a sign too.
func TestASessionThatARequestFindsGoneIsReported(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(7)
		l := &told{}
		s := staged(t, f, func(s *stage) { s.OnState = l.hear })
		defer s.close(t)
		mustReady(t, s)
		synctest.Wait()
		f.last().drop(7)
		before := l.count()
		if _, err := s.Trader(within(t, time.Minute), &message.TraderReq{CtidTraderAccountID: 7}); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		var phases []openapi.Phase
		for _, state := range l.all[before:] {
			phases = append(phases, state.Phase)
		}
		if len(phases) < 2 || phases[0] != openapi.PhaseAuthorising || phases[len(phases)-1] != openapi.PhaseReady {
			t.Error(phases)
		}
	})
}

// A context that has ended ends the range, however many events are waiting.
func TestARangeOverAStreamLooksAtItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		c := authorised(t, f, openapi.Options{})
		defer c.Close()
		s := openapi.Events[message.SpotEvent](c)
		defer s.Close()
		for i := range 100 {
			f.last().send("", &message.SpotEvent{CtidTraderAccountID: 7, SymbolID: int64(i)})
		}
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		began, n := time.Now(), 0
		for range s.All(ctx) {
			n++
			time.Sleep(80 * time.Millisecond)
		}
		if took := time.Since(began); took > 1100*time.Millisecond {
			t.Errorf("%d events in %v", n, took)
		}
		if m, err := s.Next(t.Context()); err != nil || m.SymbolID != int64(n) {
			t.Error("the rest is lost:", m, err)
		}
	})
}
