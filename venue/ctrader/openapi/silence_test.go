package openapi_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/venue/ctrader/openapi"
	"github.com/venuekey/venuekey/venue/ctrader/openapi/message"
)

// silence_test.go owns how a silent service is judged: when that is
// noticed, and what is not taken for it.

// An answer that is lost while signing on is waited for ten seconds and no more.
func TestALostAnswerWhileSigningOn(t *testing.T) {
	for _, lost := range []message.PayloadType{
		message.TypeApplicationAuthReq, message.TypeGetAccountListByAccessTokenReq, message.TypeAccountAuthReq, message.TypeSubscribeSpotsReq,
	} {
		t.Run(lost.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFake(7)
				var drops atomic.Bool // the next
				f.hook = func(_ *peer, e message.Envelope, _ message.Message) bool {
					return e.Type == lost && drops.CompareAndSwap(true, false)
				}
				s := staged(t, f, nil)
				defer s.close(t)
				spots, err := s.Spots(within(t, time.Minute), 7, []int64{1})
				if err != nil {
					t.Fatal(err)
				}
				defer spots.Close()
				drops.Store(true)
				f.last().nc.Close()
				synctest.Wait()
				began := time.Now()
				mustReady(t, s)
				if took := time.Since(began); drops.Load() || took > 12*time.Second || f.connections() != 3 {
					t.Errorf("ready after %v, on connection %d", took, f.connections())
				}
			})
		})
	}
}

// muted is a connection from which the service receives nothing any more.
func muted(f *fake) *atomic.Pointer[peer] {
	mute := new(atomic.Pointer[peer])
	f.hook = func(p *peer, _ message.Envelope, _ message.Message) bool { return p == mute.Load() }
	return mute
}

// beating makes the service send a heartbeat every 25 seconds until stop is called.
func beating(f *fake) (stop func()) {
	ctx, stop := context.WithCancel(context.Background())
	go func() {
		for pausing(ctx, 25*time.Second) {
			f.last().send("", &message.HeartbeatEvent{})
		}
	}()
	return stop
}

// A service that sent a heartbeat every 25 seconds and then fell silent is probed, and given
// up if it does not answer.
func TestAServiceThatFellSilent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(7)
		mute := muted(f)
		s := staged(t, f, nil)
		defer s.close(t)
		mustReady(t, s)
		stop := beating(f)
		time.Sleep(2*time.Minute + 6*time.Second) // one second after a beat
		if f.connections() != 1 || f.count(message.TypeVersionReq) != 0 {
			t.Errorf("%d connections, asked %d times", f.connections(), f.count(message.TypeVersionReq))
		}
		stop()
		mute.Store(f.last())
		time.Sleep(45 * time.Second)
		if f.count(message.TypeVersionReq) != 1 || f.connections() != 2 || s.State().Phase != openapi.PhaseReady {
			t.Errorf("asked %d times, %d connections, %v", f.count(message.TypeVersionReq), f.connections(), s.State().Phase)
		}
	})
}

// A service that sends no heartbeats but answers is alive.
func TestAServiceThatAnswersIsNotSilent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(7)
		s := staged(t, f, nil)
		defer s.close(t)
		mustReady(t, s)
		time.Sleep(time.Hour)
		if n := f.count(message.TypeVersionReq); f.connections() != 1 || n < 60 || n > 120 {
			t.Errorf("%d connections, asked %d times", f.connections(), n)
		}
	})
}

// A program that sends requests all the time does not hide the silence.
func TestSilenceIsNoticedThoughCallersComeAndGo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		mute := muted(f)
		c := authorised(t, f, openapi.Options{})
		mute.Store(f.last())
		began := time.Now()
		for c.Err() == nil && time.Since(began) < 10*time.Minute {
			_, _ = c.Trader(within(t, 3*time.Second), &message.TraderReq{CtidTraderAccountID: 7})
		}
		if took := time.Since(began); took > time.Minute || !strings.Contains(fmt.Sprint(c.Err()), "nothing received for") {
			t.Errorf("%v after %v", c.Err(), took)
		}
	})
}

// A request without an answer ends the connection if nothing else came either.
func TestARequestThatTimedOutWithNothingHeard(t *testing.T) {
	for _, row := range []struct {
		patience time.Duration // of the caller
		after    time.Duration // how long after it the connection is given up
		beats    bool
		lost     bool
	}{
		{time.Minute, 0, false, true}, // the timeout is 30 s
		{time.Minute, 0, true, false},
		{5 * time.Second, 0, false, false}, // so the service is asked first
		{5 * time.Second, 10 * time.Second, false, true},
		{5 * time.Second, 10 * time.Second, true, false},
	} {
		synctest.Test(t, func(t *testing.T) {
			f := newFake(7)
			mute := muted(f)
			s := staged(t, f, nil)
			defer s.close(t)
			mustReady(t, s)
			mute.Store(f.last())
			if row.beats {
				time.AfterFunc(3*time.Second, func() { mute.Load().send("", &message.HeartbeatEvent{}) })
			}
			_, err := s.NewOrder(within(t, row.patience), order)
			time.Sleep(row.after)
			synctest.Wait()
			var known *openapi.Error
			if !errors.As(err, &known) || known.Class != venuekey.ClassUnknown || !known.MayBeDone() {
				t.Error(err)
			}
			if lost := s.State().Phase != openapi.PhaseReady; lost != row.lost {
				t.Errorf("%+v: %v", row, s.State().Phase)
			}
		})
	}
}

// An account whose authorisation is never answered does not cost the others their connection,
// and is not retried over and over.
func TestAnAccountThatIsNeverAnswered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(7, 8)
		var answers atomic.Bool
		f.hook = func(_ *peer, e message.Envelope, m message.Message) bool {
			req, ok := m.(*message.AccountAuthReq)
			return ok && req.CtidTraderAccountID == 8 && !answers.Load()
		}
		s := staged(t, f, nil)
		defer s.close(t)
		time.Sleep(time.Hour)
		if n := f.count(message.TypeAccountAuthReq); n > 12 || f.connections() != 1 {
			t.Errorf("%d authorisations on %d connections", n, f.connections())
		}
		if ready := readyOf(s.State()); len(ready) != 1 || ready[0] != 7 {
			t.Error(ready, s.State().Accounts)
		}
		answers.Store(true)
		time.Sleep(16 * time.Minute)
		if ready := readyOf(s.State()); len(ready) != 2 {
			t.Error("it answers again, ready are", ready)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		f := newFake(7)
		f.hook = func(_ *peer, e message.Envelope, _ message.Message) bool { return e.Type == message.TypeAccountAuthReq }
		s := staged(t, f, nil)
		defer s.close(t)
		time.Sleep(time.Hour)
		if n := f.count(message.TypeAccountAuthReq); n != f.connections() || n > 100 {
			t.Errorf("%d authorisations on %d connections", n, f.connections())
		}
	})
}

// Two losses in a row happen: a renewal was seen to cause several. From the third
// on an account waits.
func TestASecondLossDoesNotWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(7)
		s := staged(t, f, nil)
		defer s.close(t)
		mustReady(t, s)
		for range 2 {
			time.Sleep(5 * time.Second)
			f.last().drop(7)
			f.last().send("", &message.AccountDisconnectEvent{CtidTraderAccountID: 7})
			synctest.Wait()
			began := time.Now()
			mustReady(t, s)
			if took := time.Since(began); took > 300*time.Millisecond {
				t.Error("ready after", took)
			}
		}
	})
}
