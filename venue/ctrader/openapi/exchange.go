package openapi

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"

	"github.com/venuekey/venuekey/venue/ctrader/openapi/message"
)

// exchange.go owns requests and answers that stay bytes.

// Exchange is Do for encoded messages: it sends the payload of req unchanged and returns
// the answer's payload unchanged, so fields that package message does not know survive
// both ways. Payloads are in the encoding of the connection: protobuf, or JSON if the
// endpoint says so. The limits are shared with Do.
//
// The answer carries the ID of req, which is not sent: on the wire a number of the
// Conn's takes its place, by which the answer is matched.
//
// Errors are those of Do. If the answer itself is an error, Exchange returns both the
// answer and the error. An answer of the expected type is not decoded, unless it reports
// on an order, so it may be malformed.
func (c *Conn) Exchange(ctx context.Context, req message.Envelope) (message.Envelope, error) {
	answer, err := c.Do(ctx, &raw{req.Type, req.Payload, c.json})
	return enveloped(answer, req.ID), err
}

// Exchange is Do for messages that are already encoded, in the encoding of the Client's
// endpoint; see Conn.Exchange.
func (c *Client) Exchange(ctx context.Context, req message.Envelope) (message.Envelope, error) {
	answer, err := c.Do(ctx, &raw{req.Type, req.Payload, c.endpoint().JSON})
	return enveloped(answer, req.ID), err
}

func enveloped(answer message.Message, id string) message.Envelope {
	unread, ok := answer.(*raw)
	if !ok {
		return message.Envelope{}
	}
	return message.Envelope{Type: unread.kind, Payload: unread.payload, ID: id}
}

// raw is a message that stays bytes. It takes the same path as every other message.
type raw struct {
	kind    message.PayloadType
	payload []byte
	json    bool
}

// PayloadType implements message.Message, as do the methods below.
func (r *raw) PayloadType() message.PayloadType { return r.kind }

// AppendBinary appends the payload.
func (r *raw) AppendBinary(b []byte) ([]byte, error) { return append(b, r.payload...), nil }

// UnmarshalBinary keeps a copy.
func (r *raw) UnmarshalBinary(b []byte) error {
	r.payload = bytes.Clone(b)
	return nil
}

// MarshalJSON returns the payload. It checks that this is a JSON object: anything else
// could be read as part of the envelope, or break it.
func (r *raw) MarshalJSON() ([]byte, error) {
	text := bytes.TrimSpace(r.payload)
	if len(text) > 0 && (text[0] != '{' || !json.Valid(text)) {
		return nil, errors.New("payload is not a JSON object")
	}
	return r.payload, nil
}

// UnmarshalJSON keeps a copy.
func (r *raw) UnmarshalJSON(b []byte) error { return r.UnmarshalBinary(b) }

// opened returns the message inside a raw one, decoded as far as possible, and any other
// message as it is. It returns nil for a type that package message does not know.
func opened(m message.Message) message.Message {
	r, ok := m.(*raw)
	if !ok {
		return m
	}
	known := message.New(r.kind)
	if known != nil {
		_ = unmarshal(known, r.payload, r.json)
	}
	return known
}

// mayBeAnError reports whether an answer must be decoded to find out whether it is an
// error: it is not of the expected type, or it is an ExecutionEvent.
func mayBeAnError(answer, req message.PayloadType) bool {
	due, _ := message.Answer(req)
	return answer != due || message.IsEvent(answer)
}
