package openapi

import (
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/venuekey/venuekey/venue/ctrader/openapi/message"
)

// members.go owns how accounts join and leave a Client while it runs.

// ErrLeft is the cause of the errors that streams and waiting requests of an account end
// with when the account leaves its Client.
var ErrLeft = errors.New("the account left the client")

// Join adds an account to the Client, which authorises it on the current connection and
// on each later one. It returns nil once the account is ready, and an error if the
// account is refused or the context ends first. The account stays a member after an
// error, and the Client keeps trying until Leave. Joining an account that is already a
// member waits until it is ready, and tries again if it was refused.
//
// After the first Join or Leave, Run no longer ends for lack of accounts: a Client
// without accounts is ready for those to come.
func (c *Client) Join(ctx context.Context, id int64) error {
	c.init()
	c.mu.Lock()
	c.setMember(id, true)
	a := c.accounts[id]
	if c.conn != nil && (a == nil || a.state == accountRefused) { // else attach adds it
		c.epoch++
		c.accounts[id] = &account{id: id, epoch: c.epoch}
		if c.state.Phase == PhaseReady {
			c.state.Phase = PhaseAuthorising
		}
		c.mu.Changed()
		signal(c.membersChanged)
	}
	c.mu.Unlock()
	return c.waitFor(ctx, nil, func() (bool, error) {
		a := c.accounts[id]
		switch {
		case !c.members[id]:
			return false, c.leftError(nil, id)
		case c.conn == nil || a == nil:
			return false, nil
		case a.state == accountRefused:
			return false, a.err
		}
		return a.state == accountReady, nil
	})
}

// Leave removes an account and its subscriptions from the Client, on the current
// connection and on later ones. The account's streams of quotes end, and requests that
// wait for the account to become ready fail, both with ErrLeft. Its session with the
// service is ended in the background.
func (c *Client) Leave(id int64) {
	c.init()
	c.mu.Lock()
	c.setMember(id, false)
	conn, member := c.conn, c.accounts[id] != nil
	delete(c.accounts, id)
	users, topics := c.forget(id)
	c.mu.Changed()
	signal(c.membersChanged)
	c.mu.Unlock()
	for _, s := range users {
		s.end(c.leftError(nil, id))
	}
	if member && conn != nil {
		c.logOut(conn, id, topics)
	}
}

// setMember records that an account has joined or left. c is locked.
func (c *Client) setMember(account int64, joined bool) {
	if c.members == nil {
		c.members = map[int64]bool{}
	}
	c.members[account] = joined
}

// hasLeft reports whether an account has left and not joined again. c is locked.
func (c *Client) hasLeft(account int64) bool {
	joined, decided := c.members[account]
	return decided && !joined
}

// mayBeEmpty reports whether the Client goes on without accounts. c is locked.
func (c *Client) mayBeEmpty() bool { return c.JoinOnly || len(c.members) > 0 }

// endures is mayBeEmpty for callers that do not hold the lock.
func (c *Client) endures() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.mayBeEmpty()
}

// withMembers returns the accounts to authorise: those of the list that have not left,
// and those that have joined. c is locked.
func (c *Client) withMembers(listed []int64) []int64 {
	var ids []int64
	for _, id := range listed {
		if _, decided := c.members[id]; !decided {
			ids = append(ids, id)
		}
	}
	for id, joined := range c.members {
		if joined {
			ids = append(ids, id)
		}
	}
	return ids
}

// forget removes an account's subscriptions, and returns their users and what they were
// to. c is locked.
func (c *Client) forget(account int64) (users []*Subscription, topics []topic) {
	for t, i := range c.topics {
		if t.account == account {
			users, topics = slices.AppendSeq(users, maps.Keys(i.users)), append(topics, t)
			delete(c.topics, t)
		}
	}
	return users, topics
}

// leftError returns the error for a request or stream whose account has left.
func (c *Client) leftError(req message.Message, account int64) *Error {
	e := c.notSentError(req, ErrLeft)
	e.Account = account
	return e
}

// logOut ends the account's session with the service in the background. If the account
// has joined again meanwhile, only the subscriptions that no one uses any more end.
func (c *Client) logOut(conn *Conn, account int64, topics []topic) {
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), conn.opts.Timeout)
		defer cancel()
		req, again := &message.AccountLogoutReq{CtidTraderAccountID: account}, false
		_, err := c.inTurn(ctx, conn, req, func() message.Message {
			c.mu.Lock()
			defer c.mu.Unlock()
			if again = c.accounts[account] != nil; again {
				return nil
			}
			return req
		})
		switch {
		case conn.Err() != nil:
		case again:
			c.endUnused(topics)
		case err != nil && kindOf(err) != KindAccountLost:
			conn.opts.Log.Warn("cannot log an account out", "error", err)
		}
	}()
}
