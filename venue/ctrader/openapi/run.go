package openapi

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/internal/foreign"
	"github.com/venuekey/venuekey/venue/ctrader/openapi/message"
	"github.com/venuekey/venuekey/venue/internal/link"
)

// run.go owns the one goroutine that keeps a Client ready.

const (
	// longestEnd is the longest wait for the announced end of a maintenance before the
	// next try: one of the two clocks may be a day off, and maintenance may end early.
	longestEnd = 15 * time.Minute
	// gatherTime is how long to wait after a sign that a session was lost, so that the
	// signs that belong together are handled together: one renewal of a token has been
	// seen to cause several.
	gatherTime = 200 * time.Millisecond
)

// Run keeps the Client ready until the context ends, and then returns the context's
// error. It returns an *Error earlier if only a person can help: the application is
// wrong, there is no account, or the user must sign in again. Streams end when Run
// returns. It must not be called while it is running; afterwards it may be called again.
func (c *Client) Run(ctx context.Context) error {
	c.init()
	if c.Token == nil {
		return errors.New("openapi.Client: Token is not set")
	}
	return c.runs.Run("openapi.Client", &c.mu, &c.hub.ends,
		func() error { return c.run(ctx) },
		func(err error) { c.setState(PhaseIdle, err, time.Time{}) })
}

func (c *Client) run(ctx context.Context) error {
	options := c.Options.filled()
	limits := newPaces(options)
	c.token = c.watchToken(options)
	return link.Loop{
		Session: func(ctx context.Context) error { return c.session(ctx, options, limits) },
		Final:   link.Final,
		Floor:   floor,
		Waits: func(err error, wait time.Duration) {
			options.Log.Warn("not connected", "error", err, "wait", wait)
			c.setState(PhaseWaiting, err, time.Now().Add(wait))
		},
	}.Run(ctx)
}

// floor returns how long the service asked us to wait.
func floor(err error) time.Duration {
	var known *Error
	if !errors.As(err, &known) {
		return 0
	}
	wait := known.RetryAfter
	if rest := time.Until(known.MaintenanceEnd); rest > 0 {
		wait = max(wait, min(rest, longestEnd)+link.Scatter())
	}
	return wait
}

// session runs one connection from start to end.
func (c *Client) session(ctx context.Context, options Options, limits *paces) error {
	c.setState(PhaseConnecting, c.State().Err, time.Time{})
	if err := c.token.Fetch(ctx); err != nil && c.token.Current == "" {
		return c.tokenError(err)
	}
	conn, err := open(ctx, c.endpoint(), options, limits, &c.hub, c.onSession)
	if err != nil {
		return err
	}
	go func() {
		conn.read()
		close(conn.left)
	}()
	defer func() {
		conn.die(ErrClosed)
		c.detach()
		<-conn.left // a feed is used by one reader at a time
	}()
	_, err = conn.Do(ctx, &message.ApplicationAuthReq{ClientID: c.ClientID, ClientSecret: c.ClientSecret})
	if err != nil && kindOf(err) != KindAlreadyDone {
		return err
	}
	ids, err := c.listAccounts(ctx, conn)
	if err != nil {
		return err
	}
	c.attach(conn, ids)
	return c.maintain(ctx, conn)
}

// maintain keeps the accounts authorised while the connection lives.
func (c *Client) maintain(ctx context.Context, conn *Conn) error {
	poll := time.NewTicker(link.TokenPoll)
	defer poll.Stop()
	for gathered := true; ; {
		if err := c.authoriseDue(ctx, conn, gathered); err != nil {
			if ended := conn.Err(); ended != nil {
				return ended // the reason, and not what it did to a request
			}
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-conn.Done():
			return conn.Err()
		case <-c.wake:
			c.enterAuthorising()
			c.collectSigns(ctx)
			gathered = true
		case <-c.membersChanged:
			gathered = false
		case <-poll.C: // also for accounts whose next try is due
			gathered = false
		}
	}
}

// collectSigns waits for the other signs that belong to this one.
func (c *Client) collectSigns(ctx context.Context) {
	_ = link.Pause(ctx, gatherTime)
	select {
	case <-c.wake:
	default:
	}
}

func (c *Client) attach(conn *Conn, ids []int64) {
	c.mu.Lock()
	before := c.accounts
	c.conn, c.accounts = conn, map[int64]*account{}
	for _, id := range c.withMembers(ids) {
		c.epoch++
		a := &account{id: id, epoch: c.epoch}
		if old := before[id]; old != nil && old.unanswered > 0 {
			a.unanswered, a.retryAt = old.unanswered, old.retryAt
		}
		c.accounts[id] = a
	}
	for _, i := range c.topics {
		i.confirmed, i.before = false, false
	}
	err := c.state.Err
	c.mu.Unlock()
	c.setState(PhaseAuthorising, err, time.Time{})
}

func (c *Client) detach() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.conn = nil
	for _, a := range c.accounts {
		a.state = accountLost
	}
	c.mu.Changed()
}

// onSession is called by the connection with each message about sessions. It must not
// block.
func (c *Client) onSession(m message.Message) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch m := m.(type) {
	case *message.AccountDisconnectEvent:
		c.loseAccount(m.CtidTraderAccountID, &Error{Class: venuekey.ClassLater, Kind: KindAccountLost, Account: m.CtidTraderAccountID, Description: "the service ended the account's session"})
	case *message.AccountsTokenInvalidatedEvent:
		ids := m.CtidTraderAccountIDs
		if len(ids) == 0 { // it names none, so ask for all
			ids = slices.Collect(maps.Keys(c.accounts))
		}
		for _, id := range ids {
			c.loseAccount(id, &Error{Class: venuekey.ClassLater, Kind: KindTokenDead, Account: id, Description: foreign.LineWithout(m.Reason.Or("the service invalidated the token"), c.secrets()...)})
		}
	case *message.ErrorRes:
		if e := refusal(m, c.secrets); e.Kind == KindAccountLost || e.Kind == KindTokenDead {
			c.loseAccount(e.Account, e)
		}
	}
}

// secrets returns what was sent to the service in secret. c is locked.
func (c *Client) secrets() []venuekey.Secret {
	if c.conn == nil {
		return nil
	}
	return c.conn.secrets()
}

func (c *Client) loseAccount(id int64, e *Error) {
	if a := c.accounts[id]; a != nil {
		_, e.Address = c.endpoint().hostPort()
		c.markLost(a, e)
	}
}
