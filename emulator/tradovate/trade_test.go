package tradovate_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/venuekey/venuekey/emulator/internal/apptest"
	"github.com/venuekey/venuekey/emulator/tradovate"
)

// trade_test.go tests the operations beside sign-ins by plain HTTP: the order book, and what
// keeps an order out of it.

// call sends an operation to the demo host, where account 5001 is.
func (v venue) call(access, name string, body any) apptest.Answer {
	v.T.Helper()
	if body == nil {
		return v.Request("GET", v.demo+"/v1/"+name, "", "Authorization", "Bearer "+access)
	}
	text, err := json.Marshal(body)
	if err != nil {
		v.T.Fatal(err)
	}
	return v.Request("POST", v.demo+"/v1/"+name, string(text), "Content-Type", asJSON, "Authorization", "Bearer "+access)
}

type object = map[string]any

// list reads an answer that is a list.
func list(t *testing.T, a apptest.Answer) (list []object) {
	t.Helper()
	if err := json.Unmarshal([]byte(a.Body), &list); err != nil || a.Status != 200 {
		t.Fatalf("%d %s", a.Status, a.Body)
	}
	return list
}

// A limit order works, is modified and cancelled; a market order is filled, and its position is
// closed again. Everything is there to be read, by list and by item.
func TestTheOrderBook(t *testing.T) {
	t.Parallel()
	v := open(t, tradovate.Knobs{})
	access := v.session()
	limit := v.call(access, "order/placeOrder", object{"accountId": 5001, "symbol": "ESZ6", "action": "Buy", "orderQty": 2, "orderType": "Limit", "price": 6800})
	id := limit.Keys["orderId"]
	if id == nil {
		t.Fatal(limit.Body)
	}
	if a := v.call(access, "order/modifyOrder", object{"orderId": id, "orderQty": 3, "price": 6801.5}); a.Keys["commandId"] == nil {
		t.Error(a.Body)
	}
	versions := list(t, v.call(access, "orderVersion/list", nil))
	if last := versions[len(versions)-1]; len(versions) != 2 || last["orderQty"] != 3.0 || last["price"] != 6801.5 || last["orderId"] != id {
		t.Error(versions)
	}
	if a := v.call(access, "order/cancelOrder", object{"orderId": id}); a.Keys["commandId"] == nil {
		t.Error(a.Body)
	}
	if a := v.call(access, fmt.Sprintf("order/item?id=%.0f", id), nil); a.Text("ordStatus") != "Canceled" {
		t.Error(a.Body)
	}
	if a := v.call(access, "order/cancelOrder", object{"orderId": id}); a.Status != 200 || a.Text("failureReason") != "TooLate" {
		t.Error(a.Body)
	}
	if a := v.call(access, "order/cancelOrder", object{"orderId": 999}); a.Status != 404 {
		t.Error(a.Status, a.Body)
	}
	if a := v.call(access, "order/modifyOrder", object{"orderId": id, "orderQty": 0}); a.Text("failureReason") == "" {
		t.Error(a.Body)
	}
	for range 2 { // an order that is sent twice is two orders
		v.call(access, "order/placeOrder", object{"accountId": 5001, "symbol": "ESZ6", "action": "Sell", "orderQty": 1, "orderType": "Market"})
	}
	if orders, fills := list(t, v.call(access, "order/list", nil)), list(t, v.call(access, "fill/list", nil)); len(orders) != 3 || orders[1]["ordStatus"] != "Filled" || len(fills) != 2 {
		t.Error(orders, fills)
	}
	if p := list(t, v.call(access, "position/list", nil)); len(p) != 1 || p[0]["netPos"] != -2.0 || p[0]["sold"] != 2.0 {
		t.Error(p)
	}
	if a := v.call(access, "order/liquidatePosition", object{"accountId": 5001, "contractId": 3001}); a.Keys["orderId"] == nil {
		t.Error(a.Body)
	}
	if p := list(t, v.call(access, "position/list", nil)); p[0]["netPos"] != 0.0 {
		t.Error(p)
	}
	if a := v.call(access, "order/liquidatePosition", object{"accountId": 5001, "contractId": 3001}); a.Text("failureReason") == "" {
		t.Error(a.Body)
	}
	if n := v.Log().Count(tradovate.OrderPlaced); n != 4 {
		t.Errorf("%d orders in the log", n)
	}
	if a := v.get("/v1/order/list", access); strings.TrimSpace(a.Body) != "[]" { // on live the user has none
		t.Error(a.Body)
	}
	if c := list(t, v.call(access, "contract/suggest?t=es", nil)); len(c) != 1 || c[0]["name"] != "ESZ6" {
		t.Error(c)
	}
	if c := list(t, v.call(access, "contract/items?ids=3001,3003", nil)); len(c) != 2 {
		t.Error(c)
	}
	if b := list(t, v.call(access, "cashBalance/list", nil)); len(b) != 1 || b[0]["accountId"] != 5001.0 {
		t.Error(b)
	}
}

