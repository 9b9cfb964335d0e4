package tradovate_test

// The WebSocket from the other side: frames by hand, in virtual time.

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"

	"github.com/venuekey/venuekey/emulator"
	"github.com/venuekey/venuekey/emulator/tradovate"
	"github.com/venuekey/venuekey/internal/pipetest"
)

// line is the three hosts of an emulated venue, on networks in memory.
type line struct {
	t *testing.T
	*tradovate.Server
	live, demo, md *pipetest.Listener
}

// onLine runs a story in virtual time.
func onLine(t *testing.T, k tradovate.Knobs, story func(t *testing.T, v line)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		v := line{t, &tradovate.Server{Knobs: k}, pipetest.New(), pipetest.New(), pipetest.New()}
		for l, handler := range map[*pipetest.Listener]http.Handler{v.live: v.Server, v.demo: v.Demo(), v.md: v.MarketData()} {
			server := &http.Server{Handler: handler}
			go server.Serve(l)
			defer server.Close()
		}
		defer v.CloseSockets()
		story(t, v)
	})
}

// signIn gives an access and a market-data token of alice.
func (v line) signIn() (access, md string) {
	v.t.Helper()
	transport := &http.Transport{DialContext: v.live.Dial, DisableKeepAlives: true}
	body, _ := json.Marshal(loginBody())
	resp, err := (&http.Client{Transport: transport}).Post("http://live/v1/auth/accesstokenrequest", asJSON, strings.NewReader(string(body)))
	if err != nil {
		v.t.Fatal(err)
	}
	defer resp.Body.Close()
	var said struct{ AccessToken, MDAccessToken string }
	if err := json.NewDecoder(resp.Body).Decode(&said); err != nil || said.AccessToken == "" {
		v.t.Fatal(err, said.AccessToken == "")
	}
	return said.AccessToken, said.MDAccessToken
}

// wire is a client's end of a WebSocket.
type wire struct {
	t  *testing.T
	ws *websocket.Conn
}

func (v line) dial(l *pipetest.Listener, from string) wire {
	v.t.Helper()
	transport := &http.Transport{DialContext: l.From(from)}
	ws, _, err := websocket.Dial(v.t.Context(), "ws://venue/v1/websocket", &websocket.DialOptions{HTTPClient: &http.Client{Transport: transport}})
	if err != nil {
		v.t.Fatal(err)
	}
	ws.SetReadLimit(-1)
	v.t.Cleanup(func() { ws.CloseNow() })
	w := wire{v.t, ws}
	if got := w.next(); got != "o" {
		v.t.Errorf("first frame %q", got)
	}
	return w
}

func (w wire) send(lines ...string) {
	w.t.Helper()
	if err := w.ws.Write(w.t.Context(), websocket.MessageText, []byte(strings.Join(lines, "\n"))); err != nil {
		w.t.Error("send:", err)
	}
}

// next is the next frame, whatever it is, and at the end how it ended.
func (w wire) next() string {
	ctx, cancel := context.WithTimeout(w.t.Context(), 5*time.Minute)
	defer cancel()
	_, text, err := w.ws.Read(ctx)
	var closed websocket.CloseError
	switch {
	case errors.As(err, &closed):
		return fmt.Sprintf("closed %d %s", closed.Code, closed.Reason)
	case errors.Is(err, io.EOF):
		return "cut"
	case err != nil:
		return "error"
	}
	return string(text)
}

// said is the next frame that is no heartbeat.
func (w wire) said() string {
	for {
		if text := w.next(); text != "h" {
			return text
		}
	}
}

func (w wire) ask(lines ...string) string {
	w.t.Helper()
	w.send(lines...)
	return w.said()
}

func (w wire) authorize(token string) {
	w.t.Helper()
	if got := w.ask("authorize", "1", "", token); got != `a[{"i":1,"s":200}]` {
		w.t.Fatalf("authorize: %s", got)
	}
}

func want(t *testing.T, what, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("%s:\n got %s\nwant %s", what, got, want)
	}
}

