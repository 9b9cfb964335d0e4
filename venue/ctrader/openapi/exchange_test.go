package openapi_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"net"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/venue/ctrader/openapi"
	"github.com/venuekey/venuekey/venue/ctrader/openapi/message"
)

// exchange_test.go owns the stories of requests and answers as bytes.

// asIs is a message that is sent as these bytes.
type asIs struct {
	message.Message
	payload []byte
}

func (m asIs) AppendBinary(b []byte) ([]byte, error) { return append(b, m.payload...), nil }
func (m asIs) MarshalJSON() ([]byte, error)          { return m.payload, nil }

// strange adds a field that no table has to a payload.
func strange(json bool, m message.Message) []byte {
	if !json {
		b, err := m.AppendBinary(nil)
		if err != nil {
			panic(err)
		}
		return append(b, 0x98, 0x06, 0x07) // field 99, the number 7
	}
	b, err := m.MarshalJSON()
	if err != nil {
		panic(err)
	}
	field := `"ofAnotherYear":7}`
	if len(b) > 2 {
		field = "," + field
	}
	return append(b[:len(b)-1], field...)
}

// strangeFake answers a TraderReq and a NewOrderReq with strange payloads, and notes
// what came.
func strangeFake(json bool) (f *fake, came chan message.Envelope) {
	f, came = newFake(7), make(chan message.Envelope, 100)
	f.json = json
	f.hook = func(s *peer, e message.Envelope, m message.Message) bool {
		switch req := m.(type) {
		case *message.TraderReq:
			came <- e
			answer := &message.TraderRes{CtidTraderAccountID: req.CtidTraderAccountID, Trader: message.Trader{CtidTraderAccountID: 7, Balance: 42}}
			s.send(e.ID, asIs{answer, strange(json, answer)})
		case *message.NewOrderReq:
			came <- e
			answer := &message.OrderErrorEvent{CtidTraderAccountID: req.CtidTraderAccountID, ErrorCode: "NOT_ENOUGH_MONEY"}
			s.send(e.ID, asIs{answer, strange(json, answer)})
		default:
			return false
		}
		return true
	}
	return f, came
}

// Unknown fields are sent, and come back, over every carrier.
func TestUnknownFieldsSurviveAnExchange(t *testing.T) {
	for name, row := range map[string]struct{ json, webSocket bool }{
		"frames": {false, false}, "frames in JSON": {true, false}, "WebSocket": {false, true}, "WebSocket in JSON": {true, true},
	} {
		t.Run(name, func(t *testing.T) {
			f, came := strangeFake(row.json)
			e := f.listen(t)
			if row.webSocket {
				e = f.listenWebSocket(t)
			}
			c, err := openapi.Dial(t.Context(), e, openapi.Options{})
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			for _, id := range []string{"", "1", `mine "\ é`} { // 1 is also what the Conn may use
				req := message.Envelope{Type: message.TypeTraderReq, Payload: strange(row.json, &message.TraderReq{CtidTraderAccountID: 7}), ID: id}
				sent := bytes.Clone(req.Payload)
				answer, err := c.Exchange(t.Context(), req)
				if err != nil {
					t.Fatal(err)
				}
				if got := <-came; !bytes.Equal(got.Payload, sent) || got.ID == "" {
					t.Errorf("%q came as %q, with the ID %q", sent, got.Payload, got.ID)
				}
				due := &message.TraderRes{CtidTraderAccountID: 7, Trader: message.Trader{CtidTraderAccountID: 7, Balance: 42}}
				if answer.Type != message.TypeTraderRes || answer.ID != id || !bytes.Equal(answer.Payload, strange(row.json, due)) || !bytes.Equal(req.Payload, sent) {
					t.Errorf("%v %q %q", answer.Type, answer.ID, answer.Payload)
				}
			}
		})
	}
}

// An answer that is an error comes as it is, and as the error that a typed call
// would have had.
func TestAnErrorOfAnExchange(t *testing.T) {
	for _, json := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			f, _ := strangeFake(json)
			c := authorised(t, f, openapi.Options{}, 7)
			defer c.Close()
			order := &message.NewOrderReq{CtidTraderAccountID: 7, SymbolID: 1, OrderType: message.OrderTypeMarket, TradeSide: message.TradeSideBuy, Volume: 1}
			answer, err := c.Exchange(t.Context(), message.Envelope{Type: message.TypeNewOrderReq, Payload: strange(json, order), ID: "mine"})
			_, typed := c.NewOrder(t.Context(), order)
			if err == nil || typed == nil || err.Error() != typed.Error() || venuekey.ClassOf(err) != venuekey.ClassDeclined {
				t.Errorf("%v, and typed %v", err, typed)
			}
			want := strange(json, &message.OrderErrorEvent{CtidTraderAccountID: 7, ErrorCode: "NOT_ENOUGH_MONEY"})
			if answer.Type != message.TypeOrderErrorEvent || answer.ID != "mine" || !bytes.Equal(answer.Payload, want) {
				t.Errorf("%v %q %q", answer.Type, answer.ID, answer.Payload)
			}
		})
	}
}