func TestOrdersThatAreNotTaken(t *testing.T) {
	t.Parallel()
	v := open(t, tradovate.Knobs{})
	access := v.session()
	order := func(change ...any) object {
		o := object{"accountId": 5001, "symbol": "ESZ6", "action": "Buy", "orderQty": 1, "orderType": "Market"}
		for i := 0; i < len(change); i += 2 {
			o[change[i].(string)] = change[i+1]
		}
		return o
	}
	for name, test := range map[string]struct {
		body   any
		status int
		said   string
	}{
		"an unknown symbol":         {order("symbol", "XX"), 200, "InvalidContract"},
		"no quantity":               {order("orderQty", 0), 200, "InvalidContract"},
		"a limit without a price":   {order("orderType", "Limit"), 200, "InvalidPrice"},
		"another user's account":    {order("accountId", 1), 401, "Access is denied"},
		"an account of live":        {order("accountId", 5002), 401, "Access is denied"},
		"something that is no JSON": {"x", 400, "Bad request"},
	} {
		if a := v.call(access, "order/placeOrder", test.body); a.Status != test.status || !strings.Contains(a.Body, test.said) {
			t.Errorf("%s: %d %s", name, a.Status, a.Body)
		}
	}
	if n := v.Log().Count(tradovate.OrderPlaced); n != 0 {
		t.Errorf("%d orders were taken", n)
	}
}

// From a device that is not approved reads are answered, and so are orders on demo; on live
// they get the 401 that nine of ten complaints are about (Tradovate facts §1.5).
func TestADeviceThatIsNotApproved(t *testing.T) {
	t.Parallel()
	v := open(t, tradovate.Knobs{UnapprovedDevice: strings.Repeat("ab", 32)})
	access := v.session()
	onLive := func() apptest.Answer {
		return v.Request("POST", v.live+"/v1/order/placeorder", `{"accountId":5002,"symbol":"ESZ6","action":"Buy","orderQty":1}`, "Content-Type", asJSON, "Authorization", "Bearer "+access)
	}
	if a := onLive(); a.Status != 401 || a.Body != "Access is denied" {
		t.Errorf("%d %q", a.Status, a.Body)
	}
	if a := v.get("/v1/order/list", access); a.Status != 200 {
		t.Errorf("%d %q", a.Status, a.Body)
	}
	if a := v.call(access, "order/placeOrder", object{"accountId": 5001, "symbol": "ESZ6", "action": "Buy", "orderQty": 1}); a.Keys["orderId"] == nil {
		t.Errorf("%d %q", a.Status, a.Body)
	}
	access = v.renew(access).Text("accessToken") // a renewal is from the same device
	if a := onLive(); a.Status != 401 {
		t.Errorf("%d %q", a.Status, a.Body)
	}
	v.Tune(func(k *tradovate.Knobs) { k.UnapprovedDevice = "" })
	if a := onLive(); a.Keys["orderId"] == nil {
		t.Errorf("approved: %d %q", a.Status, a.Body)
	}
}

