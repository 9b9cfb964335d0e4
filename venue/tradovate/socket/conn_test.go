package socket_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/emulator"
	"github.com/venuekey/venuekey/emulator/tradovate"
	"github.com/venuekey/venuekey/venue/tradovate/socket"
)

// conn_test.go tells what a Conn does, against the emulator, which has its own frames.

var find = socket.Request{Endpoint: "contract/find", Query: url.Values{"name": {"ESZ6"}}}

var order = socket.Request{Endpoint: "order/placeorder", Body: map[string]any{"accountId": 5001, "action": "Buy", "symbol": "ESZ6", "orderQty": 1, "orderType": "Limit", "price": 6800}}

// known is the *Error that an error is, which holds no secret however it is printed.
func known(t *testing.T, err error) *socket.Error {
	t.Helper()
	var e *socket.Error
	if !errors.As(err, &e) {
		t.Fatalf("%T %v", err, err)
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%q"} {
		if text := fmt.Sprintf(verb, err); strings.Contains(text, prefix) {
			t.Errorf("%s holds a secret", verb)
		}
	}
	return e
}

func TestConnAsksAndIsAnswered(t *testing.T) {
	play(t, tradovate.Knobs{}, func(t *testing.T, s *stage) {
		c := s.conn(socket.DemoHost)
		events := c.Events(socket.Buffer{}, socket.EventProps)
		if got, err := c.Do(t.Context(), find); err != nil || !strings.Contains(string(got), `"id":3001`) {
			t.Errorf("%s %v", got, err)
		}
		var wait sync.WaitGroup
		for range 50 { // each gets its own answer
			wait.Go(func() {
				for name, id := range map[string]string{"ESZ6": "3001", "NQZ6": "3002", "CLF7": "3003"} {
					got, err := c.Do(t.Context(), socket.Request{Endpoint: "contract/find", Query: url.Values{"name": {name}}})
					if err != nil || !strings.Contains(string(got), id) {
						t.Errorf("%s: %s %v", name, got, err)
					}
				}
			})
		}
		wait.Wait()
		if _, err := c.Do(t.Context(), socket.Request{Endpoint: "user/syncrequest", Body: json.RawMessage(`{"users":[1001],"entityTypes":["order"]}`)}); err != nil {
			t.Error(err)
		}
		if got, err := c.Do(t.Context(), order); err != nil || !strings.Contains(string(got), `"orderId":`) {
			t.Errorf("%s %v", got, err)
		}
		if e, err := events.Next(t.Context()); err != nil || !strings.Contains(string(e.Data), `"entityType":"order"`) {
			t.Errorf("%s %v", e.Data, err)
		}
		c.Close()
		if _, err := events.Next(t.Context()); !errors.Is(err, socket.ErrClosed) {
			t.Error(err)
		}
		if _, err := c.Do(t.Context(), find); known(t, err).Class != venuekey.ClassNotSent {
			t.Error(err)
		}
	})
}

func TestConnOutlivesItsToken(t *testing.T) {
	play(t, tradovate.Knobs{}, func(t *testing.T, s *stage) {
		c := s.conn(socket.LiveHost)
		for range 4 {
			time.Sleep(time.Hour) // virtual, and the token is dead long ago
		}
		if _, err := c.Do(t.Context(), find); err != nil || c.Err() != nil {
			t.Error(err, c.Err())
		}
	})
}

