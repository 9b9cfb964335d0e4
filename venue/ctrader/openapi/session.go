package openapi

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/venue/ctrader/openapi/message"
	"github.com/venuekey/venuekey/venue/internal/link"
)

// session.go owns the authorisation of accounts: which are due, with which token, and
// what the answer means for each.

type accountStage int

const (
	accountLost       accountStage = iota // must be authorised
	accountAuthorised                     // its subscriptions must be restored
	accountReady
	accountRefused // only a person can help
)

// account is one account on one connection. It is guarded by the Client's lock.
type account struct {
	id    int64
	state accountStage
	err   error
	// epoch grows with every sign that the account's session was lost. It tells signs
	// about an older session from those about the current one.
	epoch     int
	presented *presented
	// notCovered means that the token was rejected for this account and accepted for
	// another.
	notCovered bool
	retryAt    time.Time
	tries      int
	// unanswered is how many requests in a row that would have made it ready got no
	// answer.
	unanswered int
	// authorisedAt is when it was last authorised, and losses how many times in a row
	// that did not last.
	authorisedAt time.Time
	losses       int
}

// presented is the token that an account was last authorised with.
type presented struct{ Token venuekey.Secret }

// listAccounts returns the accounts to authorise, before any join or leave.
func (c *Client) listAccounts(ctx context.Context, conn *Conn) ([]int64, error) {
	if len(c.Accounts) > 0 || c.JoinOnly {
		return c.Accounts, nil
	}
	for {
		answer, err := conn.GetAccountListByAccessToken(ctx, &message.GetAccountListByAccessTokenReq{AccessToken: c.token.Current})
		if kindOf(err) == KindTokenDead {
			changed, failure := c.token.Replaced(ctx)
			switch {
			case failure != nil:
				return nil, c.tokenError(failure)
			case !changed:
				return nil, err
			}
			continue
		}
		if err != nil {
			return nil, err
		}
		var ids []int64
		for _, a := range answer.CtidTraderAccount {
			if a.IsLive.Or(false) == c.Live {
				ids = append(ids, int64(a.CtidTraderAccountID))
			}
		}
		if len(ids) == 0 && !c.endures() {
			here, there := environments(c.Live)
			return nil, &Error{Class: venuekey.ClassMisconfigured, Address: conn.address, Err: fmt.Errorf(
				"the token covers no %s account (%s accounts: %d)", here, there, len(answer.CtidTraderAccount))}
		}
		return ids, nil
	}
}

func environments(live bool) (here, there string) {
	if live {
		return "live", "demo"
	}
	return "demo", "live"
}

// authoriseDue authorises the accounts that are due and restores their subscriptions. If
// the token has changed and signs of lost sessions have not been gathered yet, it gathers
// them first.
func (c *Client) authoriseDue(ctx context.Context, conn *Conn, gathered bool) error {
	if c.token.Changed(ctx) && !gathered {
		c.collectSigns(ctx)
	}
	for {
		due := c.due()
		if len(due) == 0 {
			return c.report()
		}
		c.enterAuthorising()
		dead, err := c.authorise(ctx, conn, due)
		if err != nil {
			return err
		}
		if err := c.restore(ctx, conn, due); err != nil {
			return err
		}
		if !dead {
			continue
		}
		if changed, err := c.token.Replaced(ctx); err != nil {
			failure := c.tokenError(err)
			if link.Final(failure) {
				return failure
			}
			conn.opts.Log.Warn("no newer token", "error", failure)
		} else if changed {
			c.retryNow()
		}
	}
}

// due returns the accounts to authorise now: those whose session was lost, and those
// that were authorised with another token.
func (c *Client) due() []*account {
	c.mu.Lock()
	defer c.mu.Unlock()
	var due []*account
	for _, a := range c.accounts {
		rotated := a.presented != nil && !a.presented.Token.Equal(c.token.Current)
		if rotated || a.state == accountLost && !time.Now().Before(a.retryAt) {
			due = append(due, a)
		}
	}
	slices.SortFunc(due, func(a, b *account) int { return cmp.Compare(a.id, b.id) })
	return due
}

// retryNow ends the pauses of all accounts, because there is another token.
func (c *Client) retryNow() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, a := range c.accounts {
		a.retryAt, a.tries = time.Time{}, 0
	}
}

// enterAuthorising enters PhaseAuthorising if an account must be authorised.
func (c *Client) enterAuthorising() {
	c.mu.Lock()
	lost := false
	for _, a := range c.accounts {
		lost = lost || a.state == accountLost
	}
	err := c.state.Err
	c.mu.Unlock()
	if lost {
		c.setState(PhaseAuthorising, err, time.Time{})
	}
}

