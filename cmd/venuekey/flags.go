package main

import (
	"errors"
	"maps"
	"slices"
	"strings"
)

// flags.go owns the flags that hold more than one value.

// pairs is a flag of the form NAME=VALUE that may be repeated. Everything after the first =
// is the value, including commas.
type pairs map[string]string

// Set implements pflag.Value.
func (p *pairs) Set(text string) error {
	name, value, ok := strings.Cut(text, "=")
	if !ok || name == "" {
		return errors.New("give it as NAME=VALUE")
	}
	*p = with(*p, name, value)
	return nil
}

// Type implements pflag.Value.
func (*pairs) Type() string { return "NAME=VALUE" }

// String implements pflag.Value.
func (p *pairs) String() string {
	var all []string
	for _, name := range slices.Sorted(maps.Keys(*p)) {
		all = append(all, name+"="+(*p)[name])
	}
	return strings.Join(all, " ")
}

// list is a flag of words, separated by spaces or commas, that may be repeated.
type list []string

// Set implements pflag.Value.
func (l *list) Set(text string) error {
	*l = append(*l, words(text)...)
	return nil
}

// Type implements pflag.Value.
func (*list) Type() string { return "WORDS" }

// String implements pflag.Value.
func (l *list) String() string { return strings.Join(*l, " ") }

// with returns a copy of a map with one value set.
func with[V any](values map[string]V, name string, value V) map[string]V {
	copied := map[string]V{name: value}
	for key, old := range values {
		if key != name {
			copied[key] = old
		}
	}
	return copied
}

// words splits a text at spaces and commas.
func words(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return r == ' ' || r == ',' })
}