func TestConnThatNobodyServes(t *testing.T) {
	for name, c := range map[string]struct {
		knobs   tradovate.SocketKnobs
		fault   emulator.Fault
		refuses bool
		class   venuekey.Class
		kind    socket.Kind
	}{
		"unreachable":   {refuses: true, class: venuekey.ClassNotSent},
		"misdirected":   {knobs: tradovate.SocketKnobs{Misdirected: true}, class: venuekey.ClassMisconfigured, kind: socket.KindMisdirected},
		"locked out":    {fault: emulator.Fault{Kind: emulator.FaultStatusBefore, Status: 429}, class: venuekey.ClassLater, kind: socket.KindTooMany},
		"overloaded":    {fault: emulator.Fault{Kind: emulator.FaultStatusBefore, Status: 503}, class: venuekey.ClassNotSent},
		"elsewhere":     {fault: emulator.Fault{Kind: emulator.FaultRedirectBefore}, class: venuekey.ClassNotSent},
		"a web page":    {fault: emulator.Fault{Kind: emulator.FaultHTMLBefore}, class: venuekey.ClassNotSent},
		"cut":           {fault: emulator.Fault{Kind: emulator.FaultDropBefore}, class: venuekey.ClassNotSent},
		"never answers": {fault: emulator.Fault{Kind: emulator.FaultDelayBefore, Delay: time.Hour}, class: venuekey.ClassNotSent},
	} {
		t.Run(name, func(t *testing.T) {
			play(t, tradovate.Knobs{Socket: c.knobs}, func(t *testing.T, s *stage) {
				s.refuse(c.refuses)
				if c.fault.Kind != "" {
					c.fault.On = tradovate.AtSocket
					s.Inject(c.fault)
				}
				began := time.Now()
				conn, err := socket.Dial(t.Context(), s.endpoint(socket.LiveHost), s.options())
				if conn != nil {
					t.Fatal("there is a connection")
				}
				if e := known(t, err); e.Class != c.class || e.Kind != c.kind || time.Since(began) > 31*time.Second {
					t.Errorf("%v: %v, %v, after %v", err, e.Class, e.Kind, time.Since(began))
				}
			})
		})
	}
}

func TestConnAuthorize(t *testing.T) {
	play(t, tradovate.Knobs{}, func(t *testing.T, s *stage) {
		c, err := socket.Dial(t.Context(), s.endpoint(socket.LiveHost), s.options())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		for name, want := range map[venuekey.Secret]struct {
			class venuekey.Class
			kind  socket.Kind
		}{
			prefix + "nonsense":     {venuekey.ClassLater, socket.KindTokenDead},
			prefix + "two\nlines\n": {venuekey.ClassDeclined, socket.KindPlain},
			"":                      {venuekey.ClassDeclined, socket.KindPlain},
		} {
			if e := known(t, c.Authorize(t.Context(), name)); e.Class != want.class || e.Kind != want.kind {
				t.Error(e, e.Class, e.Kind)
			}
		}
		if _, err := c.Do(t.Context(), find); known(t, err).Kind != socket.KindDenied {
			t.Error(err)
		}
		if err := c.Authorize(t.Context(), s.signIn().AccessToken); err != nil { // it lives still
			t.Error(err)
		}
	})
}

