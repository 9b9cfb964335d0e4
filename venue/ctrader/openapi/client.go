package openapi

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/venue/ctrader/openapi/message"
	"github.com/venuekey/venuekey/venue/internal/link"
)

// client.go owns the Client, and its state as others see it.

// Client keeps a connection to one environment up while Run runs: it connects,
// authorises the application, authorises every account and restores every subscription,
// in that order, and again after every interruption. When the token changes it
// re-authorises the accounts on the existing connection.
//
// Accounts can be added with Join and removed with Leave while it runs. An account whose
// session ends is authorised again, whether the service ended the session or an
// AccountLogout did.
//
// Live and demo accounts need a Client each. Fields must not be changed after Run was
// called. All methods are safe for concurrent use. They may be called before Run, and
// then wait for it.
type Client struct {
	// Live selects the environment, and with it which accounts of the token are used.
	Live bool
	// Endpoint is where to connect. If its Address is empty, it is LiveHost or
	// DemoHost, as Live says.
	Endpoint Endpoint
	// Options are the limits. The limits on requests hold across reconnects.
	Options Options
	// ClientID and ClientSecret are those of the application.
	ClientID     string
	ClientSecret venuekey.Secret
	// Token returns the current access token; it is required. It is called every
	// second, so it must be cheap when nothing has changed. An error for which
	// venuekey.NeedsSignIn is true ends Run if there is no older token, or if the
	// service rejects that one; after any other error Token is called again.
	Token func(ctx context.Context) (venuekey.Secret, error)
	// Rejected is called once for each token that the service rejects, and returns a
	// newer one; Source.Newer of package venuekey renews it. If Rejected is nil, the
	// Client waits until Token returns a different token.
	Rejected func(ctx context.Context, access venuekey.Secret) (venuekey.Secret, error)
	// Accounts are the accounts to authorise, by ctidTraderAccountId, besides those
	// that Join. If it is empty, they are all accounts of the token in this
	// environment, looked up each time the Client connects.
	Accounts []int64
	// JoinOnly means that an empty Accounts stands for none instead of all.
	JoinOnly bool
	// OnState is called with each new State when it changes, on the goroutine that runs
	// Run. It should return quickly. Nil means no calls.
	OnState func(State)

	hub hub

	once           sync.Once
	wake           chan struct{} // something happened that Run must handle
	membersChanged chan struct{} // an account joined or left
	topicTurn      chan struct{} // full while a subscribe or unsubscribe request is being sent

	mu       link.Gate
	runs     link.Once
	conn     *Conn // the application is authorised on it
	accounts map[int64]*account
	members  map[int64]bool // true for accounts that joined, false for those that left
	epoch    int
	topics   map[topic]*interest
	state    State
	shown    State       // passed to OnState last; other goroutines change state without calling it
	token    *link.Token // used by Run only
}

// Phase says what a Client is doing.
type Phase int

const (
	// PhaseIdle means that Run is not running.
	PhaseIdle Phase = iota
	// PhaseConnecting lasts until the application is authorised.
	PhaseConnecting
	// PhaseAuthorising lasts until every account is authorised with its subscriptions
	// restored, or refused for good.
	PhaseAuthorising
	// PhaseReady means that requests are sent at once.
	PhaseReady
	// PhaseWaiting is the pause before the next try, which ends at State.Until.
	PhaseWaiting
)

// String returns the phase as one word, such as "ready".
func (p Phase) String() string {
	names := [...]string{"idle", "connecting", "authorising", "ready", "waiting"}
	if p < 0 || int(p) >= len(names) {
		return "phase " + strconv.Itoa(int(p))
	}
	return names[p]
}

// State is the state of a Client.
type State struct {
	Phase Phase
	// Err is the last error, or nil once all is well again.
	Err error
	// Until is the time of the next try. It is set in PhaseWaiting only.
	Until time.Time
	// Accounts are the accounts, sorted by ID.
	Accounts []AccountState
}

// AccountState is the state of one account.
type AccountState struct {
	ID int64 // ctidTraderAccountId
	// Ready means that the account is authorised and its subscriptions are restored.
	Ready bool
	// Refused means that the Client has given the account up, and only a person can
	// help. Err says why.
	Refused bool
	// Err is the account's last error, or nil once all is well again.
	Err error
}

func (c *Client) init() {
	c.once.Do(func() {
		c.wake, c.membersChanged, c.topicTurn = make(chan struct{}, 1), make(chan struct{}, 1), make(chan struct{}, 1)
	})
}

func (c *Client) events() *hub { return &c.hub }

func (c *Client) endpoint() Endpoint {
	e := c.Endpoint
	switch {
	case e.Address != "":
	case c.Live:
		e.Address = LiveHost
	default:
		e.Address = DemoHost
	}
	return e
}

// State returns the Client's current state.
func (c *Client) State() State {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.snapshot()
}

func (c *Client) snapshot() State {
	s := c.state
	s.Accounts = nil
	for _, a := range c.accounts {
		s.Accounts = append(s.Accounts, AccountState{ID: a.id, Ready: a.state == accountReady, Refused: a.state == accountRefused, Err: a.err})
	}
	slices.SortFunc(s.Accounts, func(a, b AccountState) int { return cmp.Compare(a.ID, b.ID) })
	return s
}

// Rotated makes Run call Token at once instead of within a second. Call it when the
// token has changed.
func (c *Client) Rotated() {
	c.init()
	signal(c.wake)
}

// Ready waits until the Client is ready. If the context ends first, the error wraps
// both the context's error and the Client's last one; if Run has ended, it wraps Run's
// error.
func (c *Client) Ready(ctx context.Context) error {
	return c.waitFor(ctx, nil, func() (bool, error) { return c.state.Phase == PhaseReady, nil })
}

// waitFor waits until the condition is met. The condition is called with c locked.
func (c *Client) waitFor(ctx context.Context, req message.Message, condition func() (bool, error)) error {
	var last error
	err := c.mu.Wait(ctx, func() (bool, error) {
		if c.runs.Ended != nil {
			return false, c.notSentError(req, c.runs.Ended)
		}
		last = c.state.Err
		return condition()
	})
	var known *Error
	switch {
	case err == nil || errors.As(err, &known):
		return err
	case last == nil:
		last = errors.New("the client is not ready")
	}
	return c.notSentError(req, fmt.Errorf("%w while waiting: %w", err, last))
}

func (c *Client) notSentError(req message.Message, cause error) *Error {
	_, address := c.endpoint().hostPort()
	return (&Error{Class: venuekey.ClassNotSent, Err: cause}).about(req, address)
}

// setState changes the phase. Only Run's goroutine calls it.
func (c *Client) setState(phase Phase, err error, until time.Time) {
	c.mu.Lock()
	c.state = State{Phase: phase, Err: err, Until: until}
	now, before := c.snapshot(), c.shown
	c.shown = now
	c.mu.Changed()
	c.mu.Unlock()
	if c.OnState != nil && !now.equals(before) {
		c.OnState(now)
	}
}

func (s State) equals(other State) bool {
	return s.Phase == other.Phase && s.Err == other.Err && s.Until.Equal(other.Until) && slices.Equal(s.Accounts, other.Accounts)
}

// signal wakes the goroutine that waits on a channel with room for one.
func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
