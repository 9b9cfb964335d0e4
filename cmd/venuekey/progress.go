package main

import (
	"fmt"
	"strings"

	"github.com/venuekey/venuekey/terminal"
)

// progress.go owns the line that shows the progress of long work.

// progress shows the progress of long work, on a terminal only, in one line that it
// overwrites; "" clears the line.
func (p *program) progress(format string, args ...any) {
	if _, ok := terminal.Of(p.stderr); ok {
		fmt.Fprint(p.stderr, "\r\x1b[K"+strings.TrimSpace(fmt.Sprintf(format, args...)))
	}
}
