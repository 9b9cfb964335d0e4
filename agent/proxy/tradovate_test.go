package proxy_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/coder/websocket"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/agent"
	"github.com/venuekey/venuekey/agent/consumer"
	"github.com/venuekey/venuekey/agent/proxy"
	emulated "github.com/venuekey/venuekey/emulator/tradovate"
	"github.com/venuekey/venuekey/internal/keepertest"
	"github.com/venuekey/venuekey/store/memory"
	"github.com/venuekey/venuekey/venue/tradovate"
)

// tradovate_test.go owns the stories of Tradovate's API: its calls, and its WebSocket, on which
// the token goes in a message.

var bot = venuekey.ID{Venue: "tradovate", Name: "bot"}

// desk is an emulated Tradovate, an agent, and a program that has no token.
type desk struct {
	stage
	server *emulated.Server
	asked  []proxy.Asked
}

// open opens a desk; only, unless nil, is whose rights the program has.
func open(t *testing.T, only *consumer.Consumer) *desk {
	t.Helper()
	d := &desk{server: &emulated.Server{}}
	demo, market := httptest.NewServer(d.server.Demo()), httptest.NewServer(d.server.MarketData())
	t.Cleanup(func() { d.server.CloseSockets(); demo.Close(); market.Close() })
	d.t, d.socket = t, filepath.Join(t.TempDir(), "a", "agent.sock")
	d.keeper = keepertest.New(t, &memory.Store{}, tradovate.Venue{})
	d.keeper.Apps = func(context.Context, string) (venuekey.App, error) {
		return venuekey.App{Venue: "tradovate", Environment: "demo", URLs: map[string]string{"base": demo.URL, "md": market.URL + "/v1"},
			Params: map[string]venuekey.Secret{"cid": "42", "sec": "demo-sec", "app_id": "venuekey", "app_version": "1", "device_id": "d"}}, nil
	}
	keepertest.SignIn(t, d.keeper, bot)
	d.proxy = &proxy.Handler{Keeper: d.keeper, Told: func(_ *http.Request, _ venuekey.ID, asked proxy.Asked, _ int64, outcome error) error {
		if outcome == nil {
			d.asked = append(d.asked, asked)
		}
		return nil
	}}
	if only != nil {
		d.proxy.Allow = func(_ *http.Request, _ venuekey.ID, asked proxy.Asked) error {
			if asked == (proxy.Asked{}) {
				return nil
			}
			return only.MayCall(asked.Method, asked.Name, asked.Effect)
		}
	}
	t.Cleanup(d.proxy.CloseIdleConnections)
	listener, err := agent.Listen(d.socket)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- (&agent.Server{Keeper: d.keeper, Proxy: d.proxy}).Serve(ctx, listener) }()
	d.client = &http.Client{Transport: &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) { return d.dial() }}}
	t.Cleanup(func() { d.client.CloseIdleConnections(); cancel(); <-ended })
	return d
}

// connect opens a WebSocket through the proxy and reads what opens it.
func (d *desk) connect(path string) *conversation {
	d.t.Helper()
	conn, _, err := websocket.Dial(d.t.Context(), "ws://agent"+path, &websocket.DialOptions{HTTPClient: d.client})
	if err != nil {
		d.t.Fatal(err)
	}
	d.t.Cleanup(func() { _ = conn.CloseNow() })
	conn.SetReadLimit(-1)
	c := &conversation{d.t, conn}
	if got := c.hear(); got != "o" {
		d.t.Fatalf("the WebSocket began with %q", got)
	}
	return c
}

type conversation struct {
	t    testing.TB
	conn *websocket.Conn
}

func (c *conversation) say(text string) {
	c.t.Helper()
	if err := c.conn.Write(c.t.Context(), websocket.MessageText, []byte(text)); err != nil {
		c.t.Fatal(err)
	}
}

func (c *conversation) hear() string {
	c.t.Helper()
	_, text, err := c.conn.Read(c.t.Context())
	if err != nil {
		c.t.Fatal(err)
	}
	return string(text)
}