// What becomes of a request, and of the connection, with each fault.
func TestConnFaults(t *testing.T) {
	type outcome struct {
		class venuekey.Class
		kind  socket.Kind
		fine  bool // there is an answer and no error
		lives bool
	}
	later, unknown, declined := venuekey.ClassLater, venuekey.ClassUnknown, venuekey.ClassDeclined
	for name, c := range map[string]struct {
		fault  tradovate.SocketFault
		read   outcome // of a request that may be sent twice
		order  outcome
		placed bool // the order was
	}{
		"cut before":    {tradovate.SocketFault{Kind: tradovate.FaultSocketCutBefore}, outcome{class: unknown}, outcome{class: unknown}, false},
		"cut after":     {tradovate.SocketFault{Kind: tradovate.FaultSocketCutAfter}, outcome{class: unknown}, outcome{class: unknown}, true},
		"dropped":       {tradovate.SocketFault{Kind: tradovate.FaultSocketDrop}, outcome{class: unknown, lives: true}, outcome{class: unknown, lives: true}, true},
		"muted":         {tradovate.SocketFault{Kind: tradovate.FaultSocketMute}, outcome{class: unknown}, outcome{class: unknown}, true},
		"stalled":       {tradovate.SocketFault{Kind: tradovate.FaultSocketStall}, outcome{class: unknown}, outcome{class: unknown}, true},
		"twice":         {tradovate.SocketFault{Kind: tradovate.FaultSocketTwice}, outcome{fine: true, lives: true}, outcome{fine: true, lives: true}, true},
		"late":          {tradovate.SocketFault{Kind: tradovate.FaultSocketLate, Delay: 20 * time.Second}, outcome{fine: true, lives: true}, outcome{fine: true, lives: true}, true},
		"too late":      {tradovate.SocketFault{Kind: tradovate.FaultSocketLate, Delay: 40 * time.Second}, outcome{class: unknown, lives: true}, outcome{class: unknown, lives: true}, true},
		"half":          {tradovate.SocketFault{Kind: tradovate.FaultSocketHalf}, outcome{class: unknown}, outcome{class: unknown}, true},
		"garbage":       {tradovate.SocketFault{Kind: tradovate.FaultSocketGarbage}, outcome{class: unknown}, outcome{class: unknown}, true},
		"huge":          {tradovate.SocketFault{Kind: tradovate.FaultSocketHuge}, outcome{class: unknown}, outcome{class: unknown}, true},
		"stranger":      {tradovate.SocketFault{Kind: tradovate.FaultSocketStranger}, outcome{fine: true, lives: true}, outcome{fine: true, lives: true}, true},
		"penalty":       {tradovate.SocketFault{Kind: tradovate.FaultSocketPenalty, Delay: 5 * time.Second}, outcome{fine: true, lives: true}, outcome{class: later, kind: socket.KindPenalty, lives: true}, false},
		"captcha":       {tradovate.SocketFault{Kind: tradovate.FaultSocketPenalty, Captcha: true}, outcome{class: later, kind: socket.KindPenalty, lives: true}, outcome{class: later, kind: socket.KindPenalty, lives: true}, false},
		"429":           {tradovate.SocketFault{Kind: tradovate.FaultSocketRefuse, Status: 429}, outcome{class: later, kind: socket.KindTooMany, lives: true}, outcome{class: later, kind: socket.KindTooMany, lives: true}, false},
		"423":           {tradovate.SocketFault{Kind: tradovate.FaultSocketRefuse, Status: 423, Text: "Locked"}, outcome{class: later, kind: socket.KindTooMany, lives: true}, outcome{class: later, kind: socket.KindTooMany, lives: true}, false},
		"denied":        {tradovate.SocketFault{Kind: tradovate.FaultSocketRefuse, Status: 401, Text: "Access is denied"}, outcome{class: declined, kind: socket.KindDenied, lives: true}, outcome{class: declined, kind: socket.KindDenied, lives: true}, false},
		"no text":       {tradovate.SocketFault{Kind: tradovate.FaultSocketRefuse, Status: 401}, outcome{class: declined, kind: socket.KindDenied, lives: true}, outcome{class: declined, kind: socket.KindDenied, lives: true}, false},
		"token expired": {tradovate.SocketFault{Kind: tradovate.FaultSocketRefuse, Status: 401, Text: "Expired Access Token"}, outcome{class: later, kind: socket.KindTokenDead, lives: true}, outcome{class: later, kind: socket.KindTokenDead, lives: true}, false},
		"not found":     {tradovate.SocketFault{Kind: tradovate.FaultSocketRefuse, Status: 404, Text: "Not found"}, outcome{class: declined, lives: true}, outcome{class: declined, lives: true}, false},
		"500":           {tradovate.SocketFault{Kind: tradovate.FaultSocketRefuse, Status: 500, Text: "Internal timeout"}, outcome{class: later, lives: true}, outcome{class: unknown, lives: true}, false},
		"503":           {tradovate.SocketFault{Kind: tradovate.FaultSocketRefuse, Status: 503}, outcome{class: later, lives: true}, outcome{class: later, lives: true}, false},
		"echoed secret": {tradovate.SocketFault{Kind: tradovate.FaultSocketRefuse, Status: 400, Text: "bad \x1b[31m" + prefix + "x"}, outcome{class: declined, lives: true}, outcome{class: declined, lives: true}, false},
	} {
		for kind, want := range map[string]outcome{"read": c.read, "order": c.order} {
			t.Run(name+" "+kind, func(t *testing.T) {
				play(t, tradovate.Knobs{}, func(t *testing.T, s *stage) {
					conn := s.conn(socket.DemoHost)
					request := find
					if kind == "order" {
						request = order
					}
					if name == "echoed secret" {
						c.fault.Text = "bad \x1b[31m" + string(s.signIn().AccessToken)
					}
					c.fault.On = request.Endpoint
					s.InjectSocket(c.fault)
					got, err := conn.Do(t.Context(), request)
					if want.fine {
						if err != nil || len(got) < 5 {
							t.Errorf("%s %v", got, err)
						}
					} else if e := known(t, err); e.Class != want.class || e.Kind != want.kind {
						t.Errorf("%v: %v, %v", err, e.Class, e.Kind)
					} else if e.SafeToRetry() && kind == "order" && c.placed {
						t.Errorf("%v: an order that stands would be sent again", err)
					} else if kind == "read" && e.Class == unknown && !e.SafeToRetry() {
						t.Errorf("%v: a read is not safe to send again", err)
					}
					if alive := conn.Err() == nil; alive != want.lives {
						t.Errorf("alive %v: %v", alive, conn.Err())
					}
					if placed := s.Log().Count(tradovate.OrderPlaced); kind == "order" && placed != map[bool]int{true: 1}[c.placed] {
						t.Errorf("placed %d times", placed)
					}
					if want.lives { // and the next is answered
						if got, err := conn.Do(t.Context(), socket.Request{Endpoint: "account/list"}); err != nil || !strings.Contains(string(got), "5001") {
							t.Errorf("the next: %s %v", got, err)
						}
					}
				})
			})
		}
	}
}

