package openapi

import (
	"slices"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/internal/foreign"
)

// secrets.go owns the secrets that a connection has sent, so that they can be removed
// from what the service says later.

// mostSecrets bounds their number: the application's, and the tokens of the last hours.
const mostSecrets = 16

// secrets are the secrets that were sent. The field is exported so that fmt calls the
// methods of Secret.
type secrets struct{ List []venuekey.Secret }

func (c *Conn) rememberSecrets(secrets []venuekey.Secret) {
	if len(secrets) == 0 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, secret := range secrets {
		if slices.Contains(c.sentSecrets.List, secret) {
			continue
		}
		if len(c.sentSecrets.List) == mostSecrets {
			c.sentSecrets.List = slices.Delete(c.sentSecrets.List, 1, 2) // the first is the application's
		}
		c.sentSecrets.List = append(c.sentSecrets.List, secret)
	}
}

// foreign makes an error that quotes the service safe to show.
func (c *Conn) foreign(err error) error { return foreign.ErrorWithout(err, c.secrets()...) }

func (c *Conn) secrets() []venuekey.Secret {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.sentSecrets.List)
}