// ask says a request and returns its answer.
func (c *conversation) ask(text string) string {
	c.t.Helper()
	c.say(text)
	return c.hear()
}

func TestTradovateIsCalledWithoutAToken(t *testing.T) {
	t.Parallel()
	d := open(t, nil)
	for _, path := range []string{"account/list", "v1/account/list", "Contract/Find?name=ESZ6"} {
		status, body, _ := d.call("GET", "/proxy/tradovate/bot/"+path, "")
		if status != 200 || !json.Valid([]byte(body)) {
			t.Error(path, "was answered", status, body)
		}
	}
	status, body, _ := d.call("POST", "/proxy/tradovate/bot/order/placeorder", `{"accountId":5001,"action":"Buy","symbol":"ESZ6","orderQty":1,"orderType":"Market"}`, "Content-Type", "application/json")
	if status != 200 || !strings.Contains(body, "orderId") {
		t.Error("an order was answered", status, body)
	}
	want := "[GET account/list GET account/list GET contract/find POST order/placeorder]"
	if got := fmt.Sprint(d.asked); got != want {
		t.Errorf("forwarded %s, want %s", got, want)
	}
}

// What hands out tokens or ends them is nobody's to call, on any way to write it.
func TestAttackAProxyThatHandsOutTokens(t *testing.T) {
	t.Parallel()
	d := open(t, nil)
	for _, path := range []string{
		"auth/renewaccesstoken", "auth/renewAccessToken", "v1/auth/renewaccesstoken", "V1/AUTH/RENEWACCESSTOKEN", "auth/renewaccesstoken/",
		"auth/oauthtoken", "auth/accesstokenrequest", "v1/auth/oauthtoken?x=1", "@demo/auth/renewaccesstoken", "auth", "auth/",
	} {
		for _, method := range []string{"GET", "POST"} {
			status, body, _ := d.call(method, "/proxy/tradovate/bot/"+path, "")
			if status != http.StatusForbidden || strings.Contains(strings.ToLower(body), "accesstoken\"") {
				t.Error(method, path, "was answered", status, body)
			}
		}
	}
	socket := d.connect("/proxy/tradovate/bot/websocket")
	if got := socket.ask("auth/renewAccessToken\n5\n\n"); !strings.HasPrefix(got, `a[{"s":403,"i":5`) {
		t.Error("a renewal over the WebSocket was answered", got)
	}
	if got := socket.ask("v1/Auth/RenewAccessToken\n6\n\n"); !strings.HasPrefix(got, `a[{"s":403,"i":6`) {
		t.Error("a renewal over the WebSocket was answered", got)
	}
	if len(d.asked) > 1 { // the WebSocket itself
		t.Error("forwarded", d.asked)
	}
}

func TestAWebSocketIsAuthorisedByTheProxy(t *testing.T) {
	t.Parallel()
	d := open(t, nil)
	socket := d.connect("/proxy/tradovate/bot/v1/websocket")
	if got := socket.ask("authorize\n0\n\nwhatever"); !strings.Contains(got, `"s":200`) || !strings.Contains(got, `"i":0`) {
		t.Fatal("authorize was answered", got)
	}
	if got := socket.ask("account/list\n1\n\n"); !strings.Contains(got, `"s":200`) || !strings.Contains(got, `"i":1`) {
		t.Error("account/list was answered", got)
	}
	socket.say("[]")
	if got := socket.ask(`order/placeorder` + "\n2\n\n" + `{"accountId":5001,"action":"Buy","symbol":"ESZ6","orderQty":1,"orderType":"Market"}`); !strings.Contains(got, "orderId") {
		t.Error("an order was answered", got)
	}
	market := d.connect("/proxy/tradovate/bot/@md/websocket")
	if got := market.ask("authorize\n1\n\n"); !strings.Contains(got, `"s":200`) {
		t.Error("authorize at the market data was answered", got)
	}
	want := "[GET websocket SOCKET authorize SOCKET account/list SOCKET order/placeorder GET websocket SOCKET authorize]"
	if got := fmt.Sprint(d.asked); got != want {
		t.Errorf("forwarded %s, want %s", got, want)
	}
}