// authorise sends all the requests at once, and reports whether the token is dead. An
// error from it ends the connection.
func (c *Client) authorise(ctx context.Context, conn *Conn, due []*account) (dead bool, err error) {
	reqs, epochs := make([]message.Message, len(due)), make([]int, len(due))
	c.mu.Lock()
	for i, a := range due {
		reqs[i] = &message.AccountAuthReq{CtidTraderAccountID: a.id, AccessToken: c.token.Current}
		a.notCovered = a.notCovered && a.presented.Token.Equal(c.token.Current)
		epochs[i], a.presented = a.epoch, &presented{c.token.Current}
	}
	c.mu.Unlock()
	errs := conn.pipeline(ctx, reqs)
	var refused, silent []*account
	var silence error
	proved := false
	c.mu.Lock()
	defer c.mu.Unlock()
	for i, a := range due {
		kind := kindOf(errs[i])
		signedOn, gone := errs[i] == nil || kind == KindAlreadyDone, c.accounts[a.id] != a
		switch {
		case signedOn && gone: // it left while the request was in flight
			c.logOut(conn, a.id, nil)
		case signedOn:
			proved = proved || errs[i] == nil
			if a.epoch == epochs[i] {
				c.authorised(a, errs[i] != nil)
			} else { // it has been lost again meanwhile, and is due again
				a.authorisedAt = time.Now()
				a.slowDown()
			}
		case kind == KindAppLost || conn.Err() != nil || ctx.Err() != nil:
			return false, errs[i]
		case gone:
		case link.Final(errs[i]):
			a.state, a.err = accountRefused, errs[i]
			conn.opts.Log.Error("account refused", "error", errs[i])
		case unanswered(errs[i]):
			silent, silence = append(silent, a), errs[i]
		default:
			if kind == KindTokenDead {
				refused = append(refused, a)
			}
			c.retryLater(a, errs[i])
		}
	}
	c.mu.Changed()
	if len(silent) > 0 && !c.anyAuthorised() {
		return false, silence
	}
	for _, a := range silent {
		c.retryUnanswered(a, silence)
	}
	return tokenDead(refused, proved), nil
}

// anyAuthorised reports whether any account is authorised. If so, the connection is worth
// keeping although another account gets no answer. c is locked.
func (c *Client) anyAuthorised() bool {
	for _, a := range c.accounts {
		if a.state == accountAuthorised || a.state == accountReady {
			return true
		}
	}
	return false
}

// firstUnanswered and lastUnanswered bound the pause of an account whose requests get no
// answer, from the second time on: each try costs a full timeout.
const (
	firstUnanswered = time.Minute
	lastUnanswered  = 15 * time.Minute
)

// retryUnanswered makes an account wait that got no answer. The pause carries over to the
// next connection. c is locked.
func (c *Client) retryUnanswered(a *account, err error) {
	c.markLost(a, err)
	wait := link.Backoff(0, floor(err))
	if a.unanswered > 0 {
		wait = min(lastUnanswered, firstUnanswered<<min(a.unanswered-1, 10))
	}
	a.unanswered++
	a.err, a.retryAt = err, time.Now().Add(wait)
}

// tokenDead reports whether a token is dead, given the accounts that it was rejected for.
// If the service accepted it for another account at the same time (proved), it is not
// dead: it does not cover these accounts, and neither would a newer one. The answer
// "already logged in" proves nothing about a token. c is locked.
func tokenDead(refused []*account, proved bool) bool {
	dead := false
	for _, a := range refused {
		a.notCovered = a.notCovered || proved
		dead = dead || !a.notCovered
	}
	return dead
}

// authorised records that an account is authorised. Its subscriptions must then be
// restored, unless it was ready and the service answered "already logged in", as after a
// renewal that ended no session: the service has been seen to announce the loss of
// sessions that continued. c is locked.
func (c *Client) authorised(a *account, already bool) {
	a.err, a.retryAt, a.tries, a.authorisedAt = nil, time.Time{}, 0, time.Now()
	if a.notCovered = false; !already {
		c.token.Proved()
	}
	if a.state == accountReady && already {
		return
	}
	a.state = accountAuthorised
	c.unconfirm(a.id, already)
}

// slowDown makes an account wait that is lost again and again soon after it was
// authorised: another program may be taking its session over each time.
func (a *account) slowDown() {
	if time.Since(a.authorisedAt) > link.Steady {
		a.losses = 0
	} else if a.losses++; a.losses > 2 { // two often have one cause
		a.retryAt = time.Now().Add(link.Backoff(a.losses, 0))
	}
}

// retryLater makes an account wait for its next try. c is locked.
func (c *Client) retryLater(a *account, err error) {
	c.markLost(a, err)
	a.err, a.retryAt = err, time.Now().Add(link.Backoff(a.tries, floor(err)))
	a.tries++
}

// report publishes the state. It returns an error, which ends Run, if no account is left
// and none may join.
func (c *Client) report() error {
	c.mu.Lock()
	ready, lost, empty := 0, 0, c.mayBeEmpty()
	var trouble error
	for _, a := range c.accounts {
		switch a.state {
		case accountReady:
			ready++
		case accountLost, accountAuthorised:
			lost++
		}
		if a.err != nil {
			trouble = a.err
		}
	}
	c.mu.Unlock()
	switch {
	case lost > 0:
		c.setState(PhaseAuthorising, trouble, time.Time{})
	case ready == 0 && !empty:
		return trouble
	default:
		c.setState(PhaseReady, trouble, time.Time{})
	}
	return nil
}

// pipeline sends requests without waiting for answers in between, and returns an error
// or nil for each.
func (c *Conn) pipeline(ctx context.Context, reqs []message.Message) []error {
	sent, errs := make([]*call, len(reqs)), make([]error, len(reqs))
	for i, req := range reqs {
		var taken link.Permit
		if taken, errs[i] = c.pace(ctx, req); errs[i] == nil {
			sent[i], errs[i] = c.send(ctx, req, taken, c.opts.SignOn)
		}
	}
	for i, one := range sent {
		if errs[i] == nil {
			_, errs[i] = c.await(ctx, one)
		}
	}
	return errs
}