func TestSocketAuthorize(t *testing.T) {
	for name, c := range map[string]struct {
		form tradovate.TokenForm
		body func(token string) string
		want string
	}{
		"raw":                {tradovate.TokenEither, func(s string) string { return s }, `a[{"i":0,"s":200}]`},
		"quoted":             {tradovate.TokenEither, func(s string) string { return `"` + s + `"` + "\n" }, `a[{"i":0,"s":200}]`},
		"wrong":              {tradovate.TokenEither, func(string) string { return "nonsense" }, `a[{"d":"Invalid access token","i":0,"s":401}]`},
		"none":               {tradovate.TokenEither, func(string) string { return "" }, `a[{"d":"Invalid access token","i":0,"s":401}]`},
		"quoted where raw":   {tradovate.TokenRaw, func(s string) string { return `"` + s + `"` }, `a[{"d":"Invalid access token","i":0,"s":401}]`},
		"raw where quoted":   {tradovate.TokenQuoted, func(s string) string { return s }, `a[{"d":"Invalid access token","i":0,"s":401}]`},
		"quoted where it is": {tradovate.TokenQuoted, func(s string) string { return `"` + s + `"` }, `a[{"i":0,"s":200}]`},
	} {
		t.Run(name, func(t *testing.T) {
			onLine(t, tradovate.Knobs{Socket: tradovate.SocketKnobs{Token: c.form}}, func(t *testing.T, v line) {
				access, _ := v.signIn()
				want(t, "authorize", v.dial(v.live, "127.0.0.1").ask("authorize", "0", "", c.body(access)), c.want)
			})
		})
	}
}

func TestSocketRequests(t *testing.T) {
	onLine(t, tradovate.Knobs{}, func(t *testing.T, v line) {
		access, md := v.signIn()
		w := v.dial(v.demo, "127.0.0.1")
		want(t, "too early", w.ask("account/list", "5"), `a[{"d":"Access is denied","i":5,"s":401}]`)
		w.authorize(access)
		for _, c := range []struct{ name, sent, want string }{
			{"list", "account/list\n2", `a[{"d":[{"accountType":"Customer","active":true,"id":5001,"name":"DEMO3100001","userId":1001}],"i":2,"s":200}]`},
			{"query", "contract/find\n3\nname=ESZ6", `a[{"d":{"contractMaturityId":4001,"id":3001,"name":"ESZ6","providerTickSize":0.25,"status":"DefinitionChecked"},"i":3,"s":200}]`},
			{"undefined body", "contract/find\n4\nname=NOPE\nundefined", `a[{"d":"Not found","i":4,"s":404}]`},
			{"unknown", "no/such\n5\n\n", `a[{"d":"Not found: no/such","i":5,"s":404}]`},
			{"other's sync", "user/syncrequest\n6\n\n" + `{"users":[9]}`, `a[{"d":"Access is denied","i":6,"s":401}]`},
			{"market data here", "md/subscribeQuote\n7\n\n" + `{"symbol":"ESZ6"}`, `a[{"d":"Not found: md/subscribequote","i":7,"s":404}]`},
			{"bad order", "order/placeorder\n8\n\n" + `{"accountId":5001,"symbol":"?"}`, `a[{"d":{"failureReason":"InvalidContract","failureText":"Order is not valid"},"i":8,"s":200}]`},
			{"foreign order", "order/placeorder\n9\n\n" + `{"accountId":1,"symbol":"ESZ6","orderQty":1}`, `a[{"d":"Access is denied","i":9,"s":401}]`},
		} {
			w.send(c.sent)
			want(t, c.name, w.said(), c.want)
		}
		want(t, "md token on the user's host", v.dial(v.demo, "127.0.0.1").ask("authorize", "1", "", md), `a[{"d":"Invalid access token","i":1,"s":401}]`)
		want(t, "JSON in place of lines", v.dial(v.demo, "127.0.0.1").ask(`{"url":"authorize"}`), "closed 1000 Bye")
	})
}

