package socket

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/venue/internal/link"
)

// run.go owns the one goroutine that keeps a Client ready.

const (
	// firstDoubt and lastDoubt bound how long the Client waits before it presents a token
	// again that the venue did not take, while there is no other.
	firstDoubt = time.Minute
	lastDoubt  = 15 * time.Minute
)

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
	c.mu.Lock()
	if c.running {
		c.mu.Unlock()
		return errors.New("socket.Client: Run was called twice")
	}
	c.running, c.ended = true, nil
	c.mu.Unlock()
	c.hub.ends.Begin()
	err := c.run(ctx)
	c.mu.Lock()
	ended := fmt.Errorf("%w: %w", ErrClosed, err)
	c.running, c.ended = false, ended
	c.mu.Unlock()
	c.setState(PhaseIdle, err, time.Time{})
	c.hub.ends.End(ended)
	return err
}

func (c *Client) run(ctx context.Context) error {
	options := c.Options.filled()
	budget := newPace(options)
	c.token = &link.Token{Get: c.Token, Rejected: c.Rejected, Timeout: options.Timeout, Log: options.Log}
	c.refused, c.unproved, c.wasReady = nil, 0, time.Time{}
	return link.Loop{
		Session: func(ctx context.Context) error { return c.session(ctx, options, budget) },
		Final:   final,
		Floor:   floor,
		Waits: func(err error, wait time.Duration) {
			options.Log.Warn("not connected", "error", err, "wait", wait)
			c.setState(PhaseWaiting, err, time.Now().Add(wait))
		},
	}.Run(ctx)
}

// floor is how long to leave the venue alone. A token that was not taken has been waited
// for already.
func floor(err error) time.Duration {
	var known *Error
	if !errors.As(err, &known) || known.Request == authorizeEndpoint {
		return 0
	}
	return known.RetryAfter
}

// session is one connection, from its beginning to its end.
func (c *Client) session(ctx context.Context, options Options, budget *pace) error {
	c.setState(PhaseConnecting, c.State().Err, time.Time{})
	if err := c.token.Fetch(ctx); err != nil && c.token.Current == "" {
		return c.tokenError(err)
	}
	conn, err := connect(ctx, c.Endpoint, options, budget, &c.hub)
	if err != nil {
		return err
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
	if err := c.authorise(ctx, conn); err != nil {
		if ended := conn.Err(); ended != nil {
			return ended // the reason, and not what it did to a request
		}
		_ = conn.Close() // nothing keeps a connection that is not authorised
		return c.doubtToken(ctx, err)
	}
	err = c.serve(ctx, conn)
	if ended := conn.Err(); ended != nil && ctx.Err() == nil {
		err = ended
	}
	if kindOf(err) == KindLimit { // the token was revoked: whoever signs in has to know
		if _, gone := c.token.Replaced(ctx); venuekey.NeedsSignIn(gone) {
			return c.tokenError(gone)
		}
	}
	return err
}

// authorise presents the token. That there was a gap is told before anything that comes
// after it.
func (c *Client) authorise(ctx context.Context, conn *Conn) error {
	from := c.wasReady
	authorised := func(json.RawMessage) {
		if !from.IsZero() {
			c.hub.dispatch(conn, Event{Kind: EventGap, From: from, To: time.Now()}, []byte("null"))
		}
	}
	access, market := c.token.Current, c.marketToken(ctx, conn)
	if market != "" {
		access = market
	}
	err := conn.authorize(ctx, access, authorised)
	switch {
	case err == nil:
		c.unproved = 0
		if market == "" {
			c.token.Proved()
		}
	case market != "" && kindOf(err) == KindTokenDead:
		c.refused = &secrets{[]venuekey.Secret{market}}
	}
	return err
}

// marketToken is the market-data token to present, "" for none.
func (c *Client) marketToken(ctx context.Context, conn *Conn) venuekey.Secret {
	if c.MarketToken == nil {
		return ""
	}
	ctx, cancel := context.WithTimeout(ctx, conn.opts.Timeout)
	defer cancel()
	market, err := c.MarketToken(ctx)
	if err != nil {
		conn.opts.Log.Debug("no market-data token", "error", err)
		return ""
	}
	if c.refused != nil && market.Equal(c.refused.List[0]) {
		return ""
	}
	return market
}

// doubtToken decides what to do after a token was not taken: the token of a session that
// was closed elsewhere is answered with 408, 429 or 500 as well (Tradovate facts §2).
// It returns when another try makes sense.
func (c *Client) doubtToken(ctx context.Context, refused error) error {
	var known *Error
	if !errors.As(refused, &known) || known.Status == 0 {
		return refused
	}
	if c.MarketToken != nil && c.refused != nil && c.unproved == 0 {
		c.unproved++
		return refused // the access token is next
	}
	dead := known.Kind == KindTokenDead || known.Status == http.StatusRequestTimeout || known.Status == http.StatusInternalServerError
	if !dead && known.RetryAfter == 0 {
		return refused
	}
	wait := max(known.RetryAfter, min(lastDoubt, firstDoubt<<min(c.unproved, 10)))
	c.unproved++
	c.setState(PhaseWaiting, refused, time.Now().Add(wait))
	for end := time.Now().Add(wait); time.Now().Before(end); {
		if dead {
			replaced, err := c.token.Replaced(ctx)
			if venuekey.NeedsSignIn(err) {
				return c.tokenError(err)
			}
			if replaced {
				return refused
			}
		} else if c.token.Changed(ctx) {
			return refused
		}
		if err := c.pause(ctx, link.TokenPoll); err != nil {
			return err
		}
	}
	return refused
}

// pause waits, less long if the token is said to have changed.
func (c *Client) pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-c.wake:
	case <-ctx.Done():
	}
	return ctx.Err()
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

// tokenError is an error of a link.Token. Only a new sign-in helps if that is what it
// says; whatever else it is, it is tried again.
func (c *Client) tokenError(err error) *Error {
	_, address := c.Endpoint.hostPort()
	class := venuekey.ClassLater
	if venuekey.NeedsSignIn(err) {
		class = venuekey.ClassRefused
	}
	return &Error{Class: class, Address: address, Err: err}
}
