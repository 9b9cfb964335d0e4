package openapi_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"

	"github.com/venuekey/venuekey/emulator/ctrader/openapi"
	"github.com/venuekey/venuekey/venue/ctrader/openapi/message"
)

func started(t *testing.T, k openapi.Knobs) *openapi.Server {
	t.Helper()
	s := newServer(k)
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// dialSocket connects by WebSocket.
func dialSocket(t *testing.T, s *openapi.Server, address string, json bool) *client {
	t.Helper()
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: s.CA()}}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	socket, _, err := websocket.Dial(ctx, "wss://"+address, &websocket.DialOptions{HTTPClient: &http.Client{Transport: transport}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { socket.CloseNow(); transport.CloseIdleConnections() })
	return &client{t: t, socket: socket, json: json}
}

// Both hosts speak both forms over both transports.
func TestEveryDoor(t *testing.T) {
	s := started(t, quiet())
	a := s.Addresses()
	for _, door := range []struct {
		name, address string
		account       int64
		json          bool
	}{
		{"live protobuf", a.LiveProtobuf, live, false}, {"live JSON", a.LiveJSON, live, true},
		{"demo protobuf", a.DemoProtobuf, demo, false}, {"demo JSON", a.DemoJSON, demo, true},
	} {
		for _, transport := range []string{"TCP", "WebSocket"} {
			t.Run(door.name+" "+transport, func(t *testing.T) {
				c := (*client)(nil)
				if transport == "TCP" {
					c = dial(t, s, door.address, door.json)
				} else {
					c = dialSocket(t, s, door.address, door.json)
				}
				c.signIn(token(s, "trading").Access, door.account)
				want[*message.SubscribeSpotsRes](t, c.ask(&message.SubscribeSpotsReq{CtidTraderAccountID: door.account, SymbolID: []int64{1}}))
				e := event[*message.SpotEvent](c)
				if e.Bid.Or(0) != 108500 || e.Ask.Or(0) != 108510 {
					t.Errorf("got %+v", e)
				}
				wantCode(t, c.ask(accountAuth(demo+live-door.account, c.token)), "CANT_ROUTE_REQUEST", "")
			})
		}
	}
	if s.Start() == nil {
		t.Error("it starts twice")
	}
}

func TestTheAuthorityIsNeeded(t *testing.T) {
	s := started(t, quiet())
	if conn, err := tls.Dial("tcp", s.Addresses().DemoJSON, &tls.Config{RootCAs: x509.NewCertPool()}); err == nil {
		conn.Close()
		t.Error("a client trusts anybody")
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(s.CAPEM()) || !pool.Equal(s.CA()) {
		t.Error("the file holds something else")
	}
}

// An error that ends a connection arrives, whatever the client still wrote.
func TestTheLastWordArrives(t *testing.T) {
	s := started(t, quiet())
	for range 5 {
		c := dial(t, s, s.Addresses().DemoProtobuf, false)
		c.send(appAuth("demo-client", "wrong"), "1")
		c.writeBody(bytes.Repeat([]byte{0}, 100_000))
		m, _ := c.next()
		wantCode(t, m, "CH_CLIENT_AUTH_FAILURE", "")
		c.gone()
	}
	c := dialSocket(t, s, s.Addresses().DemoJSON, true)
	wantCode(t, c.ask(appAuth("demo-client", "wrong")), "CH_CLIENT_AUTH_FAILURE", "")
	if closed := (websocket.CloseError{}); !errors.As(c.gone(), &closed) || closed.Code != websocket.StatusNormalClosure || closed.Reason != "Bye" {
		t.Errorf("closed with %v", closed)
	}
}

func TestMalformedMessages(t *testing.T) {
	for _, test := range []struct {
		name, body, text string
		json, ends       bool
	}{
		{"no JSON", "{\"pay", "Malformed JSON message at 1:6", true, true},
		{"second line", "{\n x}", "Malformed JSON message at 2:2", true, true},
		{"no protobuf", "\xff\xff", "Malformed message", false, true},
		{"payload", `{"payloadType":2100,"payload":{"clientId":7,"clientSecret":"x"}}`, "Malformed message", true, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			inBubble(t, quiet(), func(t *testing.T, s *openapi.Server) {
				c := pipe(t, s, false, test.json)
				c.writeBody([]byte(test.body))
				m, _ := c.next()
				wantCode(t, m, "INVALID_REQUEST", test.text)
				if !test.ends {
					c.app()
					return
				}
				if err := c.gone(); !isEnd(err) {
					t.Error(err)
				}
			})
		})
	}
}

