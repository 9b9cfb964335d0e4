package tradovate

import (
	"net/http"
	"slices"

	"github.com/venuekey/venuekey/emulator"
)

// socketsync.go owns user syncs (Tradovate facts §5).

// SyncAsked is the event of a user sync.
const SyncAsked emulator.EventKind = "sync-asked"

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
var entityTypes = []string{"user", "account", "position", "order", "orderVersion", "fill", "cashBalance", "contract"}

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
			list = append(list, map[string]any{"id": u.ID, "name": u.Name, "status": c.server.userStatus(c.server.Current().filled(), u.Name)})
		case "account":
			list = accountsOf(u, c.host.env)
		case "order", "orderVersion", "fill", "position":
			list = c.server.book.list(holder(u, c.host.env), name)
		case "cashBalance":
			list = caller{c.server, u, c.host.env, false}.balances()
		case "contract":
			for _, contract := range contracts {
				list = append(list, contract.fields())
			}
		}
		all[name+"s"] = list
	}
	return all
}
