package openapi_test

import (
	"context"
	"encoding/json"
	"net"
	"testing"
	"time"

	"github.com/venuekey/venuekey/emulator/ctrader"
	"github.com/venuekey/venuekey/emulator/ctrader/openapi"
	"github.com/venuekey/venuekey/venue/ctrader/openapi/message"
)

func TestTheLogCanBeWaitedFor(t *testing.T) {
	inBubble(t, quiet(), func(t *testing.T, s *openapi.Server) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		go signedIn(t, s, demo).ask(trader(demo))
		if err := s.Log().Wait(ctx, 1, openapi.Received, message.TypeTraderReq); err != nil {
			t.Error(err)
		}
		if s.Log().Count(openapi.Received, message.TypeTraderReq) != 1 || s.Log().Count(openapi.Received) != 3 {
			t.Errorf("got %+v", s.Events())
		}
		if err := s.Log().Wait(ctx, 2, openapi.Received, message.TypeTraderReq); err == nil {
			t.Error("there was a second one")
		}
	})
}

// A knob counts at once, for connections that are open too.
func TestKnobsAreTurnedWhileItRuns(t *testing.T) {
	inBubble(t, quiet(), func(t *testing.T, s *openapi.Server) {
		c := signedIn(t, s, demo)
		s.Tune(func(k *openapi.Knobs) { k.Idle = time.Second })
		start := time.Now()
		if c.gone(); time.Since(start) != time.Second {
			t.Errorf("it lived %s", time.Since(start))
		}
		c = signedIn(t, s, demo)
		c.ask(&message.SubscribeSpotsReq{CtidTraderAccountID: demo, SymbolID: []int64{1}})
		event[*message.SpotEvent](c)
		s.Tune(func(k *openapi.Knobs) { k.QuoteEvery = time.Millisecond })
		event[*message.SpotEvent](c)
		if bid, ask := s.Prices("EURUSD"); bid <= 0 || ask <= bid || s.Current().QuoteEvery != time.Millisecond {
			t.Errorf("got %d and %d", bid, ask)
		}
	})
}

func TestSwitchesHaveNames(t *testing.T) {
	for _, text := range []string{`{"OnRefresh":"disconnects","JSONFraming":"line"}`, `{"OnRefresh":"invalidates","JSONFraming":"none"}`} {
		var k openapi.Knobs
		if err := json.Unmarshal([]byte(text), &k); err != nil {
			t.Error(err)
		}
		out, err := json.Marshal(struct {
			OnRefresh   openapi.RefreshEffect
			JSONFraming openapi.Framing
		}{k.OnRefresh, k.JSONFraming})
		if string(out) != text || err != nil {
			t.Errorf("got %s, %v", out, err)
		}
	}
	if json.Unmarshal([]byte(`{"OnRefresh":"x"}`), new(openapi.Knobs)) == nil || openapi.Framing(9).String() != "Framing(9)" {
		t.Error("a name that there is not is one")
	}
}

func TestACallThatIsAMistakePanics(t *testing.T) {
	s := newServer(quiet())
	defer s.Close()
	for _, call := range []func(){
		func() { s.Inject(openapi.Fault{}) }, func() { s.Quote("NONE", 1, 2) }, func() { s.Quote("EURUSD", 2, 1) }, func() { s.Prices("NONE") },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Error("it goes through")
				}
			}()
			call()
		}()
	}
}

// A server that is closed takes nothing any more and leaves nothing behind.
func TestCloseEndsEverything(t *testing.T) {
	s := started(t, openapi.Knobs{})
	c := dial(t, s, s.Addresses().LiveProtobuf, false)
	c.signIn(token(s, "trading").Access, live)
	for range 2 {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
	c.gone()
	ours, theirs := net.Pipe()
	defer ours.Close()
	s.ServeConn(theirs, true, true)
	if s.Connections() != 0 || s.Start() == nil {
		t.Error("it goes on")
	}
}

// Nothing that a client writes makes the server panic or hang.
func FuzzRequests(f *testing.F) {
	for _, m := range filledIn("x") {
		payload, err := m.AppendBinary(nil)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(int32(m.PayloadType()), payload, false)
		if payload, err = m.MarshalJSON(); err != nil {
			f.Fatal(err)
		}
		f.Add(int32(m.PayloadType()), payload, true)
	}
	s := &openapi.Server{Venue: new(ctrader.Server), Knobs: openapi.Knobs{QuoteEvery: -1, Rate: -1, HistoricalRate: -1, MaxRows: 5, MaxConnections: -1}}
	f.Cleanup(func() { s.Close() })
	f.Fuzz(func(t *testing.T, kind int32, payload []byte, json bool) {
		c := pipe(t, s, false, json)
		c.conn.SetDeadline(time.Now().Add(10 * time.Second))
		c.signIn(token(s, "trading").Access, demo)
		e := message.Envelope{Type: message.PayloadType(kind), Payload: payload, ID: "fuzz"}
		if json {
			c.writeBody(e.AppendJSON(nil))
		} else {
			c.writeBody(e.AppendBinary(nil))
		}
		if e.Type == message.TypeHeartbeatEvent {
			return
		}
		for {
			_, id, err := c.read()
			if err != nil {
				t.Fatal(err)
			}
			if id == "fuzz" || json { // malformed JSON has no ID to give back
				return
			}
		}
	})
}