func TestTooLongMessages(t *testing.T) {
	k := quiet()
	k.MaxFrame = 1000
	s := started(t, k)
	tcp, socket := dial(t, s, s.Addresses().DemoProtobuf, false), dialSocket(t, s, s.Addresses().LiveJSON, true)
	for _, c := range []*client{tcp, socket} {
		c.app()
		c.writeBody(bytes.Repeat([]byte(" "), 1001))
		m, _ := c.next()
		wantCode(t, m, "FRAME_TOO_LONG", "")
		c.gone()
	}
}

func TestUnknownMessages(t *testing.T) {
	inBubble(t, quiet(), func(t *testing.T, s *openapi.Server) {
		c := pipe(t, s, false, true)
		c.app()
		for _, body := range []string{`{"payloadType":9999,"clientMsgId":"x"}`, `{"payloadType":2131,"clientMsgId":"x"}`, `{"payloadType":5,"clientMsgId":"x"}`} {
			c.writeBody([]byte(body))
			m, id := c.next()
			wantCode(t, m, "UNSUPPORTED_MESSAGE", "")
			if id != "x" {
				t.Errorf("the ID is %q", id)
			}
		}
	})
}

// How JSON looks in the bytes: empty payloads and IDs that were not sent are
// left out, numbers are numbers or texts.
func TestJSONAsItIsWritten(t *testing.T) {
	inBubble(t, quiet(), func(t *testing.T, s *openapi.Server) {
		c := pipe(t, s, false, true)
		ask := func(m message.Message) string {
			c.send(m, "")
			body, err := c.readBody()
			if err != nil {
				t.Fatal(err)
			}
			return string(body)
		}
		if got := ask(appAuth("demo-client", "demo-secret")); got != `{"payloadType":2101}` {
			t.Error(got)
		}
		access := token(s, "trading").Access
		if got := ask(list(access)); !strings.Contains(got, `"permissionScope":1`) || !strings.Contains(got, `"ctidTraderAccountId":5001`) {
			t.Error(got)
		}
		s.Tune(func(k *openapi.Knobs) { k.JSONText = true })
		if got := ask(list(access)); !strings.Contains(got, `"permissionScope":"SCOPE_TRADE"`) || !strings.Contains(got, `"ctidTraderAccountId":"5001"`) || !json.Valid([]byte(got)) {
			t.Error(got)
		}
		c.ask(accountAuth(demo, access))
		if got := ask(&message.SymbolByIDReq{CtidTraderAccountID: demo, SymbolID: []int64{1}}); !strings.Contains(got, `"lotSize":"10000000"`) || !strings.Contains(got, `"digits":5`) {
			t.Error(got)
		}
	})
}

// A message without fields has an empty payload, or none.
func TestEmptyPayloads(t *testing.T) {
	for omit, want := range map[bool]string{false: "08b51012001a0131", true: "08b5101a0131"} {
		k := quiet()
		k.OmitEmptyPayload = omit
		inBubble(t, k, func(t *testing.T, s *openapi.Server) {
			c := pipe(t, s, false, false)
			c.send(appAuth("demo-client", "demo-secret"), "1")
			body, err := c.readBody()
			if got := hex.EncodeToString(body); err != nil || got != want {
				t.Errorf("OmitEmptyPayload %t: %s, %v, not %s", omit, got, err, want)
			}
		})
	}
}

func TestJSONOverTCPInAllFramings(t *testing.T) {
	for _, f := range []openapi.Framing{openapi.FramingLine, openapi.FramingNone} {
		k := quiet()
		k.JSONFraming = f
		inBubble(t, k, func(t *testing.T, s *openapi.Server) {
			c := pipe(t, s, false, true)
			go c.conn.Write([]byte(`{"payloadType":51}` + "\n" + `{"payloadType":2104,"clientMsgId":"7"}` + "\n"))
			decoder := json.NewDecoder(c.conn)
			var e struct {
				PayloadType int
				ClientMsgID string
			}
			if err := decoder.Decode(&e); err != nil || e.PayloadType != 2105 || e.ClientMsgID != "7" {
				t.Errorf("%s: got %+v, %v", f, e, err)
			}
			go c.conn.Write([]byte("}\n"))
			if err := decoder.Decode(&e); err != nil || e.PayloadType != 2142 {
				t.Errorf("%s: got %+v, %v", f, e, err)
			}
		})
	}
}

