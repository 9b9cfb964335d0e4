package openapi_test

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/venue/ctrader/openapi"
	"github.com/venuekey/venuekey/venue/ctrader/openapi/message"
)

// events_test.go owns the stories of handlers and streams.

func TestHandlersAndStreams(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(7)
		s := staged(t, f, nil)
		defer s.close(t)
		var seen []int64
		stop := openapi.Handle(s.Client, func(m *message.SpotEvent) { seen = append(seen, m.SymbolID) })
		all := openapi.Events[message.SpotEvent](s.Client)
		mixed := s.Notify(message.TypeSpotEvent, message.TypeErrorRes)
		everything := s.Notify()
		mustReady(t, s)
		say := func(m message.Message) {
			f.last().send("", m)
			synctest.Wait()
		}
		say(&message.SpotEvent{CtidTraderAccountID: 7, SymbolID: 1})
		say(&message.TraderUpdatedEvent{CtidTraderAccountID: 7, Trader: message.Trader{CtidTraderAccountID: 7, DepositAssetID: 1}})
		say(&message.ErrorRes{ErrorCode: "UNKNOWN_ERROR"})
		stop()
		say(&message.SpotEvent{CtidTraderAccountID: 7, SymbolID: 2})
		if !slices.Equal(seen, []int64{1}) {
			t.Error(seen)
		}
		for _, want := range []int64{1, 2} {
			if m, err := all.Next(t.Context()); err != nil || m.SymbolID != want {
				t.Error(m, err)
			}
		}
		types := func(s *openapi.Stream[message.Message]) (list []message.PayloadType) {
			for m := range s.All(within(t, time.Second)) {
				list = append(list, m.PayloadType())
			}
			return list
		}
		equalTypes(t, types(mixed), message.TypeSpotEvent, message.TypeErrorRes, message.TypeSpotEvent)
		equalTypes(t, types(everything), message.TypeSpotEvent, message.TypeTraderUpdatedEvent, message.TypeErrorRes, message.TypeSpotEvent)
	})
}

func TestStreamsKeepWhatHandlersMustNot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		c := authorised(t, f, openapi.Options{})
		defer c.Close()
		s := openapi.Events[message.SpotEvent](c)
		for i := range 3 {
			f.last().send("", &message.SpotEvent{CtidTraderAccountID: 7, SymbolID: 1, Trendbar: []message.Trendbar{{Volume: int64(i)}}})
		}
		synctest.Wait()
		var kept []*message.SpotEvent
		for range 3 {
			m, _ := s.Next(t.Context())
			kept = append(kept, m)
		}
		for i, m := range kept {
			if m.Trendbar[0].Volume != int64(i) {
				t.Error(m)
			}
		}
	})
}

func TestAHandlerMayEndTheConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		c := authorised(t, f, openapi.Options{})
		n := 0
		openapi.Handle(c, func(*message.SpotEvent) {
			n++
			c.Close()
		})
		for range 5 {
			f.last().send("", &message.SpotEvent{CtidTraderAccountID: 7, SymbolID: 1})
		}
		<-c.Done()
		synctest.Wait()
		if n != 1 {
			t.Error(n)
		}
	})
}

func TestAnEventThatCannotBeReadEndsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		c := authorised(t, f, openapi.Options{})
		defer c.Close()
		s := openapi.Events[message.SpotEvent](c)
		f.last().raw(message.AppendFrame(nil, message.Envelope{Type: message.TypeSpotEvent, Payload: []byte{0xff}}))
		f.last().raw(message.AppendFrame(nil, message.Envelope{Type: 9999, Payload: []byte{1, 2}}))
		f.last().send("", &message.SpotEvent{CtidTraderAccountID: 7, SymbolID: 1})
		if m, err := s.Next(t.Context()); err != nil || m.SymbolID != 1 {
			t.Error(m, err)
		}
	})
}

func TestSilenceEndsAConnectionAndTheClientGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(7)
		f.hook = func(_ *peer, e message.Envelope, _ message.Message) bool { return e.Type == message.TypeVersionReq }
		s := staged(t, f, nil)
		defer s.close(t)
		mustReady(t, s)
		time.Sleep(47 * time.Second) // 30 and a quarter, and 10 for an answer
		if f.connections() != 1 {
			t.Error("too early")
		}
		time.Sleep(2 * time.Second)
		if f.connections() != 2 {
			t.Error("too late")
		}
	})
}

func TestAnApplicationThatIsNotAuthorisedAnyMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(7)
		once := true
		f.hook = func(p *peer, e message.Envelope, m message.Message) bool {
			if e.Type == message.TypeTraderReq && once {
				once = false
				p.refuse(e.ID, "CH_CLIENT_NOT_AUTHENTICATED", "")
				return true
			}
			return false
		}
		s := staged(t, f, nil)
		defer s.close(t)
		if _, err := s.Trader(t.Context(), &message.TraderReq{CtidTraderAccountID: 7}); err != nil || f.connections() != 2 {
			t.Error(err, f.connections())
		}
	})
}

func TestRotatedIsFasterThanAsking(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(7)
		s := staged(t, f, nil)
		defer s.close(t)
		mustReady(t, s)
		synctest.Wait()
		f.setToken("access-2")
		s.setToken("access-2")
		s.Rotated()
		time.Sleep(300 * time.Millisecond)
		if n := f.count(message.TypeAccountAuthReq); n != 2 {
			t.Error(n)
		}
	})
}

func TestStreamsEndWithRunAndTheClientMayRunAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(7)
		s := staged(t, f, nil)
		all := openapi.Events[message.SpotEvent](s.Client)
		mustReady(t, s)
		s.close(t)
		if _, err := all.Next(within(t, time.Second)); err == nil || err == within(t, time.Second).Err() {
			t.Error(err)
		}
		if _, err := s.Trader(t.Context(), &message.TraderReq{CtidTraderAccountID: 7}); venuekey.ClassOf(err) != venuekey.ClassNotSent {
			t.Error(err)
		}
		ended := make(chan error, 1)
		go func() { ended <- s.Run(within(t, time.Minute)) }()
		synctest.Wait()
		if _, err := s.Trader(t.Context(), &message.TraderReq{CtidTraderAccountID: 7}); err != nil {
			t.Error(err)
		}
		<-ended
	})
}
