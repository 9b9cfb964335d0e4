package tradovate

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"sync"

	"github.com/venuekey/venuekey/emulator"
	"github.com/venuekey/venuekey/emulator/internal/core"
)

// operation.go owns the operations of the REST API that clients can use besides the list of
// accounts: contracts and orders, as on the WebSocket.

// The operations, as the endpoints of faults: AtOperation is any of them, AtOrder is an
// order that is placed.
const (
	AtOperation emulator.Endpoint = "operation"
	AtOrder     emulator.Endpoint = "order"
)

// OperationRefused is the event of an operation whose token or device is not accepted.
const OperationRefused emulator.EventKind = "operation-refused"

// orders are the orders that were placed, by user.
type orders struct {
	mu   sync.Mutex
	list map[string][]map[string]any
}

func (o *orders) add(user string, order map[string]any) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.list == nil {
		o.list = map[string][]map[string]any{}
	}
	o.list[user] = append(o.list[user], order)
}

func (o *orders) of(user string) []map[string]any {
	o.mu.Lock()
	defer o.mu.Unlock()
	return append([]map[string]any{}, o.list[user]...)
}

func (o *orders) clear() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.list = nil
}

// operation carries out an operation of the REST API, given by its path below /v1.
func (s *Server) operation(w http.ResponseWriter, r *http.Request, at host, name string) {
	if at.market {
		s.core.NotFound(w, r)
		return
	}
	switch name {
	case "contract/find", "order/list":
		s.core.Serve(w, r, func(w http.ResponseWriter, r *http.Request) { s.operate(w, r, at, name) }, AtOperation)
	case "order/placeorder":
		s.core.Serve(w, r, func(w http.ResponseWriter, r *http.Request) { s.operate(w, r, at, name) }, AtOperation, AtOrder)
	default:
		s.core.NotFound(w, r)
	}
}

func (s *Server) operate(w http.ResponseWriter, r *http.Request, at host, name string) {
	k := s.Current().filled()
	endpoint := AtOperation
	if name == "order/placeorder" {
		endpoint = AtOrder
	}
	body, err := io.ReadAll(r.Body)
	asked := request{endpoint: name, query: r.URL.Query(), body: body}
	if err != nil || len(body) == 0 {
		asked.body = nil
	}
	var presented struct {
		Ticket string `json:"p-ticket"`
	}
	_ = json.Unmarshal(body, &presented) // what is no JSON has no ticket
	if s.penalised(w, r, k, endpoint, presented.Ticket) {
		return
	}
	token := core.Bearer(r)
	pair, err := s.core.Tokens.Use(s.core.Clock.Now(), token)
	if err == nil && endpoint == AtOrder && k.OrdersDenied {
		err = core.ErrUnknownToken // the answer is that of a token that may not trade
	}
	if err != nil {
		status := s.deadStatus(k, pair, err)
		s.core.Record(emulator.Event{Kind: OperationRefused, User: pair.Grant.User, Client: pair.Grant.Client, Fingerprint: emulator.Fingerprint(token), Status: status, Detail: name})
		k.deny(w, status)
		return
	}
	answer, caller := answered{}, &socket{server: s, host: at}
	switch user := s.userOf(pair); name {
	case "contract/find":
		answer = caller.findContract(asked)
	case "order/list":
		answer = answered{http.StatusOK, s.orders.of(user.Name)}
	default:
		answer = caller.placeOrder(asked, user)
	}
	if text, ok := answer.d.(string); ok {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.WriteHeader(answer.status)
		_, _ = io.WriteString(w, text)
		return
	}
	core.Reply(w, answer.status, answer.d)
}

// operationName returns the name of an operation: its path in lower case without /v1.
func operationName(path string) string { return strings.Trim(strings.TrimPrefix(path, "/v1"), "/") }