// A read-only program sees everything and trades nothing, over HTTP and over the WebSocket.
func TestAttackAReadOnlyProgramThatTrades(t *testing.T) {
	t.Parallel()
	d := open(t, &consumer.Consumer{Name: "viewer", ReadOnly: true})
	order := `{"accountId":5001,"action":"Buy","symbol":"ESZ6","orderQty":1,"orderType":"Market"}`
	for _, path := range []string{"order/placeorder", "Order/PlaceOrder", "v1/order/placeorder", "order/placeorder/", "order/cancelorder", "@demo/order/placeorder", "user/anything", "order", ""} {
		for _, method := range []string{"GET", "POST", "HEAD", "PUT"} {
			if status, body, _ := d.call(method, "/proxy/tradovate/bot/"+path, order); status != http.StatusForbidden {
				t.Error(method, path, "was answered", status, body)
			}
		}
	}
	if status, body, _ := d.call("GET", "/proxy/tradovate/bot/order/list", ""); status != 200 || body != "[]\n" && body != "[]" {
		t.Error("order/list was answered", status, body)
	}
	socket := d.connect("/proxy/tradovate/bot/websocket")
	if got := socket.ask("authorize\n1\n\n"); !strings.Contains(got, `"s":200`) {
		t.Fatal("authorize was answered", got)
	}
	for i, name := range []string{"order/placeorder", "Order/PlaceOrder", "/order/placeorder/", "v1/order/placeorder", "order/placeorder\r"} {
		if got := socket.ask(fmt.Sprintf("%s\n%d\n\n%s", name, i+10, order)); !strings.HasPrefix(got, fmt.Sprintf(`a[{"s":403,"i":%d,`, i+10)) {
			t.Errorf("%q was answered %s", name, got)
		}
	}
	if got := socket.ask("order/list\n20\n\n"); !strings.Contains(got, `"i":20`) || !strings.Contains(got, `"d":[]`) {
		t.Error("order/list was answered", got)
	}
	for _, odd := range []string{"order/placeorder\x00/list\n30\n\n" + order, "order/placeorder?/list\n31\n\n" + order, "order/place\u212aorder/list\n32\n\n"} {
		again := d.connect("/proxy/tradovate/bot/websocket")
		again.ask("authorize\n1\n\n")
		again.say(odd)
		if _, text, err := again.conn.Read(t.Context()); err == nil && !strings.HasPrefix(string(text), `a[{"s":403`) {
			t.Errorf("%q was answered %s", odd, text)
		}
	}
	if status, body, _ := d.call("GET", "/proxy/tradovate/bot/order/list", ""); strings.Contains(body, "ESZ6") || strings.Contains(body, `"id"`) {
		t.Error("there is an order:", status, body)
	}
}

// What the venue closes, and how, the program learns; and the reverse.
func TestAWebSocketEndsOnBothSides(t *testing.T) {
	t.Parallel()
	d := open(t, nil)
	socket := d.connect("/proxy/tradovate/bot/websocket")
	socket.ask("authorize\n1\n\n")
	d.server.ShutDown(emulated.ShutdownMaintenance, "")
	for {
		_, text, err := socket.conn.Read(t.Context())
		if err == nil {
			if !strings.Contains(string(text), "shutdown") {
				t.Error("the program heard", string(text))
			}
			continue
		}
		if websocket.CloseStatus(err) != websocket.StatusNormalClosure {
			t.Error("the WebSocket ended with", err)
		}
		break
	}
	another := d.connect("/proxy/tradovate/bot/websocket")
	_ = another.conn.Close(websocket.StatusNormalClosure, "done")
	for d.server.Sockets() > 0 { // until the venue's side is closed too
		runtime.Gosched()
	}
}
