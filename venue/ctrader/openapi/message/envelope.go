package message

// envelope.go owns the envelope, ProtoMessage, in both of its forms.

import (
	"bytes"
	"strconv"
)

// Envelope is what travels: the number of a message, the message, and an ID.
// Decide by Type what Payload is: the bytes of one message often decode as
// another without an error.
type Envelope struct {
	Type PayloadType
	// Payload is the message in the form of the envelope, binary or JSON.
	Payload []byte
	// ID is clientMsgId. An answer carries the ID of its request; events that
	// nobody asked for, and answers to requests without one, carry none.
	ID string
}

const envelopeFields = "1 payloadType 2 payload 3 clientMsgId"

// AppendBinary appends the binary form: one WebSocket message, or what a frame
// holds. A payload that is nil is left out; one that is empty is written as such,
// since there are readers that cannot do without.
func (e Envelope) AppendBinary(b []byte) []byte {
	b = appendNumber(b, 1<<3|asVarint, uint64(uint32(e.Type)))
	if e.Payload != nil {
		b = appendText(b, 2<<3|asPiece, e.Payload)
	}
	if e.ID != "" {
		b = appendText(b, 3<<3|asPiece, e.ID)
	}
	return b
}

// UnmarshalBinary reads the binary form. Payload is a part of b, not a copy.
func (e *Envelope) UnmarshalBinary(b []byte) error {
	*e = Envelope{}
	var seen uint64
	f := fields{rest: b}
	for f.next() {
		switch f.key {
		case 1<<3 | asVarint:
			e.Type = PayloadType(int32(f.value))
			seen |= 1 << 1
		case 2<<3 | asPiece:
			e.Payload = f.piece
		case 3<<3 | asPiece:
			e.ID = string(f.piece)
		}
	}
	return f.done("Envelope", envelopeFields, b, seen, 1<<1)
}

// AppendJSON appends the JSON form, in which Payload is JSON too and is taken
// as it is. A payload that is empty, or an object without fields, is left out,
// as the service does it.
func (e Envelope) AppendJSON(b []byte) []byte {
	b = append(b, '{')
	if e.ID != "" {
		b = appendJSONText(appendKey(b, "clientMsgId"), e.ID)
	}
	b = strconv.AppendInt(appendKey(b, "payloadType"), int64(e.Type), 10)
	if len(e.Payload) > 0 && !bytes.Equal(e.Payload, []byte("{}")) {
		b = append(appendKey(b, "payload"), e.Payload...)
	}
	return append(b, '}')
}

// MarshalJSON implements json.Marshaler.
func (e Envelope) MarshalJSON() ([]byte, error) { return e.AppendJSON(nil), nil }

// UnmarshalJSON reads the JSON form. Payload is a copy of the JSON of the
// payload, which is seen to be well formed and not looked into. The payload
// type may be a number or a name; unknown keys are passed over.
func (e *Envelope) UnmarshalJSON(text []byte) error {
	return readJSONInto(e, "Envelope", text, false)
}

func (e *Envelope) readJSON(r *reader) {
	*e = Envelope{}
	var seen uint64
	for key, ok := r.firstKey("Envelope"); ok; key, ok = r.nextKey("Envelope") {
		switch string(key) {
		case "payloadType":
			if r.field(key, &seen, 1<<1) {
				e.Type, _ = r.payloadType()
			}
		case "payload":
			if r.field(key, &seen, 1<<2) {
				start := r.at
				r.skip(0)
				e.Payload = bytes.Clone(r.text[start:r.at])
			}
		case "clientMsgId":
			if r.field(key, &seen, 1<<3) {
				e.ID = r.string()
			}
		default:
			r.unknown(envelopeFields, key)
		}
	}
	r.need("Envelope", envelopeFields, seen, 1<<1)
}