func TestSocketUserSync(t *testing.T) {
	for name, c := range map[string]struct {
		knobs tradovate.SocketKnobs
		body  string
		want  []string
	}{
		"no types is nothing":  {tradovate.SocketKnobs{}, `{"users":[1001]}`, []string{`a[{"d":{},"i":2,"s":200}]`}},
		"types":                {tradovate.SocketKnobs{}, `{"users":[1001],"entityTypes":["user","order"]}`, []string{`a[{"d":{"orders":[],"users":[{"id":1001,"name":"alice","status":"Active"}]},"i":2,"s":200}]`}},
		"split":                {tradovate.SocketKnobs{}, `{"users":[1001],"entityTypes":["user","order"],"splitResponses":true}`, []string{`a[{"d":{"users":[{"id":1001,"name":"alice","status":"Active"}]},"i":2,"s":200}]`, `a[{"d":{"orders":[]},"i":2,"s":200}]`}},
		"split into events":    {tradovate.SocketKnobs{Split: tradovate.SplitProps}, `{"users":[1001],"entityTypes":["user"],"splitResponses":true}`, []string{`a[{"d":{},"i":2,"s":200}]`, `a[{"d":{"entity":{"id":1001,"name":"alice","status":"Active"},"entityType":"user","eventType":"Created"},"e":"props"}]`}},
		"nobody is a mistake":  {tradovate.SocketKnobs{}, `{}`, []string{`a[{"d":"Bad request: users or accounts are needed","i":2,"s":400}]`}},
		"garbage is a mistake": {tradovate.SocketKnobs{}, `[`, []string{`a[{"d":"Bad request: users or accounts are needed","i":2,"s":400}]`}},
	} {
		t.Run(name, func(t *testing.T) {
			onLine(t, tradovate.Knobs{Socket: c.knobs}, func(t *testing.T, v line) {
				access, _ := v.signIn()
				w := v.dial(v.demo, "127.0.0.1")
				w.authorize(access)
				w.send("user/syncrequest", "2", "", c.body)
				for _, one := range c.want {
					want(t, "sync", w.said(), one)
				}
			})
		})
	}
	onLine(t, tradovate.Knobs{}, func(t *testing.T, v line) {
		access, _ := v.signIn()
		w := v.dial(v.demo, "127.0.0.1")
		w.authorize(access)
		w.ask("user/syncrequest", "2", "", `{"users":[1001],"entityTypes":["order"]}`)
		v.Change("alice", "position", "Updated", map[string]int{"id": 1}) // which nobody asked for
		want(t, "order's event", w.ask("order/placeorder", "3", "", `{"accountId":5001,"symbol":"ESZ6","orderQty":1,"action":"Buy","orderType":"Limit","price":6800}`),
			`a[{"d":{"entity":{"accountId":5001,"action":"Buy","admin":false,"contractId":3001,"id":1001,"ordStatus":"Working","timestamp":"2000-01-01T00:00:00.000Z"},"entityType":"order","eventType":"Created"},"e":"props"}]`)
		want(t, "order's answer", w.said(), `a[{"d":{"orderId":1001},"i":3,"s":200}]`)
	})
}

