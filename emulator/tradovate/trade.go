package tradovate

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/venuekey/venuekey/emulator"
)

// trade.go owns the operations on contracts, orders, fills and positions, which are the same
// over HTTP and on a WebSocket.

// The events of orders.
const (
	OrderPlaced    emulator.EventKind = "order-placed"
	OrderModified  emulator.EventKind = "order-modified"
	OrderCancelled emulator.EventKind = "order-cancelled"
)

// caller is who calls an operation, and where.
type caller struct {
	server *Server
	user   emulator.User
	env    environment
	// mayTrade says that orders are accepted from the caller's device.
	mayTrade bool
}

// operations are those that exist, and whether they send an order.
var operations = map[string]bool{
	"contract/find": false, "contract/item": false, "contract/items": false, "contract/suggest": false,
	"order/list": false, "order/item": false, "order/items": false, "orderversion/list": false, "fill/list": false, "position/list": false, "cashbalance/list": false,
	"order/placeorder": true, "order/modifyorder": true, "order/cancelorder": true, "order/liquidateposition": true,
}

// holder is whose orders are meant: a user has others at the other host.
func (c caller) holder() string { return holder(c.user, c.env) }

func holder(u emulator.User, env environment) string { return host{env: env}.String() + " " + u.Name }

// operate carries an operation out, by its name in lower case.
func (c caller) operate(name string, r request) answered {
	if operations[name] && !c.mayTrade {
		return refused(http.StatusUnauthorized, "Access is denied")
	}
	switch name {
	case "order/placeorder":
		return c.place(r)
	case "order/modifyorder", "order/cancelorder":
		return c.alter(name, r)
	case "order/liquidateposition":
		return c.liquidate(r)
	case "cashbalance/list":
		return answered{http.StatusOK, c.balances()}
	case "contract/find":
		return c.oneContract(r.query.Get("name"))
	case "contract/item":
		return c.oneContract(r.query.Get("id"))
	}
	entityType, how, _ := strings.Cut(name, "/")
	list := c.server.book.list(c.holder(), entityType)
	if entityType == "contract" {
		list = contractList(r.query.Get("t"))
	}
	if how == "item" || how == "items" {
		return pick(list, how, r)
	}
	return answered{http.StatusOK, list}
}

func (c caller) oneContract(symbol string) answered {
	if found, ok := contractBy(symbol); ok {
		return answered{http.StatusOK, found.fields()}
	}
	return refused(http.StatusNotFound, "Not found")
}

// contractList are the contracts whose names begin with a text.
func contractList(prefix string) []map[string]any {
	list := []map[string]any{}
	for _, one := range contracts {
		if strings.HasPrefix(one.name, strings.ToUpper(prefix)) {
			list = append(list, one.fields())
		}
	}
	return list
}

// pick returns the entity that is asked for by id, or those by ids.
func pick(list []map[string]any, how string, r request) answered {
	ids := strings.FieldsFunc(r.query.Get("id")+","+r.query.Get("ids"), func(c rune) bool { return c == ',' })
	found := slices.DeleteFunc(list, func(one map[string]any) bool {
		return !slices.Contains(ids, strconv.FormatInt(one["id"].(int64), 10))
	})
	switch {
	case how == "items":
		return answered{http.StatusOK, found}
	case len(found) == 0:
		return refused(http.StatusNotFound, "Not found")
	}
	return answered{http.StatusOK, found[0]}
}

// owns reports whether an account is the caller's, in this environment.
func (c caller) owns(account int64) bool {
	return slices.ContainsFunc(c.user.Accounts, func(a emulator.Account) bool { return a.ID == account && environment(a.Live) == c.env })
}

// declined is a failure inside a 200 (Tradovate facts §6).
func declined(reason, text string) answered {
	return answered{http.StatusOK, map[string]any{"failureReason": reason, "failureText": text}}
}

