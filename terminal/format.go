package terminal

import "fmt"

// format.go owns how a UI is printed.

// Format implements fmt.Formatter: a UI prints as its name alone, since what
// somebody has typed may be in it.
func (u *UI) Format(f fmt.State, _ rune) { fmt.Fprint(f, "terminal.UI") }
