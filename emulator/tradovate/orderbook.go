package tradovate

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/venuekey/venuekey/emulator"
)

// orderbook.go owns the orders of all users, and what becomes of them: a market order is
// filled at once, at the price of the contract, and any other works until it is cancelled.
// The entities have the documented fields; their numbers are made up.

// orderBook has the entities of each user in each environment, by type. The zero value is ready to use.
type orderBook struct {
	mu    sync.Mutex
	users map[string]*holdings
}

// holdings are the entities of one user.
type holdings struct {
	orders, versions, fills, positions []map[string]any
}

// change is what the user syncs hear of the book.
type change struct {
	entityType, eventType string
	entity                map[string]any
}

func (b *orderBook) clear() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.users = nil
}

// of returns a user's holdings. The caller holds the lock.
func (b *orderBook) of(user string) *holdings {
	if b.users == nil {
		b.users = map[string]*holdings{}
	}
	if b.users[user] == nil {
		b.users[user] = &holdings{}
	}
	return b.users[user]
}

// list returns the entities of a type: order, orderVersion, fill or position.
func (b *orderBook) list(user, entityType string) []map[string]any {
	b.mu.Lock()
	defer b.mu.Unlock()
	h := b.of(user)
	list := map[string][]map[string]any{"order": h.orders, "orderversion": h.versions, "fill": h.fills, "position": h.positions}[strings.ToLower(entityType)]
	return append([]map[string]any{}, list...) // an empty list, not null
}

// placed is an order as a client asks for it.
type placed struct {
	AccountID int64    `json:"accountId"`
	Action    string   `json:"action"`
	Symbol    string   `json:"symbol"`
	OrderQty  float64  `json:"orderQty"`
	OrderType string   `json:"orderType"`
	Price     *float64 `json:"price"`
	StopPrice *float64 `json:"stopPrice"`
}

// isMarket reports whether an order is filled at once. One without a type is.
func (p placed) isMarket() bool { return p.OrderType == "" || p.OrderType == "Market" }

// place takes an order in, and fills one that is at the market.
func (b *orderBook) place(user string, p placed, of contract, id func() int64, now time.Time) (order map[string]any, changes []change) {
	b.mu.Lock()
	defer b.mu.Unlock()
	h, at := b.of(user), now.UTC().Format(timeFormat)
	order = map[string]any{"id": id(), "accountId": p.AccountID, "contractId": of.id, "timestamp": at, "action": p.Action, "ordStatus": "Working", "admin": false}
	version := map[string]any{"id": id(), "orderId": order["id"], "orderQty": p.OrderQty, "orderType": cmp.Or(p.OrderType, "Market")}
	if p.Price != nil {
		version["price"] = *p.Price
	}
	if p.StopPrice != nil {
		version["stopPrice"] = *p.StopPrice
	}
	h.orders, h.versions = append(h.orders, order), append(h.versions, version)
	changes = []change{{"order", "Created", order}, {"orderVersion", "Created", version}}
	if !p.isMarket() {
		return order, changes
	}
	filled := with(order, "ordStatus", "Filled")
	h.orders[len(h.orders)-1] = filled
	year, month, day := now.Date()
	date := map[string]any{"year": year, "month": int(month), "day": day}
	fill := map[string]any{"id": id(), "orderId": order["id"], "contractId": of.id, "timestamp": at, "tradeDate": date, "action": p.Action,
		"qty": p.OrderQty, "price": of.price, "active": true, "finallyPaired": 0}
	h.fills = append(h.fills, fill)
	position, how := h.trade(p, of, id, at, date)
	return filled, append(changes, change{"order", "Updated", filled}, change{"fill", "Created", fill}, change{"position", how, position})
}

// trade changes the position of an account in a contract. The caller holds the lock.
func (h *holdings) trade(p placed, of contract, id func() int64, at string, date map[string]any) (position map[string]any, how string) {
	i := slices.IndexFunc(h.positions, func(one map[string]any) bool {
		return one["accountId"] == p.AccountID && one["contractId"] == of.id
	})
	if how = "Updated"; i < 0 {
		i, how = len(h.positions), "Created"
		h.positions = append(h.positions, map[string]any{"id": id(), "accountId": p.AccountID, "contractId": of.id, "prevPos": 0, "netPos": 0.0,
			"bought": 0.0, "boughtValue": 0.0, "sold": 0.0, "soldValue": 0.0})
	}
	position = with(h.positions[i], "timestamp", at)
	position["tradeDate"], position["netPrice"] = date, of.price
	side, value, sign := "bought", "boughtValue", 1.0
	if p.Action == "Sell" {
		side, value, sign = "sold", "soldValue", -1
	}
	position[side] = position[side].(float64) + p.OrderQty
	position[value] = position[value].(float64) + p.OrderQty*of.price
	position["netPos"] = position["netPos"].(float64) + sign*p.OrderQty
	h.positions[i] = position
	return position, how
}

// working finds an order that can still be changed. The caller holds the lock.
func (h *holdings) working(id int64) (at int, found, works bool) {
	at = slices.IndexFunc(h.orders, func(one map[string]any) bool { return one["id"] == id })
	return at, at >= 0, at >= 0 && h.orders[at]["ordStatus"] == "Working"
}

// cancel cancels a working order; tooLate says that it works no more.
func (b *orderBook) cancel(user string, id int64) (changes []change, found, tooLate bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	h := b.of(user)
	at, found, works := h.working(id)
	if !works {
		return nil, found, found
	}
	h.orders[at] = with(h.orders[at], "ordStatus", "Canceled")
	return []change{{"order", "Updated", h.orders[at]}}, true, false
}

// modify gives a working order another version with other fields.
func (b *orderBook) modify(user string, id int64, fields map[string]any, next func() int64) (changes []change, found, tooLate bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	h := b.of(user)
	_, found, works := h.working(id)
	if !works {
		return nil, found, found
	}
	var version map[string]any
	for _, one := range h.versions {
		if one["orderId"] == id {
			version = one // the last one counts
		}
	}
	version = with(version, "id", next())
	for name, value := range fields {
		version[name] = value
	}
	h.versions = append(h.versions, version)
	return []change{{"orderVersion", "Created", version}}, true, false
}

// net is how many of a contract an account holds.
func (b *orderBook) net(user string, account, contract int64) float64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, one := range b.of(user).positions {
		if one["accountId"] == account && one["contractId"] == contract {
			return one["netPos"].(float64)
		}
	}
	return 0
}

// with returns a copy of an entity with one field changed: what was told of it stays.
func with(entity map[string]any, name string, value any) map[string]any {
	next := make(map[string]any, len(entity)+1)
	for n, v := range entity {
		next[n] = v
	}
	next[name] = value
	return next
}

// tell has the user syncs of an environment hear of changes, in order.
func (s *Server) tell(u emulator.User, env environment, changes []change) {
	for _, one := range s.sockets.all() {
		for _, c := range changes {
			if one.host.env == env {
				one.change(u.Name, c.entityType, c.eventType, c.entity)
			}
		}
	}
}

// closingOrder returns the order that ends a position of so many.
func closingOrder(account int64, of contract, net float64) placed {
	action := "Sell"
	if net < 0 {
		action = "Buy"
	}
	return placed{AccountID: account, Action: action, Symbol: of.name, OrderQty: math.Abs(net), OrderType: "Market"}
}
