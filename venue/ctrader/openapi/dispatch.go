package openapi

import (
	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/internal/foreign"
	"github.com/venuekey/venuekey/venue/ctrader/openapi/message"
)

// dispatch.go owns what happens to an envelope once it has been read: it is a heartbeat,
// an answer, an event, or the end of a session.

// receive delivers the envelope that was read, and reports whether it was an answer.
func (c *Conn) receive() (answered bool, err error) {
	answered, rest := c.dispatch()
	if rest {
		err = c.handOut(&c.envelope)
	}
	return answered, err
}

// dispatch decides by the type of the envelope and only then decodes it: the bytes of
// an error often decode as an answer. If rest is true the envelope is still to be
// delivered by handOut, before the next read.
func (c *Conn) dispatch() (answered, rest bool) {
	e := &c.envelope
	switch {
	case e.Type == message.TypeHeartbeatEvent:
		c.noteBeat()
		return false, false
	case e.ID != "" && c.answer(e):
		return true, false
	}
	return false, true
}

// handOut delivers an envelope that answered nothing.
func (c *Conn) handOut(e *message.Envelope) error {
	c.lastEvent = c.lastHeard.Load()
	if e.Type == message.TypeSpotEvent { // the bulk of the traffic
		c.emit(e)
		return nil
	}
	return c.unsolicited(e)
}

// emit hands an event to its handlers and streams.
func (c *Conn) emit(e *message.Envelope) {
	if err := c.hub.dispatch(e.Type, e.Payload, c.json, c.done); err != nil {
		c.opts.Log.Warn("cannot decode an event", "type", e.Type.String(), "error", c.foreign(err))
	}
}

// unsolicited delivers an envelope that answers nothing: an event, an error without a
// request, or an answer whose caller has given up. It returns an error if that ends the
// connection.
func (c *Conn) unsolicited(e *message.Envelope) error {
	var end error
	switch e.Type {
	case message.TypeErrorRes, message.TypeCommonErrorRes:
		if e.ID != "" {
			return nil
		}
		end = c.sessionSign(e)
	case message.TypeClientDisconnectEvent, message.TypeAccountDisconnectEvent, message.TypeAccountsTokenInvalidatedEvent:
		end = c.sessionSign(e)
	default:
		if !message.IsEvent(e.Type) {
			return nil
		}
	}
	c.emit(e)
	return end
}

// sessionSign acts on a message about sessions. It returns an error if that ends the
// connection.
func (c *Conn) sessionSign(e *message.Envelope) error {
	m := message.New(e.Type)
	if err := unmarshal(m, e.Payload, c.json); err != nil {
		return nil // emit logs it
	}
	if complaint := refusal(m, c.secrets); complaint != nil {
		c.complain(complaint.about(nil, c.address))
		c.opts.Log.Warn("the service reports an error", "error", complaint)
	}
	if gone, ok := m.(*message.ClientDisconnectEvent); ok {
		return &Error{Class: venuekey.ClassLater, Kind: KindAppLost, Address: c.address,
			Description: foreign.LineWithout(gone.Reason.Or("the service ended the application's session"), c.secrets()...)}
	}
	if c.onSession != nil {
		c.onSession(m)
	}
	return nil
}
