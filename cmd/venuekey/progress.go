package main

import (
	"fmt"
	"strings"

	"github.com/venuekey/venuekey/terminal"
)

// progress.go owns the line that shows how far long work is.

// progress shows how far long work is, on a terminal only, in one line that is
// written over; "" takes it away.
func (p *program) progress(format string, args ...any) {
	if _, ok := terminal.Of(p.stderr); ok {
		fmt.Fprint(p.stderr, "\r\x1b[K"+strings.TrimSpace(fmt.Sprintf(format, args...)))
	}
}