func TestSocketMarketData(t *testing.T) {
	onLine(t, tradovate.Knobs{}, func(t *testing.T, v line) {
		_, md := v.signIn()
		w := v.dial(v.md, "127.0.0.1")
		w.authorize(md)
		want(t, "unknown", w.ask("md/subscribeQuote", "2", "", `{"symbol":"X"}`), `a[{"d":{"errorCode":"UnknownSymbol","errorText":"Unknown symbol","mode":"None"},"i":2,"s":200}]`)
		for kind, list := range map[string]string{"Quote": "quotes", "DOM": "doms", "Histogram": "histograms"} {
			want(t, "subscribe", w.ask("md/subscribe"+kind, "3", "", `{"symbol":"ESZ6"}`), `a[{"d":{"mode":"RealTime"},"i":3,"s":200}]`)
			if got := w.next(); !strings.Contains(got, `"e":"md"`) || !strings.Contains(got, `{"`+list+`":[{`) || !strings.Contains(got, `"contractId":3001`) {
				t.Errorf("%s: %s", kind, got) // no h comes between
			}
			want(t, "unsubscribe", w.ask("md/unsubscribe"+kind, "4", "", `{"symbol":3001}`), `a[{"d":{},"i":4,"s":200}]`)
		}
		want(t, "chart", w.ask("md/getChart", "5", "", `{"symbol":"ESZ6","chartDescription":{"underlyingType":"MinuteBar"}}`), `a[{"d":{"historicalId":1001,"realtimeId":1002},"i":5,"s":200}]`)
		if got := w.next(); !strings.Contains(got, `"id":1001`) || !strings.Contains(got, `"eoh":true`) || !strings.Contains(got, `"id":1002`) {
			t.Error(got)
		}
		want(t, "cancel", w.ask("md/cancelChart", "6", "", `{"subscriptionId":1002}`), `a[{"d":{},"i":6,"s":200}]`)
	})
	onLine(t, tradovate.Knobs{Socket: tradovate.SocketKnobs{QuotesDenied: true}}, func(t *testing.T, v line) {
		access, _ := v.signIn()
		w := v.dial(v.md, "127.0.0.1")
		w.authorize(access) // the fallback
		want(t, "denied", w.ask("md/subscribeQuote", "2", "", `{"symbol":"ESZ6"}`), `a[{"d":"Access is denied","i":2,"s":401}]`)
	})
	for access, token := range map[tradovate.MarketAccess]int{tradovate.MarketByMDToken: 0, tradovate.MarketByAccessToken: 1} {
		onLine(t, tradovate.Knobs{Socket: tradovate.SocketKnobs{Market: access}}, func(t *testing.T, v line) {
			tokens := make([]string, 2)
			tokens[0], tokens[1] = v.signIn()
			want(t, "the other token", v.dial(v.md, "127.0.0.1").ask("authorize", "1", "", tokens[token]), `a[{"d":"Invalid access token","i":1,"s":401}]`)
		})
	}
}

func TestSocketClocks(t *testing.T) {
	onLine(t, tradovate.Knobs{}, func(t *testing.T, v line) {
		began := time.Now()
		w := v.dial(v.live, "127.0.0.1")
		want(t, "heartbeat", w.next(), "h")
		want(t, "after", time.Since(began).String(), "2.5s")
		want(t, "silent client", w.said(), "closed 1000 Inactivity")
		want(t, "after", time.Since(began).String(), "16s")
		w = v.dial(v.live, "127.0.0.1")
		beats := time.NewTicker(2 * time.Second)
		defer beats.Stop()
		began = time.Now()
		for range 14 {
			<-beats.C
			w.send("[]")
		}
		want(t, "nobody authorised", w.said(), "closed 1000 Not authorized")
		want(t, "after", time.Since(began).String(), "31s")
	})
}

func TestSocketTokenDies(t *testing.T) {
	for dead, expected := range map[tradovate.DeadToken]string{tradovate.DeadTokenKeeps: "h", tradovate.DeadTokenCloses: "closed 1000 Token expired", tradovate.DeadTokenStalls: "error"} {
		onLine(t, tradovate.Knobs{Socket: tradovate.SocketKnobs{Dead: dead, Inactivity: -1}}, func(t *testing.T, v line) {
			access, _ := v.signIn()
			w := v.dial(v.live, "127.0.0.1")
			w.authorize(access)
			v.Time().Advance(81 * time.Minute)
			time.Sleep(1500 * time.Millisecond) // virtual
			want(t, string(dead), w.next(), expected)
		})
	}
}

func TestSocketShutdown(t *testing.T) {
	for _, reason := range []string{tradovate.ShutdownMaintenance, tradovate.ShutdownConnectionQuota, tradovate.ShutdownIPQuota} {
		onLine(t, tradovate.Knobs{Socket: tradovate.SocketKnobs{CloseFrame: true, CloseCode: 3000}}, func(t *testing.T, v line) {
			w := v.dial(v.live, "127.0.0.1")
			v.ShutDown(reason, "Go away!")
			want(t, "event", w.next(), `a[{"d":{"reason":"Go away!","reasonCode":"`+reason+`"},"e":"shutdown"}]`)
			want(t, "frame", w.next(), `c[3000,"`+reason+`"]`)
			want(t, "close", w.next(), "closed 3000 "+reason)
		})
	}
}

