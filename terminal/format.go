package terminal

import "fmt"

// format.go owns how a UI is formatted.

// Format implements fmt.Formatter. A UI is formatted as its name only, because it may
// hold what a user has typed.
func (u *UI) Format(f fmt.State, _ rune) { fmt.Fprint(f, "terminal.UI") }
