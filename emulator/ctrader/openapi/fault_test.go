package openapi_test

import (
	"errors"
	"io"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/venuekey/venuekey/emulator"
	"github.com/venuekey/venuekey/emulator/ctrader/openapi"
	"github.com/venuekey/venuekey/venue/ctrader/openapi/message"
)

// faulty is one fault and how it shows.
type faulty struct {
	name  string
	fault openapi.Fault
	shows func(t *testing.T, c *client)
}

var assets = &message.AssetListReq{CtidTraderAccountID: demo}

// lineFaults break the connection, or the bytes on it.
func lineFaults() []faulty {
	return []faulty{
		{"close before", openapi.Fault{Kind: openapi.CloseBefore}, func(t *testing.T, c *client) {
			c.send(trader(demo), "a")
			if err := c.gone(); !isEnd(err) {
				t.Error(err)
			}
		}},
		{"close at a byte", openapi.Fault{Kind: openapi.CloseAt, Bytes: 7}, func(t *testing.T, c *client) {
			c.send(trader(demo), "a")
			if got, _ := io.ReadAll(c.conn); len(got) != 7 {
				t.Errorf("%d bytes came", len(got))
			}
		}},
		{"silence", openapi.Fault{Kind: openapi.Silence}, func(t *testing.T, c *client) {
			c.send(trader(demo), "a")
			c.send(assets, "b")
			c.conn.SetReadDeadline(time.Now().Add(time.Hour))
			if _, _, err := c.read(); err == nil || isEnd(err) {
				t.Errorf("silence ends with %v", err)
			}
		}},
		{"half-close", openapi.Fault{Kind: openapi.HalfClose}, func(t *testing.T, c *client) {
			c.send(trader(demo), "a")
			if _, _, err := c.read(); !errors.Is(err, io.EOF) {
				t.Error(err)
			}
		}},
		{"one byte", openapi.Fault{Kind: openapi.OneByte}, func(t *testing.T, c *client) {
			c.send(trader(demo), "a")
			some := make([]byte, 100)
			if n, err := c.conn.Read(some); n != 1 || err != nil {
				t.Errorf("%d bytes came, %v", n, err)
			}
			c.frames.Reader = io.MultiReader(readOnce(some[:1]), c.conn)
			wantIDs(c, "a")
		}},
		{"coalesce", openapi.Fault{Kind: openapi.Coalesce}, func(t *testing.T, c *client) {
			c.send(trader(demo), "a")
			synctest.Wait()
			c.send(assets, "b")
			all := make([]byte, 10_000)
			n, err := c.conn.Read(all)
			if err != nil {
				t.Fatal(err)
			}
			c.frames.Reader = readOnce(all[:n])
			wantIDs(c, "a", "b")
		}},
		{"oversize", openapi.Fault{Kind: openapi.Oversize}, func(t *testing.T, c *client) {
			c.send(trader(demo), "a")
			if long := (*message.FrameTooLongError)(nil); !errors.As(c.gone(), &long) {
				t.Error("the length is fine")
			}
		}},
		{"garbage", openapi.Fault{Kind: openapi.Garbage}, func(t *testing.T, c *client) {
			c.send(trader(demo), "a")
			if bad := (*message.DecodeError)(nil); !errors.As(c.gone(), &bad) {
				t.Error("the message is fine")
			}
			c.send(assets, "b")
			wantIDs(c, "b")
		}},
	}
}

// answerFaults leave the connection whole.
func answerFaults() []faulty {
	return []faulty{
		{"drop", openapi.Fault{Kind: openapi.Drop, On: message.TypeTraderReq}, func(t *testing.T, c *client) {
			c.send(trader(demo), "a")
			c.send(assets, "b")
			wantIDs(c, "b")
		}},
		{"by the type of the answer", openapi.Fault{Kind: openapi.Drop, On: message.TypeTraderRes, Skip: 1}, func(t *testing.T, c *client) {
			for _, id := range []string{"a", "b", "c"} {
				c.send(trader(demo), id)
			}
			wantIDs(c, "a", "c")
		}},
		{"twice", openapi.Fault{Kind: openapi.Twice, Times: 2}, func(t *testing.T, c *client) {
			c.send(trader(demo), "a")
			wantIDs(c, "a", "a")
			c.send(assets, "b")
			wantIDs(c, "b", "b")
		}},
		{"late", openapi.Fault{Kind: openapi.Late, Delay: time.Minute / 4, On: message.TypeTraderReq}, func(t *testing.T, c *client) {
			start := time.Now()
			c.send(trader(demo), "a")
			c.send(assets, "b")
			wantIDs(c, "b", "a")
			if late := time.Since(start); late != time.Minute/4 {
				t.Errorf("it came after %s", late)
			}
		}},
		{"swap", openapi.Fault{Kind: openapi.Swap}, func(t *testing.T, c *client) {
			c.send(trader(demo), "a")
			c.send(assets, "b")
			wantIDs(c, "b", "a")
		}},
		{"refuse", openapi.Fault{Kind: openapi.Refuse, Code: "CH_SERVER_NOT_REACHABLE", Description: "x", RetryAfter: 1500 * time.Millisecond}, func(t *testing.T, c *client) {
			m := c.ask(trader(demo))
			wantCode(t, m, "CH_SERVER_NOT_REACHABLE", "x")
			if m.(*message.ErrorRes).RetryAfter.Or(0) != 2 {
				t.Errorf("got %+v", m)
			}
		}},
	}
}

