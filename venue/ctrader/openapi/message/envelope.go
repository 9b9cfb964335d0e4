package message

import (
	"bytes"
	"strconv"
)

// envelope.go owns the envelope, ProtoMessage, in both encodings.

// Envelope is the unit of transmission: a payload type, the message, and an ID. Use Type
// to decide what Payload is: the bytes of one message often decode as another without an
// error.
type Envelope struct {
	Type PayloadType
	// Payload is the message in the encoding of the envelope, protobuf or JSON.
	Payload []byte
	// ID is clientMsgId. An answer carries the ID of its request. It is empty in
	// unsolicited events, and in answers to requests without an ID.
	ID string
}

const envelopeFields = "1 payloadType 2 payload 3 clientMsgId"

// AppendBinary appends the envelope in protobuf: one WebSocket message, or the contents
// of a frame. A nil payload is omitted; an empty one is written, since some readers
// require the field.
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

// UnmarshalBinary decodes an envelope from protobuf. Payload is a subslice of b, not a
// copy. The error is a *DecodeError.
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

// AppendJSON appends the envelope in JSON. Payload must be JSON and is appended as is. A
// payload that is empty or "{}" is omitted, as the service does.
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

// UnmarshalJSON decodes an envelope from JSON. Payload is a copy of the payload's JSON,
// which is checked to be well formed but not interpreted. The payload type may be a
// number or a name. Unknown keys are skipped. The error is a *DecodeError.
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
