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

// session.go owns the authorisation of accounts: which are due, with which
// token, and what an answer means for them.

type accountStage int

const (
	accountLost       accountStage = iota // to be authorised
	accountAuthorised                     // subscriptions are to be restored
	accountReady
	accountRefused // a person has to do something
)

// account is one account on one connection. It is guarded by the Client's lock.
type account struct {
	id    int64
	state accountStage
	err   error
	// epoch grows with every sign that the account's session was lost. Signs that
	// are about an older session than the present one are known by it.
	epoch int
	// resumed means that the account turned out to be authorised already: the
	// service was seen to announce the loss of sessions that went on.
	resumed   bool
	presented *presented
	// notCovered means that the token was refused for this account and good for
	// another.
	notCovered bool
	retryAt    time.Time
	tries      int
	// unanswered is how often in a row nothing came to what would have made it ready.
	unanswered int
	// authorisedAt is when it was authorised last, losses how often in a row that did
	// not last.
	authorisedAt time.Time
	losses       int
}

// presented is the token that an account was authorised with last.
type presented struct{ Token venuekey.Secret }

// listAccounts gives the accounts to authorise, before any join or leave.
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
				"the token is good for no %s account, but for %d %s ones", here, len(answer.CtidTraderAccount), there)}
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

// authoriseDue authorises the accounts that are due and restores what they had subscribed
// to. Signs of what happens to the sessions were gathered, or are now if the token
// changed.
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
			if final(failure) {
				return failure
			}
			conn.opts.Log.Warn("no newer token", "error", failure)
		} else if changed {
			c.retryNow()
		}
	}
}

// due are the accounts to be authorised now: those whose session was lost, and
// those that were authorised with another token.
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

// retryNow ends the pauses of accounts, because there is another token.
func (c *Client) retryNow() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, a := range c.accounts {
		a.retryAt, a.tries = time.Time{}, 0
	}
}

// enterAuthorising enters the phase of that name if an account is to be authorised.
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

// authorise asks for all of them in one go, and reports whether the token is
// dead. The error is one that ends the connection.
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
		case signedOn && gone: // it left while it was asked for
			c.logOut(conn, a.id)
		case signedOn:
			proved = proved || errs[i] == nil
			if a.epoch == epochs[i] {
				c.authorised(a, errs[i] != nil)
			} else { // it was lost again meanwhile, and is due again
				a.authorisedAt = time.Now()
				a.slowDown()
			}
		case kind == KindAppLost || conn.Err() != nil || ctx.Err() != nil:
			return false, errs[i]
		case gone:
		case final(errs[i]):
			a.state, a.err = accountRefused, errs[i]
			conn.opts.Log.Error("an account is refused", "error", errs[i])
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

// anyAuthorised reports whether an account is authorised, so that a connection on which
// another gets no answer is worth keeping. c is locked.
func (c *Client) anyAuthorised() bool {
	for _, a := range c.accounts {
		if a.state == accountAuthorised || a.state == accountReady {
			return true
		}
	}
	return false
}

// firstUnanswered and lastUnanswered bound the pause of an account to which nothing comes,
// from the second time on: each time takes as long as an answer may take.
const (
	firstUnanswered = time.Minute
	lastUnanswered  = 15 * time.Minute
)

// retryUnanswered has an account wait that got no answer, over connections. c is locked.
func (c *Client) retryUnanswered(a *account, err error) {
	c.markLost(a, err)
	wait := link.Backoff(0, floor(err))
	if a.unanswered > 0 {
		wait = min(lastUnanswered, firstUnanswered<<min(a.unanswered-1, 10))
	}
	a.unanswered++
	a.err, a.retryAt = err, time.Now().Add(wait)
}

// tokenDead reports whether a token is dead, of the accounts that it was refused
// for. One that was good for another account in the same go is not: it no longer
// covers these, and a newer one would not either. "Logged in already" proves
// nothing about a token. c is locked.
func tokenDead(refused []*account, proved bool) bool {
	dead := false
	for _, a := range refused {
		a.notCovered = a.notCovered || proved
		dead = dead || !a.notCovered
	}
	return dead
}

// authorised is what an account's authorisation means for its subscriptions. An
// account that was ready and is told that it is logged in already, as after a
// renewal that ended nothing, goes on as it was. c is locked.
func (c *Client) authorised(a *account, already bool) {
	a.err, a.retryAt, a.tries, a.resumed, a.authorisedAt = nil, time.Time{}, 0, already, time.Now()
	if a.notCovered = false; !already {
		c.token.Proved()
	}
	if a.state == accountReady && already {
		return
	}
	a.state = accountAuthorised
	c.unconfirm(a.id)
}

// slowDown has an account wait that is lost again and again soon after it was
// authorised: another program may be taking it over each time.
func (a *account) slowDown() {
	if time.Since(a.authorisedAt) > link.Steady {
		a.losses = 0
	} else if a.losses++; a.losses > 2 { // two belong together often enough
		a.retryAt = time.Now().Add(link.Backoff(a.losses, 0))
	}
}

// retryLater has an account wait for its next try. c is locked.
func (c *Client) retryLater(a *account, err error) {
	c.markLost(a, err)
	a.err, a.retryAt = err, time.Now().Add(link.Backoff(a.tries, floor(err)))
	a.tries++
}

// report says how things stand, and ends Run if no account is left and none may join.
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

// pipeline sends requests without waiting for an answer in between, and returns
// an error, or none, for each.
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
