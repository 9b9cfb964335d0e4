package message

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// optional.go owns Optional: a field that may be absent.

// Optional is the value of an optional field, or its absence. The zero value is absent.
// The protocol distinguishes an absent value from a zero one: a spot event without a bid
// means that the bid is unchanged, and an order without a stop loss has none.
type Optional[T any] struct {
	value   T
	present bool
}

// Some returns an Optional that holds a value.
func Some[T any](value T) Optional[T] { return Optional[T]{value, true} }

// Get returns the value and whether it is present.
func (o Optional[T]) Get() (value T, ok bool) { return o.value, o.present }

// Or returns the value if it is present, and absent otherwise. If the protocol declares a
// default, the comment of the field states it; it is not applied automatically.
func (o Optional[T]) Or(absent T) T {
	if o.present {
		return o.value
	}
	return absent
}

// IsZero reports whether the value is absent. The option omitzero of encoding/json uses
// it.
func (o Optional[T]) IsZero() bool { return !o.present }

// String returns the value as text, or "absent".
func (o Optional[T]) String() string {
	if !o.present {
		return "absent"
	}
	return fmt.Sprint(o.value)
}

// MarshalJSON returns the value as JSON, or null if it is absent. It is for structs of
// other packages; messages omit absent fields.
func (o Optional[T]) MarshalJSON() ([]byte, error) {
	if !o.present {
		return []byte("null"), nil
	}
	return json.Marshal(o.value)
}

// UnmarshalJSON reads a value; null means absent.
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
