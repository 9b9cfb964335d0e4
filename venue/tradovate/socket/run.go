package socket

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/venue/internal/link"
)

// run.go owns the one goroutine that keeps a Client ready.

// Run keeps the Client ready until the context ends, and then returns its error. It
// returns an *Error before that if only a person can help: a sign-in that has ended, the
// wrong host. Streams end with it. It runs once at a time.
func (c *Client) Run(ctx context.Context) error {
	c.init()
	switch {
	case c.Token == nil:
		return errors.New("socket.Client: Token is not set")
	case c.Sync != nil && (len(c.Sync.EntityTypes) == 0 || len(c.Sync.Users)+len(c.Sync.Accounts) == 0):
		return errors.New("socket.Client: Sync names nobody, or no entity types")
	}
	return c.runs.Run("socket.Client", &c.mu, &c.hub.ends,
		func() error { return c.run(ctx) },
		func(err error) { c.setState(PhaseIdle, err, time.Time{}) })
}

func (c *Client) run(ctx context.Context) error {
	options := c.Options.filled()
	budget := newPace(options)
	c.token = &link.Token{Get: c.Token, Rejected: c.Rejected, Timeout: options.Timeout, Log: options.Log}
	c.refused, c.unproved, c.limited, c.wasReady, c.maintained, c.detour = nil, 0, 0, time.Time{}, time.Time{}, detour{}
	return link.Loop{
		Session: func(ctx context.Context) error { return c.session(ctx, options, budget) },
		Final:   link.Final,
		Floor:   c.floor,
		Waits: func(err error, wait time.Duration) {
			options.Log.Warn("not connected", "error", err, "wait", wait)
			c.setState(PhaseWaiting, err, time.Now().Add(wait))
		},
	}.Run(ctx)
}

// floor is how long to leave the venue alone. A token that was not taken has been waited
// for already. Maintenance is waited for, but tried now and then, since it may end early;
// what fails meanwhile is part of it.
func (c *Client) floor(err error) time.Duration {
	var known *Error
	if !errors.As(err, &known) || known.Request == authorizeEndpoint {
		return 0
	}
	wait := known.RetryAfter
	if known.Kind == KindMaintenance {
		c.maintained = known.MaintenanceEnd
	}
	if rest := time.Until(c.maintained); rest > 0 {
		wait = max(wait, min(rest, tryInMaintenance)+link.Scatter())
	}
	return wait
}

// session is one connection, from its beginning to its end.
func (c *Client) session(ctx context.Context, options Options, budget *pace) error {
	c.connecting(c.Endpoint)
	if err := c.token.Fetch(ctx); err != nil && c.token.Current == "" {
		return c.tokenError(err)
	}
	at := c.where(ctx)
	c.connecting(at)
	conn, err := connect(ctx, at, options, budget, &c.hub)
	if err != nil {
		return c.unreached(ctx, at, err)
	}
	c.hub.forgetCharts()
	go func() {
		conn.read()
		close(conn.left)
	}()
	defer func() {
		conn.die(ErrClosed)
		c.detach()
		<-conn.left // the hub is for one reader at a time
	}()
	before := c.refused
	if err := c.authorise(ctx, conn); err != nil {
		if ended := conn.Err(); ended != nil && kindOf(err) != KindPenalty {
			return ended // the reason, and not what it did to a request
		}
		_ = conn.Close() // nothing keeps a connection that is not authorised
		if c.refused != before {
			return err // the access token is next
		}
		return c.doubtToken(ctx, err)
	}
	presented, began := c.token.Current, time.Now()
	err = c.serve(ctx, conn)
	if ended := conn.Err(); ended != nil && ctx.Err() == nil {
		err = ended
	}
	return c.parting(ctx, err, presented, time.Since(began))
}

// parting decides what the end of an authorised connection means for its token. The venue
// revokes the token of a connection that it closes for a limit (Tradovate facts §2): whoever
// signs in has to know, unless there is a newer one already.
func (c *Client) parting(ctx context.Context, ended error, presented venuekey.Secret, lasted time.Duration) error {
	c.maintained, c.detour = time.Time{}, detour{}
	var known *Error
	if !errors.As(ended, &known) || ctx.Err() != nil || known.Kind != KindLimit && known.Kind != KindTokenDead {
		return ended
	}
	c.token.Current = presented
	if _, gone := c.token.Replaced(ctx); venuekey.NeedsSignIn(gone) {
		return c.tokenError(gone)
	}
	if known.Kind == KindTokenDead {
		return ended
	}
	// The next connection may close another program's, whose next one closes ours.
	if lasted > 2*lastDoubt {
		c.limited = 0
	}
	limit := *known
	limit.RetryAfter = min(lastDoubt, afterLimit<<min(c.limited, 10))
	c.limited++
	return &limit
}

// serve restores what there was, and stays while the connection lives.
func (c *Client) serve(ctx context.Context, conn *Conn) error {
	c.attach(conn)
	if err := c.synchronise(ctx, conn); err != nil {
		return err
	}
	if err := c.restore(ctx, conn); err != nil {
		return err
	}
	c.setState(PhaseReady, nil, time.Time{})
	defer func() { c.wasReady = time.Now() }()
	poll := time.NewTicker(link.TokenPoll)
	defer poll.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-conn.Done():
			return conn.Err()
		case <-c.wake:
		case <-poll.C:
		}
		if c.token.Changed(ctx) { // the connection stays as it is
			conn.confide(c.token.Current)
			conn.opts.Log.Debug("the token changed")
		}
	}
}

// synchronise begins the user sync, whose snapshot is an event like what follows it.
func (c *Client) synchronise(ctx context.Context, conn *Conn) error {
	if c.Sync == nil {
		return nil
	}
	_, err := conn.do(ctx, Request{Endpoint: syncEndpoint, Body: c.Sync}, conn.opts.SignOn, func(data json.RawMessage) {
		c.hub.dispatch(conn, Event{Kind: EventSnapshot}, data)
	})
	return err
}

func (c *Client) connecting(to Endpoint) {
	c.mu.Lock()
	c.address = to.Address
	err := c.state.Err
	c.mu.Unlock()
	c.setState(PhaseConnecting, err, time.Time{})
}

func (c *Client) attach(conn *Conn) {
	c.mu.Lock()
	c.conn = conn
	for _, i := range c.topics {
		i.confirmed, i.doubtful = false, false
	}
	err := c.state.Err
	c.mu.Unlock()
	c.setState(PhaseRestoring, err, time.Time{})
}

func (c *Client) detach() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.conn = nil
	if c.state.Phase == PhaseReady {
		c.state.Phase = PhaseConnecting // as setState will say in a moment
	}
	c.mu.Changed()
}