// Failures that come with status 200.
func TestConnFailuresInside200(t *testing.T) {
	play(t, tradovate.Knobs{}, func(t *testing.T, s *stage) {
		c := s.conn(socket.DemoHost)
		got, err := c.Do(t.Context(), socket.Request{Endpoint: "order/placeorder", Body: map[string]any{"accountId": 5001, "symbol": "NOPE"}})
		if e := known(t, err); e.Class != venuekey.ClassDeclined || e.Code != "InvalidContract" || e.SafeToRetry() || !strings.Contains(string(got), "failureReason") {
			t.Errorf("%v %s", err, got)
		}
		md := s.conn(socket.MarketDataHost)
		_, err = md.Do(t.Context(), socket.Request{Endpoint: "md/subscribeQuote", Body: map[string]string{"symbol": "NOPE"}})
		if e := known(t, err); e.Class != venuekey.ClassDeclined || e.Code != "UnknownSymbol" {
			t.Error(err)
		}
	})
}

func TestConnShutdown(t *testing.T) {
	for reason, kind := range map[string]socket.Kind{
		tradovate.ShutdownMaintenance: socket.KindMaintenance, tradovate.ShutdownConnectionQuota: socket.KindLimit, tradovate.ShutdownIPQuota: socket.KindLimit, "Whim": socket.KindPlain,
	} {
		for _, frame := range []bool{false, true} {
			play(t, tradovate.Knobs{Socket: tradovate.SocketKnobs{CloseFrame: frame}}, func(t *testing.T, s *stage) {
				c := s.conn(socket.LiveHost)
				s.ShutDown(reason, "see you")
				<-c.Done()
				if e := known(t, c.Err()); e.Kind != kind || e.Code != reason || e.Class != venuekey.ClassLater || e.Text != "see you" {
					t.Errorf("%v: %v %v", e, e.Kind, e.Class)
				}
			})
		}
	}
	play(t, tradovate.Knobs{}, func(t *testing.T, s *stage) { // announced, and never done
		c := s.conn(socket.LiveHost)
		s.Say(`a[{"e":"shutdown","d":{"reasonCode":"Maintenance"}}]`)
		began := time.Now()
		<-c.Done()
		if e := known(t, c.Err()); e.Kind != socket.KindMaintenance || time.Since(began) != 10*time.Second {
			t.Error(e, time.Since(began))
		}
	})
}

