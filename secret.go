package venuekey

import (
	"crypto/subtle"
	"fmt"
	"log/slog"
)

// Secret is a string that never prints: formatting it, logging it or
// marshalling it gives "[secret]", or nothing at all when it is empty. The
// conversion string(s) is the only way to what it holds, so that every place
// which reveals a secret can be found by reading for it.
//
// A Secret belongs in exported struct fields only: fmt reads unexported fields
// without asking their methods. A test of this repository holds that rule.
type Secret string

const redacted = "[secret]"

func (s Secret) redacted() string {
	if s == "" {
		return ""
	}
	return redacted
}

// Format implements fmt.Formatter for every verb and flag.
func (s Secret) Format(f fmt.State, _ rune) { fmt.Fprint(f, s.redacted()) }

// LogValue implements slog.LogValuer.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.redacted()) }

// MarshalText implements encoding.TextMarshaler, which JSON and most other
// encoders obey. It redacts; what is sealed is written by the Vault.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.redacted()), nil }

// Equal compares two secrets in a time that does not tell how much of them
// agrees.
func (s Secret) Equal(t Secret) bool {
	return subtle.ConstantTimeCompare([]byte(s), []byte(t)) == 1
}
