// Package message has the messages of the cTrader Open API as Go structs, with codecs
// for both encodings (binary protobuf and JSON), for the envelope around a message and
// for the frames of TCP.
//
// The structs, enums and codecs are generated from two tables, messages.tsv and
// enums.tsv in internal/generate, which list the messages published in
// github.com/spotware/openapi-proto-messages at commit 3fd8bdd. Names lose their prefix:
// ProtoOATraderReq is TraderReq. Two names of the common layer would collide with
// others, so ProtoErrorRes is CommonErrorRes and ProtoErrorCode is CommonErrorCode. The
// structs have no field payloadType, since their type implies it.
//
// Required fields have plain types, optional scalars are Optional, optional messages are
// pointers, and repeated fields are slices. Prices, volumes, money and times are numbers
// in units that the comment of each field states; FormatPrice, ParseVolume, Time and
// similar functions convert them exactly.
//
// The package uses no reflection and does nothing at program start.
package message

//go:generate go run ./internal/generate

// message.go owns the interface that all messages share, and decoding by payload type.

import (
	"bytes"
	"encoding/json"
)

// Message is a message that has a payload type and can therefore be sent in an envelope.
// Types that are only parts of messages have the same methods except PayloadType.
type Message interface {
	// PayloadType returns the message's number.
	PayloadType() PayloadType
	// AppendBinary appends the message in protobuf. The error is an *EncodeError: a
	// required enum is not set.
	AppendBinary(b []byte) ([]byte, error)
	// UnmarshalBinary resets the message and decodes b into it. It does not retain b. It
	// reuses the memory of the message's slices, so decoding into the same message again
	// overwrites slices that were taken from it. Unknown fields are skipped, and unknown
	// enum values kept. The error is a *DecodeError; the message then holds the fields
	// that were decoded before it.
	UnmarshalBinary(b []byte) error
	json.Marshaler
	json.Unmarshaler
}

// Decode decodes a message from protobuf. Be sure of the type: the bytes of one message
// often decode as another without an error, those of an ErrorRes for example as an
// ApplicationAuthRes. The error is a *DecodeError, or an *UnknownTypeError for a type
// that has no message.
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

// DecodeJSON decodes a message from JSON; an empty payload is a message without fields.
// It accepts numbers in quotes and enums by name, since what the service sends is not
// documented, and skips unknown keys. Errors are those of Decode.
func DecodeJSON(t PayloadType, payload []byte) (Message, error) {
	return decodeJSON(t, payload, false)
}

// StrictJSON is DecodeJSON for input that a person wrote. It rejects unknown keys, and
// suggests those that were probably meant, duplicate keys, and the payload type of
// another message.
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

// Historical reports whether a request counts towards the limit of 5 requests per second
// on historical data, instead of the general one of 50. The service's documentation names
// GetTrendbarsReq, GetTickDataReq and DealListReq. It does not say whether other lists of
// past deals and orders count too; a program that requests many of those should keep to
// the lower limit.
func Historical(t PayloadType) bool {
	return t == TypeGetTrendbarsReq || t == TypeGetTickDataReq || t == TypeDealListReq
}