func TestSocketLimits(t *testing.T) {
	for name, c := range map[string]struct {
		knobs  tradovate.SocketKnobs
		from   func(i int) string
		reason string
	}{
		"sockets":   {tradovate.SocketKnobs{Limit: 2}, func(int) string { return "127.0.0.1" }, tradovate.ShutdownConnectionQuota},
		"addresses": {tradovate.SocketKnobs{Addresses: 2}, func(i int) string { return fmt.Sprintf("192.0.2.%d", i) }, tradovate.ShutdownIPQuota},
		"kept":      {tradovate.SocketKnobs{Limit: 2, KeepToken: true}, func(int) string { return "127.0.0.1" }, tradovate.ShutdownConnectionQuota},
	} {
		onLine(t, tradovate.Knobs{Socket: c.knobs}, func(t *testing.T, v line) {
			old, _ := v.signIn()
			young, _ := v.signIn()
			first := v.dial(v.live, c.from(1))
			first.authorize(old)
			for i := range 2 {
				v.dial(v.live, c.from(i+2)).authorize(young)
			}
			want(t, name, first.said(), `a[{"d":{"reasonCode":"`+c.reason+`"},"e":"shutdown"}]`)
			want(t, name, first.said(), "closed 1000 "+c.reason)
			synctest.Wait()
			if v.Alive(old) != c.knobs.KeepToken || !v.Alive(young) || v.Sockets() != 2 {
				t.Error(name, v.Alive(old), v.Alive(young), v.Sockets())
			}
		})
	}
}

func TestSocketHandshakes(t *testing.T) {
	onLine(t, tradovate.Knobs{Socket: tradovate.SocketKnobs{Misdirected: true}}, func(t *testing.T, v line) {
		client := &http.Client{Transport: &http.Transport{DialContext: v.live.Dial, DisableKeepAlives: true}}
		for path, status := range map[string]int{"/v1/websocket": http.StatusMisdirectedRequest, "/websocket": http.StatusNotFound} {
			_, resp, err := websocket.Dial(t.Context(), "ws://venue"+path, &websocket.DialOptions{HTTPClient: client})
			if err == nil || resp == nil || resp.StatusCode != status {
				t.Error(path, resp, err)
			}
		}
	})
}

func TestSocketFaults(t *testing.T) {
	answer := `a[{"d":{"contractMaturityId":4001,"id":3001,"name":"ESZ6","providerTickSize":0.25,"status":"DefinitionChecked"},"i":2,"s":200}]`
	for kind, expected := range map[tradovate.SocketFaultKind][]string{
		tradovate.FaultSocketCutBefore: {"cut"},
		tradovate.FaultSocketCutAfter:  {"cut"},
		tradovate.FaultSocketRefuse:    {`a[{"i":2,"s":429}]`},
		tradovate.FaultSocketDrop:      {`a[{"d":[],"i":3,"s":200}]`},
		tradovate.FaultSocketMute:      {"error"},
		tradovate.FaultSocketStall:     {"error"},
		tradovate.FaultSocketTwice:     {answer, answer},
		tradovate.FaultSocketLate:      {`a[{"d":[],"i":3,"s":200}]`, answer},
		tradovate.FaultSocketHalf:      {answer[:len(answer)/2]},
		tradovate.FaultSocketGarbage:   {"\x00{garbage"},
		tradovate.FaultSocketHuge:      {"a" + strings.Repeat(" ", 40<<20)},
		tradovate.FaultSocketStranger:  {`a[{"d":"for somebody else","i":987654,"s":200}]`, answer},
	} {
		onLine(t, tradovate.Knobs{Socket: tradovate.SocketKnobs{Inactivity: -1}}, func(t *testing.T, v line) {
			access, _ := v.signIn()
			w := v.dial(v.live, "127.0.0.1")
			w.authorize(access)
			f := tradovate.SocketFault{Kind: kind, On: "contract/find", Delay: time.Second}
			if kind == tradovate.FaultSocketRefuse {
				f.Status = 429
			}
			v.InjectSocket(f)
			w.send("contract/find", "2", "name=ESZ6")
			if kind == tradovate.FaultSocketDrop || kind == tradovate.FaultSocketLate {
				w.send("account/list", "3")
				want(t, string(kind), w.said(), `a[{"d":[{"accountType":"Customer","active":true,"id":5002,"name":"3100002","userId":1001}],"i":3,"s":200}]`)
				expected = expected[1:]
			}
			for _, one := range expected {
				if got := w.said(); got != one {
					t.Errorf("%s: %.200q, not %.200q", kind, got, one)
				}
			}
		})
	}
}