// Silence of a line that is dead is noticed, silence of one that is not ends nothing.
func TestConnSilence(t *testing.T) {
	play(t, tradovate.Knobs{}, func(t *testing.T, s *stage) {
		c := s.conn(socket.LiveHost)
		s.freeze()
		began := time.Now()
		<-c.Done()
		if took := time.Since(began); took > 25*time.Second || !strings.Contains(c.Err().Error(), "not even when asked for") {
			t.Error(took, c.Err())
		}
	})
	play(t, tradovate.Knobs{}, func(t *testing.T, s *stage) { // pings are answered, and nothing else
		c := s.conn(socket.LiveHost)
		s.MuteSockets()
		began := time.Now()
		<-c.Done()
		if took := time.Since(began); took > 25*time.Second || known(t, c.Err()).Kind != socket.KindSilent {
			t.Error(took, c.Err())
		}
	})
	play(t, tradovate.Knobs{Socket: tradovate.SocketKnobs{Heartbeat: -1}}, func(t *testing.T, s *stage) { // a venue that never beats
		o := s.options()
		o.Requests = 100 // and is asked less often than once in a minute, on the average
		c, err := socket.Dial(t.Context(), s.endpoint(socket.LiveHost), o)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if err := c.Authorize(t.Context(), s.signIn().AccessToken); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Hour)
		if c.Err() != nil {
			t.Error(c.Err())
		}
	})
}

// An abandoned request's id is not given to another, whose answer the late one would be
// taken for.
func TestConnAbandonedRequest(t *testing.T) {
	play(t, tradovate.Knobs{}, func(t *testing.T, s *stage) {
		c := s.conn(socket.LiveHost)
		s.InjectSocket(tradovate.SocketFault{Kind: tradovate.FaultSocketLate, On: "contract/find", Delay: 3 * time.Second})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := c.Do(ctx, find); known(t, err).Class != venuekey.ClassUnknown || !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		s.InjectSocket(tradovate.SocketFault{Kind: tradovate.FaultSocketLate, On: "account/list", Delay: 10 * time.Second})
		if got, err := c.Do(t.Context(), socket.Request{Endpoint: "account/list"}); err != nil || !strings.Contains(string(got), "5002") {
			t.Errorf("%s %v", got, err)
		}
	})
}

// Heartbeats go on while the venue streams, which sends none itself then.
func TestConnBeatsWhileQuotesPourIn(t *testing.T) {
	play(t, tradovate.Knobs{Socket: tradovate.SocketKnobs{QuoteEvery: 10 * time.Millisecond, Inactivity: 2600 * time.Millisecond}}, func(t *testing.T, s *stage) {
		c := s.conn(socket.MarketDataHost)
		if _, err := c.Do(t.Context(), socket.Request{Endpoint: "md/subscribeQuote", Body: map[string]string{"symbol": "ESZ6"}}); err != nil {
			t.Fatal(err)
		}
		quotes := c.Events(socket.Buffer{}, socket.EventMarket)
		for range 3000 {
			if _, err := quotes.Next(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		synctest.Wait()
		if c.Err() != nil {
			t.Error(c.Err())
		}
	})
}

func TestConnKeepsToItsBudget(t *testing.T) {
	play(t, tradovate.Knobs{}, func(t *testing.T, s *stage) {
		o := s.options()
		o.Requests = 100
		c, err := socket.Dial(t.Context(), s.endpoint(socket.LiveHost), o)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if err := c.Authorize(t.Context(), s.signIn().AccessToken); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		for range 100 {
			if _, err := c.Do(t.Context(), find); err != nil {
				t.Fatal(err)
			}
		}
		if took := time.Since(began); took < 59*time.Minute {
			t.Error("100 requests and a sign-on took", took)
		}
	})
}

func TestConnRefusesWhatIsNoEndpoint(t *testing.T) {
	play(t, tradovate.Knobs{}, func(t *testing.T, s *stage) {
		c := s.conn(socket.LiveHost)
		for _, name := range []string{"", "/account/list", "account/list\n9", "a b", "ä"} {
			if _, err := c.Do(t.Context(), socket.Request{Endpoint: name}); known(t, err).Class != venuekey.ClassDeclined {
				t.Errorf("%q: %v", name, err)
			}
		}
		if _, err := c.Do(t.Context(), socket.Request{Endpoint: "a", Body: make(chan int)}); known(t, err).Class != venuekey.ClassDeclined {
			t.Error(err)
		}
	})
}