func TestCutOffs(t *testing.T) {
	for _, test := range []struct {
		name       string
		authorised bool
		every      time.Duration // between the client's heartbeats
		lives      time.Duration
	}{
		{"silent from the start", false, 0, 30 * time.Second},
		{"heartbeats do not help", false, 10 * time.Second, 30 * time.Second},
		{"idle", true, 0, 30 * time.Second},
		{"alive", true, 25 * time.Second, 10 * time.Minute},
	} {
		t.Run(test.name, func(t *testing.T) {
			inBubble(t, quiet(), func(t *testing.T, s *openapi.Server) {
				c := pipe(t, s, false, false)
				start := time.Now()
				if test.authorised {
					c.app()
				}
				ended := make(chan error, 1)
				beats := 0
				go func() {
					for {
						m, _, err := c.read()
						if err != nil {
							ended <- err
							return
						}
						if _, ok := m.(*message.HeartbeatEvent); ok {
							beats++
						}
					}
				}()
				for time.Since(start) < test.lives-time.Second {
					wait := test.lives - time.Second
					if test.every > 0 {
						c.send(&message.HeartbeatEvent{}, "")
						wait = min(test.every, test.lives-time.Second-time.Since(start)) // and never to the moment of the cut itself
					}
					select {
					case err := <-ended:
						t.Fatalf("after %s: %v", time.Since(start), err)
					case <-time.After(wait):
					}
				}
				if test.every == 25*time.Second {
					synctest.Wait()
					if beats < 20 {
						t.Errorf("%d heartbeats", beats)
					}
					return
				}
				<-ended
				if lived := time.Since(start).Round(time.Second); lived != test.lives {
					t.Errorf("it lived %s, want %s", lived, test.lives)
				}
			})
		})
	}
}

func TestAPingKeepsAWebSocket(t *testing.T) {
	inBubble(t, quiet(), func(t *testing.T, s *openapi.Server) {
		ours, theirs := net.Pipe()
		go s.ServeConn(theirs, false, true)
		transport := &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) { return ours, nil }}
		socket, _, err := websocket.Dial(t.Context(), "ws://emulated", &websocket.DialOptions{HTTPClient: &http.Client{Transport: transport}})
		if err != nil {
			t.Fatal(err)
		}
		c := &client{t: t, socket: socket, json: true}
		c.app()
		ended := make(chan error, 1)
		go func() { ended <- c.gone() }()
		for range 10 {
			time.Sleep(20 * time.Second)
			if err := socket.Ping(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		start := time.Now()
		closed := websocket.CloseError{}
		if errors.As(<-ended, &closed); closed.Code != websocket.StatusNormalClosure || closed.Reason != "Bye" {
			t.Errorf("closed with %v", closed)
		}
		if lived := time.Since(start); lived != 30*time.Second {
			t.Errorf("it lived another %s", lived)
		}
	})
}

func TestRates(t *testing.T) {
	inBubble(t, quiet(), func(t *testing.T, s *openapi.Server) {
		c := signedIn(t, s, demo)
		time.Sleep(time.Second)
		for range 2 {
			for range 50 {
				want[*message.TraderRes](t, c.ask(trader(demo)))
			}
			wantCode(t, c.ask(trader(demo)), "REQUEST_FREQUENCY_EXCEEDED", "")
			for range 5 {
				want[*message.DealListRes](t, c.ask(&message.DealListReq{CtidTraderAccountID: demo}))
			}
			res := want[*message.ErrorRes](t, c.ask(&message.DealListReq{CtidTraderAccountID: demo}))
			if res.ErrorCode != "BLOCKED_PAYLOAD_TYPE" || res.RetryAfter.Or(0) != 1 {
				t.Errorf("got %+v", res)
			}
			time.Sleep(time.Second)
		}
		other := signedIn(t, s, demo)
		time.Sleep(time.Second)
		s.Tune(func(k *openapi.Knobs) { k.Rate, k.RateOfApp = 2, true })
		want[*message.TraderRes](t, c.ask(trader(demo)))
		want[*message.TraderRes](t, other.ask(trader(demo)))
		wantCode(t, c.ask(trader(demo)), "REQUEST_FREQUENCY_EXCEEDED", "")
		s.Tune(func(k *openapi.Knobs) { k.Rate = -1 })
		want[*message.TraderRes](t, c.ask(trader(demo)))
	})
}

func TestTooManyConnections(t *testing.T) {
	inBubble(t, quiet(), func(t *testing.T, s *openapi.Server) {
		var first *client
		for i := range 25 {
			c := pipe(t, s, i%2 == 0, false)
			c.app()
			if first == nil {
				first = c
			}
		}
		c := pipe(t, s, true, false)
		wantCode(t, c.ask(appAuth("demo-client", "demo-secret")), "CONNECTIONS_LIMIT_EXCEEDED", "")
		c.gone()
		first.conn.Close()
		synctest.Wait()
		pipe(t, s, true, false).app()
		if n := s.HangUp(); n != 25 {
			t.Errorf("%d connections", n)
		}
		synctest.Wait()
		if n := s.Connections(); n != 0 {
			t.Errorf("%d connections are left", n)
		}
	})
}
