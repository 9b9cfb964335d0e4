package core

import (
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/venuekey/venuekey/emulator"
)

// grants.go owns the steps that every OAuth venue takes with codes and tokens, each with
// its events.

// SendCode issues a code for the grant and redirects the browser to the app with it, and
// with the extra values, such as state.
func (c *Core) SendCode(w http.ResponseWriter, r *http.Request, g emulator.Grant, life time.Duration, s TokenFormat, extra url.Values) {
	code := c.Codes.Issue(c.Clock.Now(), life, g, s)
	c.Record(emulator.Event{Kind: emulator.EventCodeIssued, User: g.User, Client: g.Client, Successor: emulator.Fingerprint(code)})
	add := url.Values{"code": {code}}
	for k, v := range extra {
		add[k] = v
	}
	SendBack(w, r, g.Redirect, add)
}

// Exchange exchanges a code for the first pair of a family. The check is called with the
// grant before the code is used up; its error is returned, and the code then stays valid.
func (c *Core) Exchange(code string, p Policy, check func(emulator.Grant) error) (emulator.Pair, error) {
	now := c.Clock.Now()
	g, err := c.Codes.Redeem(now, code, check)
	if err != nil {
		c.Record(emulator.Event{Kind: emulator.EventCodeRefused, User: g.User, Client: g.Client, Fingerprint: emulator.Fingerprint(code), Detail: err.Error()})
		if errors.Is(err, ErrUsedCode) && p.CodeReuseRevokes {
			c.revokeFamily(g.ID, "code presented twice")
		}
		return emulator.Pair{Grant: g}, err
	}
	pair := c.Tokens.Issue(now, g, p)
	c.Record(emulator.Event{Kind: emulator.EventCodeExchanged, User: g.User, Client: g.Client, Fingerprint: emulator.Fingerprint(code), Successor: issued(pair)})
	return pair, nil
}

// Refresh presents a refresh token. The check is called with the grant before the token is
// used; its error is returned, and the token is then unchanged.
func (c *Core) Refresh(refresh string, p Policy, check func(emulator.Grant) error) (emulator.Pair, error) {
	c.Record(emulator.Event{Kind: emulator.EventRefreshPresented, Fingerprint: emulator.Fingerprint(refresh)})
	pair, err := c.Tokens.Refresh(c.Clock.Now(), refresh, p, check)
	g := pair.Grant
	if err != nil {
		c.Record(emulator.Event{Kind: emulator.EventRefreshRefused, User: g.User, Client: g.Client, Fingerprint: emulator.Fingerprint(refresh), Detail: err.Error()})
		if errors.Is(err, ErrUsedToken) && p.Rotation == emulator.RotationStrictFamilyRevoke {
			c.Record(emulator.Event{Kind: emulator.EventRevoked, User: g.User, Client: g.Client, Detail: "refresh token presented twice"})
			c.end(g)
		}
		return pair, err
	}
	c.Record(emulator.Event{Kind: emulator.EventRefreshGranted, User: g.User, Client: g.Client, Fingerprint: emulator.Fingerprint(refresh), Successor: issued(pair)})
	return pair, nil
}

// Renew issues a new access token for a live one.
func (c *Core) Renew(access string, p Policy) (emulator.Pair, error) {
	pair, err := c.Tokens.Renew(c.Clock.Now(), access, p)
	g := pair.Grant
	if err != nil {
		c.Record(emulator.Event{Kind: emulator.EventRenewRefused, User: g.User, Client: g.Client, Fingerprint: emulator.Fingerprint(access), Detail: err.Error()})
		return pair, err
	}
	c.Record(emulator.Event{Kind: emulator.EventRenewGranted, User: g.User, Client: g.Client, Fingerprint: emulator.Fingerprint(access), Successor: issued(pair)})
	return pair, nil
}

// Revoke revokes a token as [Tokens.Revoke] does, or, if alone is true, as
// [Tokens.RevokeAlone] does. It reports whether the token was known.
func (c *Core) Revoke(token string, alone bool) bool {
	end := c.Tokens.Revoke
	if alone {
		end = c.Tokens.RevokeAlone
	}
	g, ok := end(token)
	if ok {
		c.Record(emulator.Event{Kind: emulator.EventRevoked, User: g.User, Client: g.Client, Fingerprint: emulator.Fingerprint(token), Detail: "by the app"})
		c.end(g)
	}
	return ok
}

func (c *Core) revokeFamily(id, why string) {
	for _, g := range c.Tokens.RevokeWhere(func(g emulator.Grant) bool { return g.ID == id }) {
		c.Record(emulator.Event{Kind: emulator.EventRevoked, User: g.User, Client: g.Client, Detail: why})
		c.end(g)
	}
}