// A user who asks for too much is answered 429 everywhere, for an hour that every request
// begins anew, after a 423 if so set; other users are not.
func TestTheLimitOfAUser(t *testing.T) {
	t.Parallel()
	v := open(t, tradovate.Knobs{UserLimit: 3, UserWarned: true, AccessLife: 24 * time.Hour})
	access := v.session()
	for range 3 {
		if a := v.get("/v1/account/list", access); a.Status != 200 {
			t.Fatal(a.Status)
		}
	}
	if a := v.get("/v1/account/list", access); a.Status != 423 {
		t.Errorf("the warning: %d", a.Status)
	}
	for _, wait := range []time.Duration{0, 59 * time.Minute, 59 * time.Minute} {
		v.Time().Advance(wait)
		if a := v.renew(access); !bare429(a) {
			t.Errorf("%d %q", a.Status, a.Body)
		}
	}
	v.Time().Advance(time.Hour)
	if a := v.get("/v1/account/list", access); a.Status != 200 {
		t.Errorf("after an hour of silence: %d", a.Status)
	}
}

// What is known of failed sign-ins beside penalties are switches.
func TestFailedSignInsThatLock(t *testing.T) {
	t.Parallel()
	v := open(t, tradovate.Knobs{LockAfter: 3, PenaltyAfter: -1})
	for range 3 {
		if a := v.login("password", "wrong"); a.Status != 200 || a.Text("errorText") == "" {
			t.Fatal(a.Status, a.Body)
		}
	}
	if a := v.login(); a.Status != 423 {
		t.Errorf("%d %s", a.Status, a.Body)
	}
	v.Time().Advance(time.Hour)
	if a := v.login(); a.Text("accessToken") == "" {
		t.Errorf("after an hour: %d %s", a.Status, a.Body)
	}
	v = open(t, tradovate.Knobs{RefusesRight: 10 * time.Minute, PenaltyAfter: 2, PenaltyWait: time.Second})
	v.login("password", "wrong")
	v.login("password", "wrong")
	ticket := v.login().Text("p-ticket")
	v.Time().Advance(time.Second)
	if a := v.login("p-ticket", ticket); !strings.HasPrefix(a.Text("errorText"), "Incorrect") {
		t.Errorf("a right password: %d %s", a.Status, a.Body)
	}
	ticket = v.login().Text("p-ticket")
	v.Time().Advance(10 * time.Minute)
	if a := v.login("p-ticket", ticket); a.Text("accessToken") == "" {
		t.Errorf("ten minutes later: %d %s", a.Status, a.Body)
	}
}

// The published windows, by the clock of Chicago (Tradovate facts §1.7).
func TestMaintenanceByTheClock(t *testing.T) {
	t.Parallel()
	v := open(t, tradovate.Knobs{Maintenance: true})
	zone, err := time.LoadLocation("America/Chicago")
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		at   string
		down bool
	}{
		{"2000-01-03 15:59", false}, {"2000-01-03 16:00", true}, {"2000-01-03 16:59", true}, {"2000-01-03 17:00", false}, // Monday
		{"2000-01-06 16:30", true}, {"2000-01-07 16:00", true}, {"2000-01-07 19:59", true}, {"2000-01-07 20:00", false}, // Friday
		{"2000-01-08 16:30", false}, {"2000-01-08 22:00", true}, {"2000-01-09 06:29", true}, {"2000-01-09 06:30", false}, {"2000-01-09 16:30", false},
	} {
		at, err := time.ParseInLocation("2006-01-02 15:04", test.at, zone)
		if err != nil {
			t.Fatal(err)
		}
		v.Time().Advance(at.Sub(v.Time().Now()))
		if a := v.login(); (a.Status == 503) != test.down || (a.Status == 200) == test.down {
			t.Errorf("%s: %d", test.at, a.Status)
		}
	}
	if a := v.login(); a.Status != 200 {
		t.Error(a.Status)
	}
}

// A key without the permission gets no list of accounts, and a refresh may end the old access
// token.
func TestSwitchesBesideThem(t *testing.T) {
	t.Parallel()
	v := open(t, tradovate.Knobs{AccountsDenied: true, RefreshKillsOld: true})
	if a := v.get("/v1/account/list", v.session()); a.Status != 401 {
		t.Errorf("%d %s", a.Status, a.Body)
	}
	a := v.token(apptest.ExchangeForm(v.code()))
	if b := v.token(apptest.RefreshForm(a.Text("refresh_token"))); !v.Alive(b.Text("access_token")) || v.Alive(a.Text("access_token")) {
		t.Errorf("%v", b.Keys)
	}
}
