package message

// errors.go owns what can be wrong with a message.

import "strconv"

// DecodeError says which field of which message could not be read. It holds no
// value of a field, since that may be a secret.
type DecodeError struct {
	// Message is the Go name of the message, Field the protocol's name of the
	// field, with a dot before each further level: "position.tradeData.volume".
	// Field is empty where the message as a whole is meant.
	Message, Field string
	// Offset is where in the JSON text it went wrong, in bytes from its
	// beginning, and -1 in the binary form.
	Offset int
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

// EncodeError says which field of which message cannot be written.
type EncodeError struct{ Message, Field, Reason string }

// Error implements error.
func (e *EncodeError) Error() string {
	return "message " + e.Message + ": field " + e.Field + " " + e.Reason
}

// UnknownTypeError is a payload type that has no message: one that is newer
// than the tables of this package, or that of the envelope.
type UnknownTypeError struct{ Type PayloadType }

// Error implements error.
func (e *UnknownTypeError) Error() string {
	return "payload type " + strconv.Itoa(int(e.Type)) + " has no message"
}

// inside puts the field that holds a message before the field that failed.
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
