package main

import (
	"fmt"
	"io"

	"github.com/venuekey/venuekey/internal/environ"
	"github.com/venuekey/venuekey/terminal"
)

// host.go owns the world outside, so that a test can stand in for each part of
// it.

// host is what a run is given of the world.
type host struct {
	args           []string
	environ        []string // as os.Environ gives it
	stdin          io.Reader
	stdout, stderr io.Writer
	// browse opens a browser; it may take as long as the browser runs.
	browse func(address string) error
	// become runs another program in place of this one. Where it returns
	// without an error, the code is that program's.
	become func(path string, args, environ []string) (code int, err error)
	// orderly is called before work that a signal should not cut short. Until
	// then a signal kills, which loses nothing.
	orderly func()
	// grip is what this run holds; nil where nobody asks.
	grip *grip
	// work is the logarithm of what one try of a backup's passphrase costs; zero
	// is age's own choice, a second or so.
	work int
}

// env gives a variable of the environment, "" where it is not set.
func (h host) env(name string) string { return environ.Get(h.environ, name) }

// tell writes a line for the person at the terminal. What is meant for a
// program goes to standard output and nowhere else.
func (h host) tell(format string, args ...any) {
	fmt.Fprintf(h.stderr, format+"\n", fitting(args)...)
}

// interactive is whether somebody can be asked.
func (h host) interactive() bool {
	_, ok := terminal.Of(h.stdin)
	return ok
}
