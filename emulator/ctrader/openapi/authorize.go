package openapi

import (
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/venuekey/venuekey/emulator"
	"github.com/venuekey/venuekey/emulator/ctrader"
	"github.com/venuekey/venuekey/emulator/internal/core"
	"github.com/venuekey/venuekey/venue/ctrader/openapi/message"
)

// authorize.go owns authorisation: apps, tokens, accounts, and their sessions.

// session is an account that a connection has authorised, and what it has subscribed to.
type session struct {
	account int64
	access  string
	grant   emulator.Grant
	spots   map[int64]*spotSubscription
	depth   map[int64]bool
	bars    map[barKey]bool
}

func (s *session) mayTrade() bool { return s.grant.Scope != "accounts" }

// answerApp answers requests that name no account. The caller holds the lock.
func (c *conn) answerApp(k Knobs, req message.Message) (message.Message, error) {
	switch m := req.(type) {
	case *message.VersionReq:
		return &message.VersionRes{Version: "91"}, nil
	case *message.ApplicationAuthReq:
		return c.authorizeApp(k, m)
	case *message.AccountAuthReq:
		return c.authorizeAccount(k, m)
	case *message.GetAccountListByAccessTokenReq:
		return c.listAccounts(k, m)
	case *message.GetCtidProfileByTokenReq:
		_, user, err := c.owner(string(m.AccessToken))
		return &message.GetCtidProfileByTokenRes{Profile: message.CtidProfile{UserID: user.ID}}, err
	case *message.RefreshTokenReq:
		return c.refreshToken(m)
	}
	return nil, refused("UNSUPPORTED_MESSAGE", "Message is not supported")
}

func (c *conn) authorizeApp(k Knobs, m *message.ApplicationAuthReq) (message.Message, error) {
	if c.app != "" {
		return nil, refused("CH_CLIENT_ALREADY_AUTHENTICATED", "Client is already authenticated")
	}
	app, known := c.s.Venue.App(m.ClientID)
	if !known || app.ClientSecret != string(m.ClientSecret) {
		return nil, refusal{
			code: "CH_CLIENT_AUTH_FAILURE", text: "clientId or clientSecret is incorrect",
			end: "the app was refused",
		}
	}
	if c.s.tooMany(k, app.ClientID) {
		return nil, refusal{
			code: "CONNECTIONS_LIMIT_EXCEEDED", text: "Limit of connections is reached",
			end: "the app has too many connections",
		}
	}
	c.app = app.ClientID
	c.log(Event{Kind: AppAuthorized, Client: c.app})
	return &message.ApplicationAuthRes{}, nil
}

// owner returns the grant and the user of an access token. It does not accept the token of
// another app.
func (c *conn) owner(access string) (emulator.Grant, emulator.User, error) {
	grant, err := c.s.Venue.Grant(access)
	if err == nil && grant.Client != c.app {
		err = core.ErrUnknownToken
	}
	user, known := c.s.Venue.User(grant.User)
	if err == nil && !known {
		err = core.ErrRevokedToken
	}
	if err != nil {
		return emulator.Grant{}, emulator.User{}, badToken(err)
	}
	return grant, user, nil
}

func badToken(err error) error {
	if errors.Is(err, core.ErrExpiredToken) {
		return refused("CH_ACCESS_TOKEN_INVALID", "Access token expired")
	}
	return refused("CH_ACCESS_TOKEN_INVALID", "Invalid access token")
}

func (c *conn) authorizeAccount(k Knobs, m *message.AccountAuthReq) (message.Message, error) {
	grant, user, err := c.owner(string(m.AccessToken))
	if err != nil {
		return nil, err
	}
	id := m.CtidTraderAccountID
	i := slices.IndexFunc(user.Accounts, func(a emulator.Account) bool { return a.ID == id })
	switch {
	case i < 0 || !slices.Contains(grant.Accounts, id):
		return nil, refused("CH_CTID_TRADER_ACCOUNT_NOT_FOUND", "Trading account is not found")
	case user.Accounts[i].Live != c.live:
		return nil, refused("CANT_ROUTE_REQUEST", "Cannot route request")
	case c.accounts[id] != nil:
		return nil, refused("ALREADY_LOGGED_IN", "Trading account is already authorized in this channel")
	}
	if k.OneSessionPerAccount {
		c.s.dropAccount(id, "taken over by another connection")
	}
	c.s.bookOf(id).owner = user.Accounts[i]
	c.accounts[id] = &session{
		account: id, access: string(m.AccessToken), grant: grant,
		spots: make(map[int64]*spotSubscription), depth: make(map[int64]bool), bars: make(map[barKey]bool),
	}
	c.log(Event{Kind: AccountAuthorized, Account: id, Client: c.app})
	c.s.walk()
	return &message.AccountAuthRes{CtidTraderAccountID: id}, nil
}

