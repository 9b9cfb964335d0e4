package core

import "crypto/rand"

// tokenformat.go owns the format of tokens and codes.

const alphanumeric = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

// TokenFormat is the format of a venue's tokens and codes, which are opaque.
type TokenFormat struct {
	// Prefix is the prefix of every token and code. Tests use a recognisable one and then
	// search all output for it.
	Prefix string
	// Length is the number of random characters after the prefix; 0 means 43.
	Length int
	// Alphabet has the characters to choose from; empty means letters and digits. It must
	// be ASCII.
	Alphabet string
}

// Mint returns a random token.
func (s TokenFormat) Mint() string {
	length, alphabet := s.Length, s.Alphabet
	if length <= 0 {
		length = 43
	}
	if alphabet == "" {
		alphabet = alphanumeric
	}
	// Bytes at or above the largest multiple of len(alphabet) are discarded, or the first
	// characters would be more frequent.
	fair := 256 - 256%len(alphabet)
	out := append(make([]byte, 0, len(s.Prefix)+length), s.Prefix...)
	var b [64]byte
	for len(out) < len(s.Prefix)+length {
		rand.Read(b[:]) // never fails, see its documentation
		for _, x := range b {
			if int(x) < fair && len(out) < len(s.Prefix)+length {
				out = append(out, alphabet[int(x)%len(alphabet)])
			}
		}
	}
	return string(out)
}
