package openapi

import "fmt"

// format.go owns how types that hold secrets in unexported fields are printed: fmt does
// not call the methods of such fields.

// Format implements fmt.Formatter: a Client prints as its type name.
func (c *Client) Format(f fmt.State, _ rune) { fmt.Fprint(f, "openapi.Client") }

// Format implements fmt.Formatter: a Conn prints as its type name and address.
func (c *Conn) Format(f fmt.State, _ rune) { fmt.Fprint(f, "openapi.Conn("+c.address+")") }

// Format implements fmt.Formatter: a Subscription prints as its type name.
func (s *Subscription) Format(f fmt.State, _ rune) { fmt.Fprint(f, "openapi.Subscription") }
