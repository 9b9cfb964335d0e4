package openapi

import (
	"context"
	"errors"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/venue/ctrader/openapi/message"
)

// do.go owns how a Client sends a request: on which connection, and whether it sends it
// again.

// Do waits until the request's account is ready, sends the request and waits for its
// answer; there is also a method for each request. Errors are *Error.
//
// If a connection or session ends under a request that is safe to send twice, Do sends
// it once more when the Client is ready again; if it never left, as often as needed. An
// order is sent at most once: without an answer the class is venuekey.ClassUnknown, and
// it may have been carried out. When the service answers "too many requests", Do waits
// and repeats the request as Conn.Do does.
func (c *Client) Do(ctx context.Context, req message.Message) (message.Message, error) {
	return c.doVia(ctx, req, func(ctx context.Context, conn *Conn, req message.Message) (message.Message, error) {
		return conn.once(ctx, req)
	})
}

type send func(ctx context.Context, conn *Conn, req message.Message) (message.Message, error)

func (c *Client) doVia(ctx context.Context, req message.Message, via send) (message.Message, error) {
	again := true
	for {
		conn, epoch, err := c.usable(ctx, req)
		if err != nil {
			return nil, err
		}
		answer, err := retryRate(ctx, req, func(ctx context.Context, req message.Message) (message.Message, error) {
			return via(ctx, conn, req)
		})
		var known *Error
		if !errors.As(err, &known) {
			return answer, err
		}
		c.notice(conn, epoch, known)
		if !repeatable(known.Request) || ctx.Err() != nil {
			return answer, err
		}
		switch {
		case known.Class == venuekey.ClassNotSent && conn.Err() != nil:
		case again && passing(conn, known):
			again = false
		default:
			return answer, err
		}
	}
}

// passing reports whether an error belongs to this session or connection, so that the
// next one will not have it.
func passing(conn *Conn, e *Error) bool {
	switch e.Kind {
	case KindAccountLost, KindAppLost, KindTokenDead:
		return true
	}
	// A request that timed out is not repeated: no caller should wait for two timeouts.
	return e.Class == venuekey.ClassUnknown && e.Code == "" && conn.Err() != nil && !unanswered(e)
}

// usable waits for a connection on which the request's account is ready, and returns it
// with the epoch of the account's session. A request about no account, or about one that
// is not the Client's, needs only the application to be authorised; one whose account
// has left meanwhile fails.
func (c *Client) usable(ctx context.Context, req message.Message) (conn *Conn, epoch int, err error) {
	id, _ := accountOf(req)
	waited := false
	err = c.waitFor(ctx, req, func() (bool, error) {
		a := c.accounts[id]
		if a == nil && waited && c.hasLeft(id) {
			return false, c.leftError(req, id)
		}
		waited = waited || a != nil
		if c.conn == nil || c.conn.Err() != nil {
			return false, nil
		}
		if conn = c.conn; a == nil {
			return true, nil
		}
		epoch = a.epoch
		if a.state == accountRefused {
			return false, a.err
		}
		return a.state == accountReady, nil
	})
	return conn, epoch, err
}

// notice acts on what an error says about a session, unless a newer session has taken
// its place.
func (c *Client) notice(conn *Conn, epoch int, e *Error) {
	switch e.Kind {
	case KindAccountLost, KindTokenDead:
		c.mu.Lock()
		defer c.mu.Unlock()
		if a := c.accounts[e.Account]; a != nil && a.epoch == epoch && c.conn == conn {
			c.markLost(a, e)
		}
	case KindAppLost:
		conn.die(e)
	}
}

// markLost marks an account for re-authorisation. c is locked.
func (c *Client) markLost(a *account, err error) {
	c.epoch++
	a.epoch = c.epoch
	if a.state == accountLost {
		return
	}
	a.state, a.err = accountLost, err
	a.slowDown()
	c.unconfirm(a.id, true)
	if c.state.Phase == PhaseReady {
		c.state.Phase, c.state.Err = PhaseAuthorising, err
	}
	c.mu.Changed()
	signal(c.wake)
}
