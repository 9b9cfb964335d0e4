package openapi_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/venue/ctrader/openapi"
	"github.com/venuekey/venuekey/venue/ctrader/openapi/message"
)

// reader_test.go owns the stories of reading a connection that cannot be watched: by brisk
// callers, and by the connection's own goroutine.

// withCallersReading is a story about a connection on which the next caller will
// read. What is asked is answered when the story says.
func withCallersReading(t *testing.T, story func(t *testing.T, c *openapi.Conn, f *fake, asked chan message.Envelope)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		c := authorised(t, f, openapi.Options{}, 7)
		defer c.Close()
		askBriskly(t, c)
		asked := make(chan message.Envelope, 10)
		f.hook = func(_ *peer, e message.Envelope, _ message.Message) bool {
			if e.Type == message.TypeVersionReq {
				asked <- e
			}
			return e.Type == message.TypeVersionReq
		}
		story(t, c, f, asked)
	})
}

// ask sends a request in the background.
func ask(ctx context.Context, c *openapi.Conn) chan error {
	done := make(chan error, 1)
	go func() {
		_, err := c.Version(ctx, &message.VersionReq{})
		done <- err
	}()
	return done
}

func answer(f *fake, e message.Envelope) { f.last().send(e.ID, &message.VersionRes{Version: "1"}) }

func TestACallerThatReadsIsCalledOff(t *testing.T) {
	withCallersReading(t, func(t *testing.T, c *openapi.Conn, f *fake, asked chan message.Envelope) {
		ctx, cancel := context.WithCancel(t.Context())
		impatient := ask(ctx, c)
		late := <-asked
		patient := ask(t.Context(), c)
		second := <-asked
		begun := time.Now()
		cancel()
		if err := <-impatient; !errors.Is(err, context.Canceled) || venuekey.ClassOf(err) != venuekey.ClassUnknown || time.Since(begun) != 0 {
			t.Errorf("%v after %v", err, time.Since(begun))
		}
		answer(f, late)
		answer(f, second)
		if err := <-patient; err != nil || time.Since(begun) != 0 {
			t.Errorf("the other: %v after %v", err, time.Since(begun))
		}
	})
}

func TestACallerThatReadsWaitsNoLongerThanTheTimeout(t *testing.T) {
	withCallersReading(t, func(t *testing.T, c *openapi.Conn, f *fake, asked chan message.Envelope) {
		begun := time.Now()
		time.AfterFunc(20*time.Second, func() { f.last().send("", &message.HeartbeatEvent{}) }) // else the connection counts as dead
		err := <-ask(t.Context(), c)
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(begun) != 30*time.Second {
			t.Errorf("%v after %v", err, time.Since(begun))
		}
		answer(f, <-asked) // too late, and for nobody
		again := ask(t.Context(), c)
		answer(f, <-asked)
		if err := <-again; err != nil {
			t.Error(err)
		}
	})
}

func TestAListenerIsServedWhileACallerWaits(t *testing.T) {
	withCallersReading(t, func(t *testing.T, c *openapi.Conn, f *fake, asked chan message.Envelope) {
		waiting := ask(t.Context(), c)
		e := <-asked
		begun := time.Now()
		events := openapi.Events[message.SpotEvent](c)
		for i := range 3 {
			f.last().send("", &message.SpotEvent{CtidTraderAccountID: 7, SymbolID: int64(i)})
			if m, err := events.Next(t.Context()); err != nil || m.SymbolID != int64(i) || time.Since(begun) != 0 {
				t.Error(m, err, time.Since(begun))
			}
		}
		answer(f, e)
		if err := <-waiting; err != nil || time.Since(begun) != 0 {
			t.Error(err, time.Since(begun))
		}
		f.last().send("", &message.SpotEvent{CtidTraderAccountID: 7, SymbolID: 9})
		if m, err := events.Next(t.Context()); err != nil || m.SymbolID != 9 || time.Since(begun) > time.Millisecond { // the caller may be leaving
			t.Error("after the answer:", m, err, time.Since(begun))
		}
	})
}

// Listening ends a nap.
func TestAListenerIsServedAtOnceThoughNoCallerReads(t *testing.T) {
	withCallersReading(t, func(t *testing.T, c *openapi.Conn, f *fake, asked chan message.Envelope) {
		waiting := ask(t.Context(), c)
		answer(f, <-asked)
		if err := <-waiting; err != nil {
			t.Fatal(err)
		}
		begun := time.Now()
		f.last().send("", &message.SpotEvent{CtidTraderAccountID: 7, SymbolID: 1})
		events := c.Notify()
		if _, err := events.Next(t.Context()); err != nil || time.Since(begun) != 0 {
			t.Error(err, time.Since(begun))
		}
	})
}

