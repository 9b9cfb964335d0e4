package core

import (
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/venuekey/venuekey/emulator"
)

// codes.go owns authorization codes.

func clone(g emulator.Grant) emulator.Grant {
	g.Accounts = slices.Clone(g.Accounts)
	return g
}

// The errors of a code that is presented.
var (
	ErrUnknownCode = errors.New("emulator: authorization code unknown")
	ErrExpiredCode = errors.New("emulator: authorization code expired")
	ErrUsedCode    = errors.New("emulator: authorization code already used")
)

// Codes issues authorization codes, which expire and are single-use. The zero value is ready
// to use. It is safe for concurrent use.
type Codes struct {
	mu    sync.Mutex
	codes map[string]*code
}

type code struct {
	grant   emulator.Grant
	expires time.Time
	used    bool
}

// Issue issues a code for a grant, which gets an ID if it has none.
func (c *Codes) Issue(now time.Time, life time.Duration, g emulator.Grant, s TokenFormat) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if g.ID == "" {
		g.ID = TokenFormat{Length: 16}.Mint()
	}
	if c.codes == nil {
		c.codes = make(map[string]*code)
	}
	v := s.Mint()
	c.codes[v] = &code{grant: clone(g), expires: now.Add(life)}
	return v
}

// Redeem uses up a code and returns its grant. The check, if not nil, is called with the
// grant first; if it returns an error, Redeem returns that error and the code stays valid.
// With [ErrUsedCode] and [ErrExpiredCode] the grant is returned too.
func (c *Codes) Redeem(now time.Time, value string, check func(emulator.Grant) error) (emulator.Grant, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	k, ok := c.codes[value]
	if !ok {
		return emulator.Grant{}, ErrUnknownCode
	}
	g := clone(k.grant)
	if k.used {
		return g, ErrUsedCode
	}
	if !now.Before(k.expires) {
		return g, ErrExpiredCode
	}
	if check != nil {
		if err := check(g); err != nil {
			return g, err
		}
	}
	k.used = true
	return g, nil
}

func (c *Codes) clear() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.codes = nil
}
