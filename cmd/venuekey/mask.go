package main

import (
	"bytes"
	"io"
	"slices"
	"sync"

	"github.com/venuekey/venuekey"
)

// mask.go owns hiding secrets in what a program writes.

const (
	// masked stands in the place of a secret.
	masked = "***"
	// leastMasked is the length of the shortest value that is hidden: a user's number would
	// be found everywhere.
	leastMasked = 8
)

// secretSet is what is to be hidden. It grows while programs write.
type secretSet struct {
	mu  sync.Mutex
	all [][]byte
}

func (s *secretSet) add(secrets ...venuekey.Secret) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, secret := range secrets {
		value := []byte(string(secret))
		if len(value) >= leastMasked && !slices.ContainsFunc(s.all, func(one []byte) bool { return bytes.Equal(one, value) }) {
			s.all = append(slices.Clone(s.all), value)
		}
	}
	slices.SortFunc(s.all, func(a, b []byte) int { return len(b) - len(a) }) // the longest of those that begin at one place
}

func (s *secretSet) list() [][]byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.all)
}

// masker writes to out what it is given, without the secrets. What could be the beginning of
// one is held back until it is known not to be; at most as much as a secret is long.
type masker struct {
	out     io.Writer
	secrets *secretSet

	mu   sync.Mutex
	held []byte
}

// Write implements io.Writer.
func (m *masker) Write(text []byte) (int, error) {
	if err := m.pass(text, false); err != nil {
		return 0, err
	}
	return len(text), nil
}

// end writes what was held back.
func (m *masker) end() error { return m.pass(nil, true) }

// pass writes what is known to be no secret, and stars for what is one; at the end all of it.
func (m *masker) pass(text []byte, final bool) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	secrets := m.secrets.list()
	rest := append(m.held, text...)
	var clean bytes.Buffer
	for {
		at, length := firstOf(rest, secrets, final)
		if length == 0 {
			break
		}
		clean.Write(rest[:at])
		clean.WriteString(masked)
		rest = rest[at+length:]
	}
	keep := 0
	if !final {
		keep = beginning(rest, secrets)
	}
	clean.Write(rest[:len(rest)-keep])
	m.held = append([]byte(nil), rest[len(rest)-keep:]...)
	if clean.Len() == 0 {
		return nil
	}
	_, err := m.out.Write(clean.Bytes())
	return err
}

// firstOf finds the first secret in a text: where it begins and how long it is. Unless the
// text is final, it waits with one at which a longer one may begin, too.
func firstOf(text []byte, secrets [][]byte, final bool) (at, length int) {
	at = len(text)
	for _, secret := range secrets { // longer ones first
		if i := bytes.Index(text[:min(len(text), at+len(secret))], secret); i >= 0 && i < at {
			at, length = i, len(secret)
		}
	}
	if length == 0 {
		return 0, 0
	}
	for _, secret := range secrets {
		if !final && len(secret) > length && len(text)-at < len(secret) && bytes.HasPrefix(secret, text[at:]) {
			return 0, 0
		}
	}
	return at, length
}

// beginning returns how much of the end of a text could be the beginning of a secret.
func beginning(text []byte, secrets [][]byte) (most int) {
	for _, secret := range secrets {
		for n := min(len(text), len(secret)); n > most; n-- {
			if bytes.HasPrefix(secret, text[len(text)-n:]) {
				most = n
				break
			}
		}
	}
	return most
}
