package main

import (
	"fmt"
	"io"
	"log/slog"
	"strings"

	"github.com/venuekey/venuekey/internal/environ"
	"github.com/venuekey/venuekey/terminal"
)

// host.go owns what a run gets from outside, so that a test can replace each part.

// host is what a run gets from outside: arguments, environment, streams.
type host struct {
	args           []string
	environ        []string // as os.Environ gives it
	stdin          io.Reader
	stdout, stderr io.Writer
	// browse opens a browser; it may take as long as the browser runs.
	browse func(address string) error
	// become replaces this process with another program. If it returns without an
	// error, the code is that program's.
	become func(path string, args, environ []string) (code int, err error)
	// orderly is called before work that a signal should not cut short. Until then a
	// signal kills the process, which loses nothing.
	orderly func()
	// grip counts what this run must not lose; nil counts nothing.
	grip *grip
	// notes takes what is told as JSON, for a service whose log a program reads; nil prints it
	// for a person.
	notes *slog.Logger
	// work is the scrypt work factor for a backup's passphrase, a logarithm; zero is
	// age's default, about a second.
	work int
}

// env returns a variable of the environment, "" if it is not set.
func (h host) env(name string) string { return environ.Get(h.environ, name) }

// tell prints a line for the person at the terminal, on standard error. Output for a program
// goes to standard output only.
func (h host) tell(format string, args ...any) {
	if h.notes != nil {
		h.notes.Info(strings.TrimSpace(fmt.Sprintf(format, fitting(args)...)))
		return
	}
	fmt.Fprintf(h.stderr, format+"\n", fitting(args)...)
}

// interactive reports whether there is a terminal to ask at.
func (h host) interactive() bool {
	_, ok := terminal.Of(h.stdin)
	return ok
}
