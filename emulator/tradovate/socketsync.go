package tradovate

import (
	"net/http"
	"slices"

	"github.com/venuekey/venuekey/emulator"
)

// socketsync.go owns user syncs, and the order that they tell of (Tradovate facts §5).

// The events of user syncs and orders.
const (
	SyncAsked   emulator.EventKind = "sync-asked"
	OrderPlaced emulator.EventKind = "order-placed"
)

// syncRequest is what a client asked to hear of.
type syncRequest struct {
	Users          []int64  `json:"users"`
	Accounts       []int64  `json:"accounts"`
	EntityTypes    []string `json:"entityTypes"`
	SplitResponses bool     `json:"splitResponses"`
}

func (q *syncRequest) wants(entityType string) bool {
	return slices.Contains(q.EntityTypes, entityType)
}

// entityTypes are those that a snapshot has here.
var entityTypes = []string{"user", "account", "position", "order", "fill", "cashBalance", "contract"}

// parts are an answer that comes in several.
type parts []map[string]any

// synchronise answers with the state of the user, and has changes follow. It cannot be
// taken back.
func (c *socket) synchronise(r request, u emulator.User) answered {
	k := c.server.Current().filled().Socket
	var q syncRequest
	if !r.read(&q) || len(q.Users)+len(q.Accounts) == 0 {
		return refused(http.StatusBadRequest, "Bad request: users or accounts are needed")
	}
	for _, id := range q.Users {
		if id != u.ID {
			return refused(http.StatusUnauthorized, "Access is denied")
		}
	}
	if len(q.EntityTypes) == 0 && k.SyncAll {
		q.EntityTypes = entityTypes
	}
	c.mu.Lock()
	c.sync = &q
	c.mu.Unlock()
	c.server.core.Record(emulator.Event{Kind: SyncAsked, User: u.Name, Status: http.StatusOK})
	snapshot := c.snapshot(u, &q)
	if !q.SplitResponses || len(snapshot) == 0 {
		return answered{http.StatusOK, snapshot}
	}
	var list parts
	for _, name := range entityTypes {
		if entities, ok := snapshot[name+"s"]; ok {
			list = append(list, map[string]any{name + "s": entities})
		}
	}
	if k.Split == SplitAnswers {
		return answered{http.StatusOK, list}
	}
	c.tell(map[string]any{"s": http.StatusOK, "i": r.id, "d": map[string]any{}})
	for _, name := range entityTypes {
		if entities, ok := snapshot[name+"s"].([]map[string]any); ok {
			for _, entity := range entities {
				c.change(u.Name, name, "Created", entity)
			}
		}
	}
	return answered{http.StatusOK, parts{}}
}

// snapshot is the state of the user, each list under the plural of its entity type.
func (c *socket) snapshot(u emulator.User, q *syncRequest) map[string]any {
	all := map[string]any{}
	for _, name := range q.EntityTypes {
		if !slices.Contains(entityTypes, name) {
			continue
		}
		list := []map[string]any{}
		switch name {
		case "user":
			list = append(list, map[string]any{"id": u.ID, "name": u.Name, "status": "Active"})
		case "account":
			list = accountsOf(u, c.host.env)
		case "contract":
			for _, contract := range contracts {
				list = append(list, contract.fields())
			}
		}
		all[name+"s"] = list
	}
	return all
}

// placeOrder takes any order for an account of the user, and tells the user syncs.
func (c *socket) placeOrder(r request, u emulator.User) answered {
	var order struct {
		AccountID int64   `json:"accountId"`
		Action    string  `json:"action"`
		Symbol    string  `json:"symbol"`
		OrderQty  float64 `json:"orderQty"`
		OrderType string  `json:"orderType"`
	}
	if !r.read(&order) {
		return refused(http.StatusBadRequest, "Bad request")
	}
	mine := slices.ContainsFunc(u.Accounts, func(a emulator.Account) bool {
		return a.ID == order.AccountID && environment(a.Live) == c.host.env
	})
	if !mine {
		return refused(http.StatusUnauthorized, "Access is denied")
	}
	contract, known := contractBy(order.Symbol)
	if !known || order.OrderQty <= 0 {
		return answered{http.StatusOK, map[string]any{"failureReason": "InvalidContract", "failureText": "Order is not valid"}}
	}
	id := c.server.sockets.nextID()
	c.server.core.Record(emulator.Event{Kind: OrderPlaced, User: u.Name, Status: http.StatusOK, Detail: order.Action + " " + order.Symbol})
	placed := map[string]any{"id": id, "accountId": order.AccountID, "contractId": contract.id, "action": order.Action, "ordStatus": "Working"}
	c.server.orders.add(u.Name, placed)
	c.server.Change(u.Name, "order", "Created", placed)
	return answered{http.StatusOK, map[string]any{"orderId": id}}
}