// Secrets in raw requests are treated as secrets as well.
func TestAnExchangeKeepsSecrets(t *testing.T) {
	for _, json := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			f := newFake(7)
			f.json = json
			c := authorised(t, f, openapi.Options{})
			defer c.Close()
			const secret = "hunter2hunter2"
			_, err := c.Exchange(t.Context(), message.Envelope{Type: message.TypeAccountAuthReq,
				Payload: strange(json, &message.AccountAuthReq{CtidTraderAccountID: 7, AccessToken: secret})})
			if err == nil || strings.Contains(err.Error(), secret) || !strings.Contains(err.Error(), "[secret]") || !strings.Contains(err.Error(), "account 7") {
				t.Error(err)
			}
		})
	}
}

func TestWhatIsNoRequestIsNotExchanged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(7)
		f.json = true
		c := authorised(t, f, openapi.Options{}, 7)
		defer c.Close()
		mark := f.mark()
		for name, e := range map[string]message.Envelope{
			"an event":       {Type: message.TypeSpotEvent},
			"an answer":      {Type: message.TypeTraderRes},
			"unknown":        {Type: 64000},
			"no JSON":        {Type: message.TypeTraderReq, Payload: []byte(`{"x":`)},
			"no object":      {Type: message.TypeTraderReq, Payload: []byte(`7`)},
			"more than that": {Type: message.TypeTraderReq, Payload: []byte(`{},"payloadType":2106`)},
		} {
			if _, err := c.Exchange(t.Context(), e); venuekey.ClassOf(err) != venuekey.ClassDeclined {
				t.Errorf("%s: %v", name, err)
			}
		}
		if sent := f.types(mark); len(sent) > 0 {
			t.Errorf("sent: %v", sent)
		}
	})
}

// A payload that cannot be decoded here is sent: the service judges it.
func TestTheServiceJudgesAPayload(t *testing.T) {
	f := newFake(7)
	seen := make(chan []byte, 1)
	e := f.endpoint()
	e.Dial = func(context.Context, string, string) (net.Conn, error) {
		ours, theirs := pipe()
		f.open.Go(func() {
			secured := tls.Server(theirs, &tls.Config{Certificates: []tls.Certificate{identity().server}})
			frames := message.FrameReader{Reader: secured}
			b, err := frames.Next()
			var req message.Envelope
			if err != nil || req.UnmarshalBinary(b) != nil {
				t.Error(err)
			}
			seen <- bytes.Clone(req.Payload)
			(&peer{f: f, nc: secured}).refuse(req.ID, "INVALID_REQUEST", "no idea")
		})
		return ours, nil
	}
	c, err := openapi.Dial(t.Context(), e, openapi.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	broken := []byte{0x08, 0xff}
	answer, err := c.Exchange(t.Context(), message.Envelope{Type: message.TypeTraderReq, Payload: broken})
	if got := <-seen; !bytes.Equal(got, broken) || venuekey.ClassOf(err) != venuekey.ClassDeclined || answer.Type != message.TypeErrorRes {
		t.Error(got, answer.Type, err)
	}
	f.open.Wait()
}

// Exchanges and typed calls share the limits, and take turns.
func TestExchangesKeepThePace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(7)
		c := authorised(t, f, openapi.Options{Requests: 2}, 7)
		defer c.Close()
		time.Sleep(5 * time.Second)
		begun, mark := time.Now(), f.mark()
		for i := range 3 {
			if _, err := c.Version(t.Context(), &message.VersionReq{}); err != nil {
				t.Fatal(err)
			}
			if _, err := c.Exchange(t.Context(), message.Envelope{Type: message.TypeVersionReq, ID: strconv.Itoa(i)}); err != nil {
				t.Fatal(err)
			}
		}
		if took := time.Since(begun); took < 2*time.Second || len(f.types(mark)) != 6 {
			t.Errorf("%d requests in %v", len(f.types(mark)), took)
		}
	})
}

// A Client's waits until the account is ready, and again where a typed call would.
func TestAClientsExchange(t *testing.T) {
	for _, json := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			f, came := strangeFake(json)
			usual, once := f.hook, true
			f.hook = func(p *peer, e message.Envelope, m message.Message) bool {
				if _, ok := m.(*message.TraderReq); ok && once {
					once = false
					p.nc.Close()
					return true
				}
				return usual(p, e, m)
			}
			s := staged(t, f, nil)
			defer s.close(t)
			req := message.Envelope{Type: message.TypeTraderReq, Payload: strange(json, &message.TraderReq{CtidTraderAccountID: 7}), ID: "mine"}
			answer, err := s.Exchange(t.Context(), req)
			if err != nil || answer.ID != "mine" || answer.Type != message.TypeTraderRes {
				t.Fatal(answer.Type, answer.ID, err)
			}
			if got := <-came; !bytes.Equal(got.Payload, req.Payload) || f.connections() != 2 {
				t.Errorf("%q came over connection %d", got.Payload, f.connections())
			}
		})
	}
}
