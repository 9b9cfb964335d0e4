// Package message has the messages of the cTrader Open API, their two forms
// (binary protobuf and JSON), the envelope around them and the frames of TCP.
//
// The structs, enums and their code are generated from two tables of facts,
// internal/generate/messages.tsv and enums.tsv, which list the messages that
// github.com/spotware/openapi-proto-messages publishes, at commit 3fd8bdd.
// Names lose their prefix: ProtoOATraderReq is TraderReq. Two of the common
// layer would collide: ProtoErrorRes is CommonErrorRes, ProtoErrorCode is
// CommonErrorCode. The field payloadType is left out of the structs; the type
// of the message says it.
//
// Required fields are plain, optional scalars are Optional, optional messages
// are pointers, repeated fields are slices. What stands in units of its own,
// prices, volumes, money and times, is said at each field; units.go converts.
//
// Nothing here uses reflection, and nothing runs at the start of a program.
package message

//go:generate go run ./internal/generate

// message.go owns what all messages have in common.

import (
	"bytes"
	"encoding/json"
)

// Message is a message that has a payload type and so can travel in an
// envelope. Messages that are only parts of others have the same methods
// without PayloadType.
type Message interface {
	PayloadType() PayloadType
	// AppendBinary appends the message in its binary form. The error is an
	// *EncodeError: a required enum is not set.
	AppendBinary(b []byte) ([]byte, error)
	// UnmarshalBinary empties the message, keeps the room of its lists, and
	// reads it off b, of which it keeps nothing. Reading into the same message
	// again thus overwrites lists that were taken out of it. The error is a
	// *DecodeError, after which the message holds what was read until then.
	// Unknown fields are passed over, unknown values of enums kept.
	UnmarshalBinary(b []byte) error
	json.Marshaler
	json.Unmarshaler
}

// Decode reads a message off its binary form. It is the type that decides:
// bytes of one message often decode as another without an error, those of an
// ErrorRes as an ApplicationAuthRes for one. The error is a *DecodeError, or an
// *UnknownTypeError for a number that has no message.
func Decode(t PayloadType, payload []byte) (Message, error) {
	m := New(t)
	if m == nil {
		return nil, &UnknownTypeError{t}
	}
	if err := m.UnmarshalBinary(payload); err != nil {
		return nil, err
	}
	return m, nil
}

// DecodeJSON reads a message off its JSON form; an empty payload is a message
// without fields. Numbers may come as strings and enums as names, since what
// the service writes is not documented. Errors are those of Decode.
func DecodeJSON(t PayloadType, payload []byte) (Message, error) {
	return decodeJSON(t, payload, false)
}

// StrictJSON is DecodeJSON for what a person wrote: it refuses keys that the
// message does not have, and names those that were probably meant; keys that
// are there twice; and the payload type of another message.
func StrictJSON(t PayloadType, payload []byte) (Message, error) {
	return decodeJSON(t, payload, true)
}

func decodeJSON(t PayloadType, payload []byte, strict bool) (Message, error) {
	m := New(t)
	if m == nil {
		return nil, &UnknownTypeError{t}
	}
	if text := bytes.TrimSpace(payload); len(text) == 0 || bytes.Equal(text, []byte("null")) {
		payload = []byte("{}")
	}
	if err := readJSONInto(m.(jsonMessage), goName(t), payload, strict); err != nil {
		return nil, err
	}
	return m, nil
}

// Historical reports whether a request counts against the lower limit of 5 a
// second, where all others have 50. The service's documentation names these
// three. Whether its limit also counts the other lists of past deals and orders
// is not said; who asks for many of those does well to go as slowly.
func Historical(t PayloadType) bool {
	return t == TypeGetTrendbarsReq || t == TypeGetTickDataReq || t == TypeDealListReq
}
