package openapi

import (
	"bytes"
	"fmt"
	"strconv"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/venue/ctrader/openapi/message"
)

// answer.go owns matching answers to requests, and decoding them.

// answer hands an envelope to the call that it answers. It returns false for an event,
// even for one that answered a call: a program that watches orders wants every event.
func (c *Conn) answer(e *message.Envelope) bool {
	id, err := strconv.ParseUint(e.ID, 10, 64)
	if err != nil {
		return false
	}
	c.mu.Lock()
	sent := c.callByID(id)
	if sent == nil || !answers(e.Type, sent.req.PayloadType()) {
		c.mu.Unlock()
		return false
	}
	c.forget(sent)
	c.mu.Unlock()
	heard := c.lastHeard.Load()
	sent.permit.Answered(heard)
	if heard-sent.at > int64(near) {
		c.brisk.Store(c.brisk.Load() / 2)
	}
	c.sawEvent = c.lastEvent > sent.at
	m, err := c.judge(sent.req, e)
	sent.result <- result{m, err}
	return !message.IsEvent(e.Type)
}

// answers reports whether a message of type t can answer a request. The ID alone does
// not prove it: the AccountDisconnectEvent that follows a logout carries the request's ID.
func answers(t, req message.PayloadType) bool {
	due, _ := message.Answer(req)
	return t == due || !message.IsEvent(t) || t == message.TypeOrderErrorEvent && message.IsOrder(req)
}

// judge decodes an answer, and turns it into an error if it is one. The answer to a raw
// request stays raw, and is returned along with the error, if any.
func (c *Conn) judge(req message.Message, e *message.Envelope) (message.Message, error) {
	if _, unread := req.(*raw); !unread {
		return c.readAnswer(req, e)
	}
	answer := &raw{e.Type, bytes.Clone(e.Payload), c.json}
	if !mayBeAnError(e.Type, req.PayloadType()) {
		return answer, nil
	}
	_, err := c.readAnswer(req, e)
	return answer, err
}

// readAnswer decodes an answer. Any message other than the expected one is an error.
func (c *Conn) readAnswer(req message.Message, e *message.Envelope) (message.Message, error) {
	m := message.New(e.Type)
	if m == nil {
		return nil, c.failed(req, venuekey.ClassUnknown, &message.UnknownTypeError{Type: e.Type})
	}
	if err := unmarshal(m, e.Payload, c.json); err != nil {
		return nil, c.failed(req, venuekey.ClassUnknown, c.foreign(err))
	}
	if refused := refusal(m, c.secrets); refused != nil {
		refused.about(req, c.address)
		if req.PayloadType() == message.TypeApplicationAuthReq || !refused.MaintenanceEnd.IsZero() {
			c.complain(refused)
		}
		return nil, refused
	}
	if due, _ := message.Answer(req.PayloadType()); e.Type != due {
		return nil, c.failed(req, venuekey.ClassUnknown, fmt.Errorf("answer is %s, not %s", message.Name(e.Type), message.Name(due)))
	}
	return m, nil
}
