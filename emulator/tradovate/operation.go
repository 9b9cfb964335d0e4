package tradovate

import (
	"io"
	"net/http"
	"strings"

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

// operation carries out an operation of the REST API, given by its path below /v1.
func (s *Server) operation(w http.ResponseWriter, r *http.Request, at host, name string) {
	if at.market {
		s.core.NotFound(w, r)
		return
	}
	sends, known := operations[name]
	switch {
	case !known:
		s.core.NotFound(w, r)
	case sends:
		s.core.Serve(w, r, func(w http.ResponseWriter, r *http.Request) { s.operate(w, r, at, name) }, AtOperation, AtOrder)
	default:
		s.core.Serve(w, r, func(w http.ResponseWriter, r *http.Request) { s.operate(w, r, at, name) }, AtOperation)
	}
}

func (s *Server) operate(w http.ResponseWriter, r *http.Request, at host, name string) {
	k := s.Current().filled()
	endpoint := AtOperation
	if operations[name] {
		endpoint = AtOrder
	}
	body, err := io.ReadAll(r.Body)
	asked := request{endpoint: name, query: r.URL.Query(), body: body}
	if err != nil || len(body) == 0 {
		asked.body = nil
	}
	rest, ticket := withoutTicket(body)
	if s.penalised(w, r, k, endpoint, presented{string(rest), ticket}, false) {
		return
	}
	token := core.Bearer(r)
	pair, err := s.core.Tokens.Use(s.core.Clock.Now(), token)
	mayTrade := err == nil && s.mayTrade(k, pair.Grant, at.env)
	if endpoint == AtOrder && !mayTrade && err == nil {
		err = core.ErrUnknownToken // the answer is that of a token that may not trade
	}
	if err != nil {
		status := s.deadStatus(k, pair, err)
		s.core.Record(emulator.Event{Kind: OperationRefused, User: pair.Grant.User, Client: pair.Grant.Client, Fingerprint: emulator.Fingerprint(token), Status: status, Detail: name})
		k.deny(w, status)
		return
	}
	answer := caller{s, s.userOf(pair), at.env, mayTrade}.operate(name, asked)
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
