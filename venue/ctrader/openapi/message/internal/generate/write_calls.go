package main

import (
	"fmt"
	"strings"
)

// write_calls.go owns the code for the typed calls of the package openapi.

func writeCalls(out *page, p *protocol) {
	out.begin("openapi", "calls_generated.go owns the typed calls: each request as a method of Conn and of Client.",
		"context", "fmt", "", "github.com/venuekey/venuekey/venue/ctrader/openapi/message")
	for _, m := range p.numbered() {
		if !m.isRequest() {
			continue
		}
		request, answer := goType(m.name), goType(p.answer(m).name)
		call := strings.TrimSuffix(request, "Req")
		for _, caller := range []string{"Conn", "Client"} {
			out.comment(callComment(m, call, answer))
			out.linef("func (c *%s) %s(ctx context.Context, req *message.%s) (*message.%s, error) {", caller, call, request, answer)
			out.linef("return answered[*message.%s](c.Do(ctx, req))\n}\n", answer)
		}
	}
	out.linef("%s", `// answered gives an answer its type. It fails if the answer has another type than the one
// expected; decoding its bytes as the expected type often would not.
func answered[T message.Message](answer message.Message, err error) (T, error) {
	var due T
	if err != nil {
		return due, err
	}
	typed, ok := answer.(T)
	switch {
	case answer == nil:
		return due, fmt.Errorf("answer is missing, not %s", message.Name(due.PayloadType()))
	case !ok:
		return due, fmt.Errorf("answer is %s, not %s", message.Name(answer.PayloadType()), message.Name(due.PayloadType()))
	}
	return typed, nil
}`)
}

func callComment(m *message, call, answer string) string {
	text := fmt.Sprintf("%s sends %s (%d) and returns its %s.", call, m.name, m.id, answer)
	switch {
	case m.id == 2173:
		text += " It is dangerous: a refresh token is single-use, using it revokes the old access token at once, and the new pair must be saved before anything else happens. Only venuekey's Keeper should refresh; any other caller locks the Keeper out, and the user must sign in again. See doc/design.md."
	case m.isOrder():
		text += " Orders have no answer message: the first ExecutionEvent for the request is its answer, and later ones are delivered as events. After an error that does not say that the order was rejected, it may have been carried out; check with Reconcile before sending it again."
	case strings.HasPrefix(call, "Subscribe"):
		text += " The answer only confirms the subscription; its data is delivered as events. It ends with the connection; Client.Subscribe renews it after a reconnect."
	case call == "AccountLogout":
		text += " The account is logged out when the AccountDisconnectEvent arrives, not with this answer."
	}
	return text
}
