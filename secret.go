package venuekey

import (
	"crypto/subtle"
	"fmt"
	"log/slog"
)

// secret.go owns that secrets do not print.

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

// Format implements fmt.Formatter for every verb and flag that asks it: %T and %p do
// not, nor does %w outside Errorf. go vet finds the latter two.
func (s Secret) Format(f fmt.State, _ rune) { fmt.Fprint(f, s.redacted()) }

// LogValue implements slog.LogValuer.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.redacted()) }

// MarshalText implements encoding.TextMarshaler, which JSON and most other
// encoders obey. It redacts; what is sealed is written by the Vault.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.redacted()), nil }

// MarshalBinary implements encoding.BinaryMarshaler, which gob obeys. It redacts.
func (s Secret) MarshalBinary() ([]byte, error) { return []byte(s.redacted()), nil }

// hidden holds what lies in an unexported field and has secrets in it. Those fmt
// prints without asking any method; of a function it prints where it is.
type hidden[T any] func() T

func hide[T any](value T) hidden[T] { return func() T { return value } }

// plainly prints a type by its name alone: for types with secrets behind pointers,
// which some verbs of fmt follow.
func plainly(f fmt.State, name string) { fmt.Fprint(f, "venuekey."+name) }

// Format implements fmt.Formatter: a Keeper prints as its name alone, since it may
// hold tokens that a store refuses.
func (k *Keeper) Format(f fmt.State, _ rune) { plainly(f, "Keeper") }

// Format implements fmt.Formatter: a Vault prints as its name alone.
func (v *Vault) Format(f fmt.State, _ rune) { plainly(f, "Vault") }

// Format implements fmt.Formatter: a Source prints as its ID.
func (s *Source) Format(f fmt.State, _ rune) { plainly(f, "Source("+s.id.String()+")") }

// Format implements fmt.Formatter: a Transport prints as its name alone.
func (t *Transport) Format(f fmt.State, _ rune) { plainly(f, "Transport") }

// Format implements fmt.Formatter: what a decision holds does not print.
func (a attempt) Format(f fmt.State, _ rune) { plainly(f, "attempt("+a.id.String()+")") }

// Format implements fmt.Formatter: a Token prints as a struct does. Without it fmt
// would not ask its fields where a pointer to one stands in something else that is
// printed with %s.
func (t Token) Format(f fmt.State, verb rune) {
	type plain Token
	printStruct(f, verb, plain(t))
}

// Format implements fmt.Formatter, as Token's does.
func (a App) Format(f fmt.State, verb rune) {
	type plain App
	printStruct(f, verb, plain(a))
}

// printStruct prints whose fields print without their secrets. What verbs are not for
// a struct fmt would print raw.
func printStruct(f fmt.State, verb rune, value any) {
	format := "%v"
	if verb == 'v' {
		format = fmt.FormatString(f, verb)
	}
	fmt.Fprintf(f, format, value)
}

// Equal compares two secrets in a time that does not tell how much of them
// agrees.
func (s Secret) Equal(t Secret) bool {
	return subtle.ConstantTimeCompare([]byte(s), []byte(t)) == 1
}
