package tradovate_test

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/venuekey/venuekey/emulator"
	"github.com/venuekey/venuekey/emulator/tradovate"
	"github.com/venuekey/venuekey/internal/needs"
	"github.com/venuekey/venuekey/internal/npmtest"
)

// interop_test.go owns interoperability with a client written by others: tradovate from npm,
// which has the real hosts written into it, as it is. testdata/interop pins it and drives it.

// What the server has to take from this client, beside what ours does: a question mark without
// a query, a Content-Type on every GET, an order of headers in which the token comes first,
// a JSON body on authorize that is the raw token, and heartbeats only as a timer's.
func TestAClientThatIsNotOurs(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	folder := npmtest.Install(ctx, t, "testdata/interop")

	const zone = ".tradovateapi.com"
	s := &tradovate.Server{Knobs: tradovate.Knobs{Socket: tradovate.SocketKnobs{QuoteEvery: 50 * time.Millisecond, Inactivity: 4 * time.Second}}}
	authority := emulator.NewAuthority("live"+zone, "demo"+zone, "md"+zone)
	ports := map[string]int{}
	for name, handler := range map[string]http.Handler{"live": s, "demo": s.Demo(), "md": s.MarketData()} {
		web := httptest.NewUnstartedServer(handler)
		web.TLS = authority.Config()
		web.StartTLS()
		defer web.Close()
		ports[name+zone] = web.Listener.Addr().(*net.TCPAddr).Port
	}
	defer s.CloseSockets()
	text, err := json.Marshal(ports)
	if err != nil {
		t.Fatal(err)
	}
	patience := 0
	if needs.Slow() {
		patience = 6000 // more than Inactivity: its heartbeats keep the sockets open
	}
	t.Setenv("EMULATED_PORTS", string(text))
	steps := npmtest.Run(ctx, t, folder, authority.PEM(), map[string]any{
		"credentials": loginBody("cid", "42"), "account": 5001, "patience": patience,
	}, "--require", "./hosts.cjs")
	for _, want := range []struct{ step, got string }{
		{"wrong password", `Incorrect username or password`},
		{"connect", `"userId":1001`},
		{"accounts", `"name":"DEMO3100001"`},
		{"me", `"fullName":"alice"`},
		{"renew", `"accessToken"`},
		{"order", `"orderId":`},
		{"authorize", `true`},
		{"sync", `"ordStatus":"Filled"`},
		{"contract", `"name":"ESZ6"`},
		{"events", `"order Created","order Updated","position Updated"`},
		{"quotes", `"Bid":{`},
		{"still open", `true`},
	} {
		if got := steps[want.step]; !strings.Contains(got, want.got) {
			t.Errorf("%s: %s came, not %s", want.step, got, want.got)
		}
	}
	for kind, want := range map[emulator.EventKind]int{
		emulator.EventLoginRefused: 1, emulator.EventLoginGranted: 1, emulator.EventRenewGranted: 1, emulator.EventMeAnswered: 1,
		tradovate.SocketAuthorized: 2, tradovate.OrderPlaced: 2, tradovate.Subscribed: 1, tradovate.SocketClosed: 0,
	} {
		if got := s.Log().Count(kind); got != want {
			t.Errorf("%s: %d times, not %d", kind, got, want)
		}
	}
}
