package venuekey

import (
	"crypto/subtle"
	"fmt"
	"log/slog"
)

// secret.go owns the rule that secrets do not print.

// Secret is a string that never prints: formatting, logging or marshalling it gives
// "[secret]", or "" if it is empty. The conversion string(s) is the only way to its
// value, so every place that reveals a secret can be found by searching for it.
//
// A Secret belongs in exported struct fields only: fmt prints unexported fields without
// calling their methods. A test of this repository enforces that rule.
type Secret string

const redacted = "[secret]"

func (s Secret) redacted() string {
	if s == "" {
		return ""
	}
	return redacted
}

// Format implements fmt.Formatter for every verb that calls it: %T and %p do not, nor
// does %w outside Errorf. go vet reports the latter two.
func (s Secret) Format(f fmt.State, _ rune) { fmt.Fprint(f, s.redacted()) }

// LogValue implements slog.LogValuer.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.redacted()) }

// MarshalText implements encoding.TextMarshaler, which JSON and most other encoders use.
// It redacts; only the Vault writes secrets, under a seal.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.redacted()), nil }

// MarshalBinary implements encoding.BinaryMarshaler, which gob uses. It redacts.
func (s Secret) MarshalBinary() ([]byte, error) { return []byte(s.redacted()), nil }

// hidden holds a value with secrets for an unexported field. fmt would print the value
// without calling any method; of a function it prints only the address.
type hidden[T any] func() T

func hide[T any](value T) hidden[T] { return func() T { return value } }

// plainly prints only a type's name: for types with secrets behind pointers, which some
// verbs of fmt follow.
func plainly(f fmt.State, name string) { fmt.Fprint(f, "venuekey."+name) }

// Format implements fmt.Formatter: a Keeper prints as its type name only, since it may
// hold tokens that the store refuses.
func (k *Keeper) Format(f fmt.State, _ rune) { plainly(f, "Keeper") }

// Format implements fmt.Formatter: a Vault prints as its type name only.
func (v *Vault) Format(f fmt.State, _ rune) { plainly(f, "Vault") }

// Format implements fmt.Formatter: a Source prints as its ID.
func (s *Source) Format(f fmt.State, _ rune) { plainly(f, "Source("+s.id.String()+")") }

// Format implements fmt.Formatter: a Transport prints as its type name only.
func (t *Transport) Format(f fmt.State, _ rune) { plainly(f, "Transport") }

// Format implements fmt.Formatter: the secrets in an attempt do not print.
func (a attempt) Format(f fmt.State, _ rune) { plainly(f, "attempt("+a.id.String()+")") }

// Format implements fmt.Formatter: a Token prints as a struct with its secrets redacted.
// Without this method fmt would not call its fields' methods if a pointer to a Token is
// part of a value printed with %s.
func (t Token) Format(f fmt.State, verb rune) {
	type plain Token
	printStruct(f, verb, plain(t))
}

// Format implements fmt.Formatter, as Token's does.
func (a App) Format(f fmt.State, verb rune) {
	type plain App
	printStruct(f, verb, plain(a))
}

// printStruct prints a struct whose fields redact themselves. Every verb but %v prints
// as %v, because fmt prints fields raw for verbs that do not fit them.
func printStruct(f fmt.State, verb rune, value any) {
	format := "%v"
	if verb == 'v' {
		format = fmt.FormatString(f, verb)
	}
	fmt.Fprintf(f, format, value)
}

// Equal compares two secrets in constant time.
func (s Secret) Equal(t Secret) bool {
	return subtle.ConstantTimeCompare([]byte(s), []byte(t)) == 1
}
