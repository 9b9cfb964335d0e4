package openapi

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/venue/ctrader/openapi/message"
	"github.com/venuekey/venuekey/venue/internal/link"
)

// client.go owns what a Client is, and its state as others see it.

// Client keeps a connection to one environment alive while Run runs: connected,
// the application authorised, every account authorised, every subscription
// restored, in this order and after every interruption. It authorises the
// accounts anew when the token changes, on the connection that there is.
//
// Accounts may Join and Leave while it runs. An account whose session
// ends is authorised again, whether the service ended it or an AccountLogout did.
//
// Live and demo accounts need a Client each. The fields must not be changed once Run
// was called. All methods may be used by any number of goroutines, before Run too: they
// wait for it then.
type Client struct {
	// Live chooses the environment, and which accounts of the token are meant.
	Live bool
	// Endpoint is where to connect to; an empty Address is Live() or Demo().
	Endpoint Endpoint
	// Options are the limits; those on requests hold across reconnects.
	Options Options
	// ClientID and ClientSecret are the application's.
	ClientID     string
	ClientSecret venuekey.Secret
	// Token returns the access token of the moment. It is asked every second, so
	// it must be cheap if nothing changed. An error of which
	// venuekey.NeedsSignIn is true ends Run; any other is tried again.
	Token func(ctx context.Context) (venuekey.Secret, error)
	// Refused is called once with each token that the service did not take, and
	// returns a newer one. If it is nil the Client waits until Token returns another.
	Refused func(ctx context.Context, access venuekey.Secret) (venuekey.Secret, error)
	// Accounts are the accounts to authorise, as ctidTraderAccountId, beside those that
	// Join. If it is empty they are all of the token's of this environment, looked up at
	// each connect.
	Accounts []int64
	// JoinOnly means that an empty Accounts is none, and not all.
	JoinOnly bool
	// OnState is called by Run with every change of the State. It should return soon.
	OnState func(State)

	hub hub

	once           sync.Once
	wake           chan struct{} // something happened that Run should look at
	membersChanged chan struct{} // an account joined or left
	topicTurn      chan struct{} // holds one while a subscription or its end is written

	mu       link.Gate
	running  bool
	ended    error
	conn     *Conn // whose application is authorised
	accounts map[int64]*account
	members  map[int64]bool // of accounts that joined, true, or left
	epoch    int
	topics   map[topic]*interest
	state    State
	shown    State       // what OnState got last; an account is lost without Run
	token    *link.Token // Run's
}

// Phase is where a Client stands.
type Phase int

const (
	// PhaseIdle is before Run and after it.
	PhaseIdle Phase = iota
	// PhaseConnecting is until the application is authorised.
	PhaseConnecting
	// PhaseAuthorising is until every account is authorised and its subscriptions are
	// restored, or the account is refused for good.
	PhaseAuthorising
	// PhaseReady is when requests go out at once.
	PhaseReady
	// PhaseWaiting is until the next try; State.Until says when.
	PhaseWaiting
)

// String is one word.
func (p Phase) String() string {
	names := [...]string{"idle", "connecting", "authorising", "ready", "waiting"}
	if p < 0 || int(p) >= len(names) {
		return "phase " + strconv.Itoa(int(p))
	}
	return names[p]
}

// State is how a Client is.
type State struct {
	Phase Phase
	// Err is what went wrong last, until all is well again.
	Err error
	// Until is when the next try is, in phase Waiting.
	Until time.Time
	// Accounts are the accounts, in the order of their IDs.
	Accounts []AccountState
}

// AccountState is how one account is.
type AccountState struct {
	ID    int64
	Ready bool
	// Refused means that a person has to do something about it.
	Refused bool
	Err     error
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

// State returns how the Client is.
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

// Rotated has Token asked at once. Call it when the token changed.
func (c *Client) Rotated() {
	c.init()
	signal(c.wake)
}

// Ready waits until the Client is ready. If the context ends first, the error
// has both that and what went wrong last; if Run ended, it is Run's.
func (c *Client) Ready(ctx context.Context) error {
	return c.waitFor(ctx, nil, func() (bool, error) { return c.state.Phase == PhaseReady, nil })
}

// waitFor waits until the condition, which is asked with c locked.
func (c *Client) waitFor(ctx context.Context, req message.Message, condition func() (bool, error)) error {
	var last error
	err := c.mu.Wait(ctx, func() (bool, error) {
		if c.ended != nil {
			return false, c.notSentError(req, c.ended)
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
	return c.notSentError(req, &notReady{err, last})
}

func (c *Client) notSentError(req message.Message, cause error) *Error {
	_, address := c.endpoint().hostPort()
	return (&Error{Class: venuekey.ClassNotSent, Err: cause}).about(req, address)
}

// notReady is a context that ended while a Client was not ready.
type notReady struct{ context, last error }

func (e *notReady) Error() string   { return e.context.Error() + " while waiting: " + e.last.Error() }
func (e *notReady) Unwrap() []error { return []error{e.context, e.last} }

// setState changes the phase. Only Run's goroutine does.
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

// signal wakes whoever waits on a channel with room for one.
func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
