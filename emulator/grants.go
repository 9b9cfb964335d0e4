package emulator

// This file owns the steps that every OAuth venue takes with codes and tokens,
// each with its lines in the event log.

import (
	"errors"
	"net/http"
	"net/url"
	"time"
)

// SendCode issues a code for the grant and sends the browser back with it. The
// extra values, such as state, go along.
func (c *Core) SendCode(w http.ResponseWriter, r *http.Request, g Grant, life time.Duration, s TokenFormat, extra url.Values) {
	code := c.Codes.Issue(c.Clock.Now(), life, g, s)
	c.Record(Event{Kind: CodeIssued, User: g.User, Client: g.Client, Successor: Fingerprint(code)})
	add := url.Values{"code": {code}}
	for k, v := range extra {
		add[k] = v
	}
	SendBack(w, r, g.Redirect, add)
}

// Exchange turns a code into the first pair of a family. The check sees the grant
// before the code is used up.
func (c *Core) Exchange(code string, p Policy, check func(Grant) error) (Pair, error) {
	now := c.Clock.Now()
	g, err := c.Codes.Redeem(now, code, check)
	if err != nil {
		c.Record(Event{Kind: CodeRefused, User: g.User, Client: g.Client, Fingerprint: Fingerprint(code), Detail: err.Error()})
		if errors.Is(err, ErrUsedCode) && p.CodeReuseRevokes {
			c.revokeFamily(g.ID, "code presented twice")
		}
		return Pair{Grant: g}, err
	}
	pair := c.Tokens.Issue(now, g, p)
	c.Record(Event{Kind: CodeExchanged, User: g.User, Client: g.Client, Fingerprint: Fingerprint(code), Successor: pair.issued()})
	return pair, nil
}

// Refresh presents a refresh token. The check sees the grant before the token is
// used; with an error of the check nothing happened to the token.
func (c *Core) Refresh(refresh string, p Policy, check func(Grant) error) (Pair, error) {
	c.Record(Event{Kind: RefreshPresented, Fingerprint: Fingerprint(refresh)})
	pair, err := c.Tokens.Refresh(c.Clock.Now(), refresh, p, check)
	g := pair.Grant
	if err != nil {
		c.Record(Event{Kind: RefreshRefused, User: g.User, Client: g.Client, Fingerprint: Fingerprint(refresh), Detail: err.Error()})
		if errors.Is(err, ErrUsedToken) && p.Rotation == StrictFamilyRevoke {
			c.Record(Event{Kind: Revoked, User: g.User, Client: g.Client, Detail: "refresh token presented twice"})
			c.end(g)
		}
		return pair, err
	}
	c.Record(Event{Kind: RefreshGranted, User: g.User, Client: g.Client, Fingerprint: Fingerprint(refresh), Successor: pair.issued()})
	return pair, nil
}

// Renew gives a new access token for a live one.
func (c *Core) Renew(access string, p Policy) (Pair, error) {
	pair, err := c.Tokens.Renew(c.Clock.Now(), access, p)
	g := pair.Grant
	if err != nil {
		c.Record(Event{Kind: RenewRefused, User: g.User, Client: g.Client, Fingerprint: Fingerprint(access), Detail: err.Error()})
		return pair, err
	}
	c.Record(Event{Kind: RenewGranted, User: g.User, Client: g.Client, Fingerprint: Fingerprint(access), Successor: pair.issued()})
	return pair, nil
}

// Revoke ends a token as [Tokens.Revoke] does, or alone as [Tokens.RevokeAlone]
// does, and tells whether it was known.
func (c *Core) Revoke(token string, alone bool) bool {
	end := c.Tokens.Revoke
	if alone {
		end = c.Tokens.RevokeAlone
	}
	g, ok := end(token)
	if ok {
		c.Record(Event{Kind: Revoked, User: g.User, Client: g.Client, Fingerprint: Fingerprint(token), Detail: "by the app"})
		c.end(g)
	}
	return ok
}

func (c *Core) revokeFamily(id, why string) {
	for _, g := range c.Tokens.RevokeWhere(func(g Grant) bool { return g.ID == id }) {
		c.Record(Event{Kind: Revoked, User: g.User, Client: g.Client, Detail: why})
		c.end(g)
	}
}
