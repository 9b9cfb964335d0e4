package socket

import (
	"fmt"
	"slices"

	"github.com/venuekey/venuekey"
)

// secrets.go owns what a connection was told in secret, so that it is taken out of
// whatever the venue says later, and how what holds it prints.

// mostSecrets bounds them: the tokens of a connection, and the tickets of penalties.
const mostSecrets = 16

// secrets are what was said in secret.
type secrets struct{ List []venuekey.Secret }

func (c *Conn) confide(secret venuekey.Secret) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if secret == "" || slices.Contains(c.confided.List, secret) {
		return
	}
	if len(c.confided.List) == mostSecrets {
		c.confided.List = slices.Delete(c.confided.List, 0, 1)
	}
	c.confided.List = append(c.confided.List, secret)
}

func (c *Conn) secrets() []venuekey.Secret {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.confided.List)
}

// Format implements fmt.Formatter: a Conn prints as its address.
func (c *Conn) Format(f fmt.State, _ rune) { fmt.Fprint(f, "socket.Conn("+c.address+")") }