func TestSocketPenalty(t *testing.T) {
	onLine(t, tradovate.Knobs{TokenPrefix: "hush-"}, func(t *testing.T, v line) {
		access, _ := v.signIn()
		w := v.dial(v.live, "127.0.0.1")
		w.authorize(access)
		v.InjectSocket(tradovate.SocketFault{Kind: tradovate.FaultSocketPenalty, On: "contract/find", Delay: 3 * time.Second})
		held := func(said string) (ticket string, wait int) {
			t.Helper()
			var frame []struct {
				D struct {
					Ticket string `json:"p-ticket"`
					Time   int    `json:"p-time"`
				}
			}
			if err := json.Unmarshal([]byte(strings.TrimPrefix(said, "a")), &frame); err != nil || len(frame) != 1 || frame[0].D.Ticket == "" {
				t.Fatalf("%s: %v", said, err)
			}
			return frame[0].D.Ticket, frame[0].D.Time
		}
		ticket, wait := held(w.ask("contract/find", "2", "name=ESZ6"))
		time.Sleep(time.Duration(wait) * time.Second)
		if _, longer := held(w.ask("contract/find", "3", "name=ESZ6", `{"p-ticket":"`+ticket+`","more":1}`)); longer != 2*wait {
			t.Errorf("another body: %d s after %d s", longer, wait)
		}
		ticket, wait = held(w.ask("contract/find", "4", "name=ESZ6"))
		time.Sleep(time.Duration(wait) * time.Second)
		w.send("[]")
		if got := w.ask("contract/find", "5", "name=ESZ6", `{"p-ticket":"`+ticket+`"}`); !strings.Contains(got, `"id":3001`) {
			t.Error(got)
		}
		if n := v.Log().Count(emulator.EventPenalty); n != 3 {
			t.Error(n, "penalties")
		}
	})
}

// In maintenance every socket is told why it ends, and none opens; one that is deaf beats on.
func TestSocketInMaintenance(t *testing.T) {
	onLine(t, tradovate.Knobs{Maintenance: true}, func(t *testing.T, v line) {
		time.Sleep(time.Until(time.Date(2000, 1, 3, 21, 0, 0, 0, time.UTC))) // Monday, 15:00 in Chicago
		access, _ := v.signIn()
		w := v.dial(v.demo, "127.0.0.1")
		w.authorize(access)
		w.ask("user/syncrequest", "2", "", `{"users":[1001],"entityTypes":["order"]}`)
		v.Time().Advance(time.Hour)
		want(t, "shutdown", w.said(), `a[{"d":{"reasonCode":"Maintenance"},"e":"shutdown"}]`)
	})
	onLine(t, tradovate.Knobs{Socket: tradovate.SocketKnobs{Deaf: true}}, func(t *testing.T, v line) {
		access, _ := v.signIn()
		w := v.dial(v.demo, "127.0.0.1")
		w.send("authorize", "1", "", access)
		for range 3 {
			if frame := w.next(); frame != "h" {
				t.Errorf("%q", frame)
			}
			w.send("[]")
		}
	})
}