// place takes an order for an account of the user. It is not compared with others: an order
// that is sent twice is two orders.
func (c caller) place(r request) answered {
	var p placed
	if !r.read(&p) {
		return refused(http.StatusBadRequest, "Bad request")
	}
	of, known := contractBy(p.Symbol)
	switch {
	case !c.owns(p.AccountID):
		return refused(http.StatusUnauthorized, "Access is denied")
	case !known || p.OrderQty <= 0:
		return declined("InvalidContract", "Order is not valid")
	case !p.isMarket() && p.Price == nil && p.StopPrice == nil:
		return declined("InvalidPrice", "Price is missing")
	}
	return c.take(p, of)
}

// take has an order carried out.
func (c caller) take(p placed, of contract) answered {
	order, changes := c.server.book.place(c.holder(), p, of, c.server.sockets.nextID, c.server.core.Clock.Now())
	c.server.core.Record(emulator.Event{Kind: OrderPlaced, User: c.user.Name, Status: http.StatusOK, Detail: p.Action + " " + of.name})
	c.server.tell(c.user, c.env, changes)
	return answered{http.StatusOK, map[string]any{"orderId": order["id"]}}
}

// alter modifies or cancels a working order.
func (c caller) alter(name string, r request) answered {
	var asked struct {
		OrderID  int64    `json:"orderId"`
		OrderQty *float64 `json:"orderQty"`
		Price    *float64 `json:"price"`
		Stop     *float64 `json:"stopPrice"`
	}
	if !r.read(&asked) {
		return refused(http.StatusBadRequest, "Bad request")
	}
	fields := map[string]any{}
	if asked.OrderQty != nil {
		fields["orderQty"] = *asked.OrderQty
	}
	if asked.Price != nil {
		fields["price"] = *asked.Price
	}
	if asked.Stop != nil {
		fields["stopPrice"] = *asked.Stop
	}
	if asked.OrderQty != nil && *asked.OrderQty <= 0 {
		return declined("UnknownReason", "Order is not valid")
	}
	kind := OrderModified
	changes, found, tooLate := []change(nil), false, false
	if name == "order/cancelorder" {
		kind = OrderCancelled
		changes, found, tooLate = c.server.book.cancel(c.holder(), asked.OrderID)
	} else {
		changes, found, tooLate = c.server.book.modify(c.holder(), asked.OrderID, fields, c.server.sockets.nextID)
	}
	switch {
	case !found:
		return refused(http.StatusNotFound, "Not found")
	case tooLate:
		return declined("TooLate", "The order is not working any more")
	}
	c.server.core.Record(emulator.Event{Kind: kind, User: c.user.Name, Status: http.StatusOK, Detail: strconv.FormatInt(asked.OrderID, 10)})
	c.server.tell(c.user, c.env, changes)
	return answered{http.StatusOK, map[string]any{"commandId": c.server.sockets.nextID()}}
}

// liquidate ends a position at the market.
func (c caller) liquidate(r request) answered {
	var asked struct {
		AccountID  int64 `json:"accountId"`
		ContractID int64 `json:"contractId"`
	}
	if !r.read(&asked) {
		return refused(http.StatusBadRequest, "Bad request")
	}
	of, known := contractBy(strconv.FormatInt(asked.ContractID, 10))
	net := c.server.book.net(c.holder(), asked.AccountID, asked.ContractID)
	switch {
	case !c.owns(asked.AccountID):
		return refused(http.StatusUnauthorized, "Access is denied")
	case !known || net == 0:
		return declined("UnknownReason", "There is no position")
	}
	return c.take(closingOrder(asked.AccountID, of, net), of)
}

// balances are made up: every account has the same.
func (c caller) balances() []map[string]any {
	now := c.server.core.Clock.Now().UTC()
	list := []map[string]any{}
	for _, a := range c.user.Accounts {
		if environment(a.Live) == c.env {
			list = append(list, map[string]any{"id": a.ID, "accountId": a.ID, "timestamp": now.Format(timeFormat),
				"tradeDate": map[string]any{"year": now.Year(), "month": int(now.Month()), "day": now.Day()}, "currencyId": 1, "amount": 50000.0})
		}
	}
	return list
}
