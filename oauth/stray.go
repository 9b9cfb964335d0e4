package oauth

import (
	"fmt"
	"sync"
)

// stray.go owns what is reported of callbacks that do not answer the sign-in. A page or a
// program can send any number of them, so the reports are limited.

// strays counts them. The first of each kind is reported, for a few kinds.
type strays struct {
	tell func(string)

	mu      sync.Mutex
	seen    map[string]bool
	told, n int
}

// mostTold is how many lines may report stray callbacks.
const mostTold = 5

func (s *strays) ignore(why string) {
	s.mu.Lock()
	first := !s.seen[why] && s.told < mostTold
	if first {
		s.told++
		s.seen[why] = true
	}
	s.n++
	s.mu.Unlock()
	if first {
		s.tell("a callback was ignored: " + why)
	}
}

// summary returns the last line, "" if all were reported.
func (s *strays) summary() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.n == s.told {
		return ""
	}
	return fmt.Sprintf("%d callbacks were ignored in all", s.n)
}
