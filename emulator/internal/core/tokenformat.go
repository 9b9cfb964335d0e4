package core

import "crypto/rand"

// tokenformat.go owns what tokens and codes look like.

const alphanumeric = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

// TokenFormat says what the tokens and codes of a venue look like. They carry no
// meaning.
type TokenFormat struct {
	// Prefix stands before every token and code. Tests plant a sentinel with it
	// and then search all output for it.
	Prefix string
	// Length is the number of random characters after the prefix; 0 means 43.
	Length int
	// Alphabet is what they are drawn from; empty means letters and digits. It
	// must be ASCII.
	Alphabet string
}

// Mint makes a random token.
func (s TokenFormat) Mint() string {
	length, alphabet := s.Length, s.Alphabet
	if length <= 0 {
		length = 43
	}
	if alphabet == "" {
		alphabet = alphanumeric
	}
	// Bytes at or above the largest multiple of len(alphabet) are thrown away,
	// else the first letters would come up more often.
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
