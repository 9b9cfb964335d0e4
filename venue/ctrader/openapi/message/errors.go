package message

import "strconv"

// errors.go owns the errors of encoding and decoding.

// DecodeError says which field of which message could not be decoded. It contains no
// value of any field, since that may be a secret.
type DecodeError struct {
	// Message is the Go name of the message. Field is the protocol's name of the field,
	// with dots between levels: "position.tradeData.volume". Field is empty if the error
	// is about the message as a whole.
	Message, Field string
	// Offset is the position of the error in the JSON text, in bytes, or -1 in protobuf.
	Offset int
	// Reason continues "field F", such as "is required and missing".
	Reason string
}

// Error implements error.
func (e *DecodeError) Error() string {
	text := "message " + e.Message
	if e.Field != "" {
		text += ": field " + e.Field
	}
	text += " " + e.Reason
	if e.Offset >= 0 {
		text += " (at byte " + strconv.Itoa(e.Offset) + ")"
	}
	return text
}

// EncodeError says which field of which message cannot be encoded, with the names and the
// reason as in a DecodeError.
type EncodeError struct{ Message, Field, Reason string }

// Error implements error.
func (e *EncodeError) Error() string {
	return "message " + e.Message + ": field " + e.Field + " " + e.Reason
}

// UnknownTypeError reports a payload type that has no message: one that is newer than the
// tables of this package, or that of the envelope itself.
type UnknownTypeError struct{ Type PayloadType }

// Error implements error.
func (e *UnknownTypeError) Error() string {
	return "payload type " + strconv.Itoa(int(e.Type)) + " has no message"
}

// inside prefixes the path of the field that failed with the field that contains it.
func inside(err error, message, field string) error {
	switch e := err.(type) {
	case *DecodeError:
		return &DecodeError{message, path(field, e.Field), e.Offset, e.Reason}
	case *EncodeError:
		return &EncodeError{message, path(field, e.Field), e.Reason}
	}
	return err
}

func path(outer, inner string) string {
	if inner == "" {
		return outer
	}
	return outer + "." + inner
}

func notSet(message, field string) error {
	return &EncodeError{message, field, "is required and not set"}
}
