package oauth

import (
	"fmt"
	"sync"
)

// stray.go owns what is said of callbacks that do not answer the sign-in. A page or
// a program can send them without end, so that they must not be told without end.

// strays counts them. The first of a kind is told, and a few kinds at most.
type strays struct {
	tell func(string)

	mu      sync.Mutex
	seen    map[string]bool
	told, n int
}

// mostTold is how many lines may be told of what strangers send.
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

// sum is the line that ends the tale, "" where all was told.
func (s *strays) summary() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.n == s.told {
		return ""
	}
	return fmt.Sprintf("%d callbacks were ignored in all", s.n)
}
