package openapi

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"

	"github.com/venuekey/venuekey/venue/ctrader/openapi/message"
)

// exchange.go owns requests and answers as bytes, which nobody here looks into.

// Exchange sends a request as it is given and returns its answer as it came, with
// the fields in both that package message does not know. The payloads are in the
// form of the connection: protobuf, or JSON if the endpoint says so. In all else it
// is Do: requests of both take turns and count for the same limits.
//
// The ID of the request stays here, and stands in the answer. What goes out has a
// number of the Conn's in its place, by which the answer is found.
//
// Errors are those of Do. If it is the answer that is the error, both are returned.
// Only an answer that may be an error is read; whether another one can be is for
// the caller to find out.
func (c *Conn) Exchange(ctx context.Context, req message.Envelope) (message.Envelope, error) {
	answer, err := c.Do(ctx, &raw{req.Type, req.Payload, c.json})
	return enveloped(answer, req.ID), err
}

// Exchange sends a request as it is given and returns its answer as it came, in the
// form of the Client's endpoint; see Conn.Exchange. In all else it is Do.
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

// raw is a message as bytes. It goes the way of every other.
type raw struct {
	kind    message.PayloadType
	payload []byte
	json    bool
}

// PayloadType implements message.Message, as the others below.
func (r *raw) PayloadType() message.PayloadType { return r.kind }

// AppendBinary appends the payload.
func (r *raw) AppendBinary(b []byte) ([]byte, error) { return append(b, r.payload...), nil }

// UnmarshalBinary keeps a copy.
func (r *raw) UnmarshalBinary(b []byte) error {
	r.payload = bytes.Clone(b)
	return nil
}

// MarshalJSON returns the payload. One that is no object would be read as a part of
// the envelope, or break it.
func (r *raw) MarshalJSON() ([]byte, error) {
	text := bytes.TrimSpace(r.payload)
	if len(text) > 0 && (text[0] != '{' || !json.Valid(text)) {
		return nil, errors.New("payload is no JSON object")
	}
	return r.payload, nil
}

// UnmarshalJSON keeps a copy.
func (r *raw) UnmarshalJSON(b []byte) error { return r.UnmarshalBinary(b) }

// opened is the message, with what could be read of it. Messages that are not raw
// are themselves.
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

// mayBeAnError reports whether a message has to be read to find that out: an answer
// that is not the one that was due, or the execution of an order.
func mayBeAnError(answer, req message.PayloadType) bool {
	due, _ := message.Answer(req)
	return answer != due || message.IsEvent(answer)
}
