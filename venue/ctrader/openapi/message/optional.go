package message

// optional.go owns Optional: a field that may be absent.

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// Optional is the value of an optional field, or its absence. The zero value
// is absent. In this protocol the two are told apart: a spot event without a
// bid means an unchanged bid, an order without a stop loss has none.
type Optional[T any] struct {
	value   T
	present bool
}

// Some is a present value.
func Some[T any](value T) Optional[T] { return Optional[T]{value, true} }

// Get returns the value and whether it is present.
func (o Optional[T]) Get() (value T, ok bool) { return o.value, o.present }

// Or returns the value, or absent where there is none. A default that the
// protocol declares stands in the comment of the field; it is not applied by
// itself.
func (o Optional[T]) Or(absent T) T {
	if o.present {
		return o.value
	}
	return absent
}

// IsZero reports that the value is absent; the tag omitzero of encoding/json
// asks for it.
func (o Optional[T]) IsZero() bool { return !o.present }

// String is the value as text, and "absent" in its absence.
func (o Optional[T]) String() string {
	if !o.present {
		return "absent"
	}
	return fmt.Sprint(o.value)
}

// MarshalJSON writes the value, or null. It serves structs of other packages;
// the messages of this one leave absent fields out.
func (o Optional[T]) MarshalJSON() ([]byte, error) {
	if !o.present {
		return []byte("null"), nil
	}
	return json.Marshal(o.value)
}

// UnmarshalJSON reads a value, or null as absence.
func (o *Optional[T]) UnmarshalJSON(text []byte) error {
	*o = Optional[T]{}
	if bytes.Equal(text, []byte("null")) {
		return nil
	}
	if err := json.Unmarshal(text, &o.value); err != nil {
		return err
	}
	o.present = true
	return nil
}