func TestFaults(t *testing.T) {
	for _, test := range slices.Concat(lineFaults(), answerFaults()) {
		t.Run(test.name, func(t *testing.T) {
			inBubble(t, quiet(), func(t *testing.T, s *openapi.Server) {
				c := signedIn(t, s, demo)
				s.Inject(test.fault)
				test.shows(t, c)
				if n := s.Log().Count(openapi.FaultInjected); n == 0 {
					t.Error("the log knows nothing of it")
				}
			})
		})
	}
}

func wantIDs(c *client, ids ...string) {
	c.t.Helper()
	var got []string
	for range ids {
		_, id := c.next()
		got = append(got, id)
	}
	if !slices.Equal(got, ids) {
		c.t.Errorf("got the answers %q, want %q", got, ids)
	}
}

// readOnce reads what is there and nothing after it.
func readOnce(b []byte) io.Reader { return &once{b} }

type once struct{ b []byte }

func (o *once) Read(p []byte) (int, error) {
	if len(o.b) == 0 {
		return 0, io.EOF
	}
	n := copy(p, o.b)
	o.b = o.b[n:]
	return n, nil
}

// The two cases that the faults are for: an order that was carried out and a
// token that rotated, and the client never learns.
func TestWorkIsDoneBeforeTheAnswerIsLost(t *testing.T) {
	inBubble(t, quiet(), func(t *testing.T, s *openapi.Server) {
		c := signedIn(t, s, demo)
		s.Inject(openapi.Fault{Kind: openapi.CloseAt, On: message.TypeNewOrderReq})
		c.send(market(buy, lot), "a")
		c.gone()
		c = signedIn(t, s, demo)
		if n := len(want[*message.ReconcileRes](t, c.ask(&message.ReconcileReq{CtidTraderAccountID: demo})).Position); n != 1 {
			t.Errorf("%d positions", n)
		}
		pair := token(s, "trading")
		s.Inject(openapi.Fault{Kind: openapi.CloseAt, On: message.TypeRefreshTokenReq})
		c.send(refresh(pair.Refresh), "b")
		c.gone()
		s.Inject(openapi.Fault{Kind: openapi.CloseBefore, On: message.TypeRefreshTokenReq})
		second := token(s, "trading")
		c = signedIn(t, s, demo)
		c.send(refresh(second.Refresh), "c")
		c.gone()
		if s.Venue.RefreshAlive(pair.Refresh) || !s.Venue.RefreshAlive(second.Refresh) || s.Venue.Log().Count(emulator.EventRefreshGranted) != 1 {
			t.Error("the venue rotated the wrong token")
		}
	})
}

func TestFaultsOfEvents(t *testing.T) {
	inBubble(t, quiet(), func(t *testing.T, s *openapi.Server) {
		c := signedIn(t, s, demo)
		s.Inject(openapi.Fault{Kind: openapi.Drop, On: message.TypeSpotEvent})
		c.ask(&message.SubscribeSpotsReq{CtidTraderAccountID: demo, SymbolID: []int64{1}})
		s.Quote("EURUSD", 108400, 108410)
		if e := event[*message.SpotEvent](c); e.Bid.Or(0) != 108400 {
			t.Errorf("got %+v", e)
		}
		s.Inject(openapi.Fault{Kind: openapi.Drop, Times: -1, On: message.TypeTraderReq})
		s.ClearFaults()
		want[*message.TraderRes](t, c.ask(trader(demo)))
	})
}

// Faults of bytes with TLS and WebSocket around them.
func TestFaultsOnRealSockets(t *testing.T) {
	s := started(t, quiet())
	open := func() []*client {
		list := []*client{dial(t, s, s.Addresses().DemoProtobuf, false), dialSocket(t, s, s.Addresses().DemoJSON, true)}
		for _, c := range list {
			c.signIn(token(s, "trading").Access, demo)
		}
		return list
	}
	for _, kind := range []openapi.FaultKind{openapi.OneByte, openapi.Twice} {
		for _, c := range open() {
			s.Inject(openapi.Fault{Kind: kind})
			want[*message.TraderRes](t, c.ask(trader(demo)))
		}
	}
	for _, kind := range []openapi.FaultKind{openapi.CloseBefore, openapi.CloseAt, openapi.HalfClose, openapi.Oversize, openapi.Garbage} {
		for _, c := range open() {
			s.Inject(openapi.Fault{Kind: kind, Bytes: 5})
			c.send(trader(demo), "a")
			if kind == openapi.Oversize && c.socket != nil {
				continue // a reader without a limit waits for the rest
			}
			if err := c.gone(); err == nil {
				t.Errorf("%s has no effect", kind)
			}
		}
	}
}

func TestFaultsThatMakeNoSense(t *testing.T) {
	for _, f := range []openapi.Fault{{}, {Kind: "x"}, {Kind: openapi.Refuse}, {Kind: openapi.Drop, Skip: -1}, {Kind: openapi.Drop, Times: -2}} {
		if f.Valid() == nil {
			t.Errorf("%+v is valid", f)
		}
	}
}
