package openapi

import "fmt"

// format.go owns how what holds secrets in unexported fields is printed: fmt does
// not ask the methods of what lies there.

// Format implements fmt.Formatter: a Client prints as its name alone.
func (c *Client) Format(f fmt.State, _ rune) { fmt.Fprint(f, "openapi.Client") }

// Format implements fmt.Formatter: a Conn prints as its address.
func (c *Conn) Format(f fmt.State, _ rune) { fmt.Fprint(f, "openapi.Conn("+c.address+")") }

// Format implements fmt.Formatter: a Subscription prints as its name alone.
func (s *Subscription) Format(f fmt.State, _ rune) { fmt.Fprint(f, "openapi.Subscription") }