func TestTheEndIsNoticedThoughACallerHasReadLast(t *testing.T) {
	withCallersReading(t, func(t *testing.T, c *openapi.Conn, f *fake, asked chan message.Envelope) {
		for range 3 {
			waiting := ask(t.Context(), c)
			answer(f, <-asked)
			if err := <-waiting; err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Millisecond)
		}
		begun := time.Now()
		f.last().nc.Close()
		<-c.Done()
		if since := time.Since(begun); since > 10*time.Millisecond {
			t.Error("noticed after", since)
		}
	})
}

func TestTheConnectionEndsUnderACallerThatReads(t *testing.T) {
	withCallersReading(t, func(t *testing.T, c *openapi.Conn, f *fake, asked chan message.Envelope) {
		first, second := ask(t.Context(), c), ask(t.Context(), c)
		<-asked
		<-asked
		f.last().nc.Close()
		for _, err := range []error{<-first, <-second} {
			if venuekey.ClassOf(err) != venuekey.ClassUnknown {
				t.Error(err)
			}
		}
	})
}

// Many callers, some of which give up, and listeners that come and go, on real
// sockets: every answer arrives, and no caller waits until the timeout.
func TestManyCallersReadInTurn(t *testing.T) {
	f := newFake()
	f.careless = true
	c, err := openapi.Dial(t.Context(), f.listen(t), openapi.Options{Requests: 1e6})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	begun := time.Now()
	var callers sync.WaitGroup
	for i := range 8 {
		callers.Go(func() {
			chance := rand.New(rand.NewPCG(1, uint64(i)))
			for n := range 300 {
				if err := once(t, c, chance.IntN(6)); err != nil {
					t.Errorf("caller %d, call %d: %v", i, n, err)
				}
			}
		})
	}
	callers.Wait()
	if took := time.Since(begun); took > 25*time.Second {
		t.Error("somebody was forgotten: it took", took)
	}
}

// Virtual time stands still as long as a goroutine reads: a caller that is overlooked, between
// a reader that leaves and the next one, would wait for a nap.
func TestNoCallerIsOverlooked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		f.careless = true
		c := dialed(t, f, openapi.Options{Requests: 1e12})
		defer c.Close()
		begun := time.Now()
		var callers sync.WaitGroup
		for range 2 {
			callers.Go(func() {
				for range 10_000 {
					if err := once(t, c, 5); err != nil {
						t.Error(err)
						return
					}
				}
			})
		}
		callers.Wait()
		if took := time.Since(begun); took >= time.Millisecond {
			t.Errorf("somebody waited: it took %v", took)
		}
	})
}

// once is a call, in one of six ways.
func once(t *testing.T, c *openapi.Conn, way int) error {
	ctx := t.Context()
	switch way {
	case 0:
		short, cancel := context.WithTimeout(ctx, time.Duration(rand.IntN(200))*time.Microsecond)
		defer cancel()
		ctx = short
	case 1:
		defer c.Notify().Close()
	}
	answer, err := c.Version(ctx, &message.VersionReq{})
	switch {
	case way == 0 && errors.Is(err, context.DeadlineExceeded):
		return nil
	case err == nil && answer.Version != "99":
		return fmt.Errorf("answer %q", answer.Version)
	}
	return err
}

// endless is a connection whose reads cannot be interrupted.
type endless struct{ net.Conn }

func (endless) SetReadDeadline(time.Time) error { return errors.ErrUnsupported }

func TestAConnectionThatCannotBeInterruptedIsReadByItsOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		e := f.endpoint()
		e.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
			nc, err := f.dial(ctx, network, address)
			return endless{nc}, err
		}
		c, err := openapi.Dial(t.Context(), e, openapi.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		begun := time.Now()
		for range 3 {
			if err := once(t, c, 5); err != nil {
				t.Error(err)
			}
		}
		if time.Since(begun) != 0 {
			t.Error("took", time.Since(begun))
		}
		f.hook = func(*peer, message.Envelope, message.Message) bool { return true }
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := c.Version(ctx, &message.VersionReq{}); !errors.Is(err, context.DeadlineExceeded) || time.Since(begun) != time.Second {
			t.Error(err, time.Since(begun))
		}
	})
}