// listAccounts returns the accounts of both hosts (cTrader facts §3.6).
func (c *conn) listAccounts(k Knobs, m *message.GetAccountListByAccessTokenReq) (message.Message, error) {
	grant, user, err := c.owner(string(m.AccessToken))
	if err != nil {
		return nil, err
	}
	res := &message.GetAccountListByAccessTokenRes{AccessToken: m.AccessToken}
	if !k.OmitScope {
		scope := message.ClientPermissionScopeScopeTrade
		if grant.Scope == "accounts" {
			scope = message.ClientPermissionScopeScopeView
		}
		res.PermissionScope = message.Some(scope)
	}
	for _, a := range user.Accounts {
		if slices.Contains(grant.Accounts, a.ID) {
			res.CtidTraderAccount = append(res.CtidTraderAccount, message.CtidTraderAccount{
				CtidTraderAccountID: uint64(a.ID), IsLive: message.Some(a.Live),
				TraderLogin: message.Some(a.Login), BrokerTitleShort: optional(a.Broker),
			})
		}
	}
	return res, nil
}

// refreshToken refreshes at the venue. It releases the lock meanwhile, since the venue calls
// back about the rotation.
func (c *conn) refreshToken(m *message.RefreshTokenReq) (message.Message, error) {
	app := c.app
	c.s.mu.Unlock()
	pair, err := c.s.Venue.Refresh(app, string(m.RefreshToken))
	c.s.mu.Lock()
	if err != nil {
		return nil, refused("CH_ACCESS_TOKEN_INVALID", "Invalid refresh token")
	}
	c.log(Event{Kind: TokensRefreshed, Client: app})
	res := &message.RefreshTokenRes{TokenType: "bearer"}
	give(&res.AccessToken, pair.Access)
	give(&res.RefreshToken, pair.Refresh)
	res.ExpiresIn = core.Seconds(pair.AccessExpires.Sub(c.s.now()))
	return res, nil
}

// give sets a field to a token, whatever string type the field has.
func give[T ~string](to *T, token string) { *to = T(token) }

func (a *asking) logout() (message.Message, error) {
	id := a.account()
	a.end(id, "logged out")
	a.s.after = append(a.s.after, func() { a.send(&message.AccountDisconnectEvent{CtidTraderAccountID: id}) })
	return &message.AccountLogoutRes{CtidTraderAccountID: id}, nil
}

// end ends a session, if there is one. The caller holds the lock.
func (c *conn) end(account int64, why string) bool {
	if c.accounts[account] == nil {
		return false
	}
	delete(c.accounts, account)
	c.log(Event{Kind: AccountEnded, Account: account, Client: c.app, Detail: why})
	return true
}

// ended is called by the venue when a token ends.
func (s *Server) ended(e ctrader.Ended) {
	s.mu.Lock()
	defer s.mu.Unlock()
	effect := s.knobs().OnRefresh
	for _, c := range s.inOrder() {
		var hit []int64
		for _, id := range slices.Sorted(maps.Keys(c.accounts)) {
			if c.accounts[id].grant.ID == e.Grant.ID {
				hit = append(hit, id)
			}
		}
		switch {
		case len(hit) == 0:
		case !e.Refreshed:
			c.invalidate(hit, "the token was revoked")
		case effect == RefreshInvalidates:
			c.invalidate(hit, "the token was refreshed")
		case effect == RefreshDisconnects:
			for _, id := range hit {
				c.send(&message.AccountDisconnectEvent{CtidTraderAccountID: id})
			}
		}
	}
}

func (c *conn) invalidate(accounts []int64, why string) {
	for _, id := range accounts {
		c.end(id, why)
	}
	c.send(&message.AccountsTokenInvalidatedEvent{
		CtidTraderAccountIDs: accounts,
		Reason:               message.Some("Access Token is expired or recalled: " + strings.TrimPrefix(why, "the ")),
	})
}

// inOrder returns the connections, oldest first.
func (s *Server) inOrder() []*conn {
	return slices.SortedFunc(maps.Keys(s.conns), func(a, b *conn) int { return a.number - b.number })
}
