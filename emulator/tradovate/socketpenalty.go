package tradovate

import (
	"bytes"
	"encoding/json"
	"net/http"
	"time"

	"github.com/venuekey/venuekey/emulator"
)

// socketpenalty.go owns the time penalty on a WebSocket: the request was not carried
// out, and has to come again with the same body and the ticket (Tradovate facts §1.4).

// socketTicket stands for a request that was not carried out.
type socketTicket struct {
	value   string
	body    []byte // the request's, without a ticket
	wait    time.Duration
	ready   time.Time
	captcha bool
}

// penalised holds a request for which a ticket is open.
func (c *socket) penalised(r request) (answered, bool) {
	body, presented := withoutTicket(r.body)
	now := c.server.core.Clock.Now()
	c.mu.Lock()
	t, open := c.tickets[r.endpoint]
	switch {
	case !open:
		c.mu.Unlock()
		return answered{}, false
	case !t.captcha && presented == t.value && bytes.Equal(body, t.body) && !now.Before(t.ready):
		delete(c.tickets, r.endpoint)
		c.mu.Unlock()
		return answered{}, false
	}
	t.wait *= 2 // every breach lengthens it
	c.mu.Unlock()
	return c.penalise(r, t.wait, t.captcha), true
}

// penalise opens a ticket for a request.
func (c *socket) penalise(r request, wait time.Duration, captcha bool) answered {
	k := c.server.Current().filled()
	body, _ := withoutTicket(r.body)
	t := socketTicket{value: k.format().Mint(), body: body, wait: wait, ready: c.server.core.Clock.Now().Add(wait), captcha: captcha}
	c.mu.Lock()
	c.tickets[r.endpoint] = t
	c.mu.Unlock()
	c.server.core.Record(emulator.Event{Kind: emulator.EventPenalty, Fingerprint: emulator.Fingerprint(t.value), Status: http.StatusOK, Detail: r.endpoint})
	return answered{http.StatusOK, map[string]any{"p-ticket": t.value, "p-time": int(wait / time.Second), "p-captcha": captcha}}
}

// withoutTicket takes the ticket out of a body, and has its fields in one order.
func withoutTicket(body []byte) (rest []byte, ticket string) {
	var object map[string]json.RawMessage
	if json.Unmarshal(body, &object) != nil {
		return body, ""
	}
	_ = json.Unmarshal(object["p-ticket"], &ticket)
	delete(object, "p-ticket")
	if len(object) == 0 {
		return nil, ticket
	}
	rest, _ = json.Marshal(object)
	return rest, ticket
}
