package socket

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/venue/internal/link"
)

// client.go owns what a Client is, and its state as others see it.

// Client keeps a connection to one host alive while Run runs: connected, authorised, its
// user sync and every subscription restored, in this order and after every interruption.
//
// A token that changes ends nothing: the venue asks for one once in the life of a
// connection, which then outlives it. If the venue does end a connection with its token,
// the Client comes back with the newer one.
//
// What happened while it was not connected is in no event. It tells so with EventGap, and
// has the user sync begin again with a snapshot.
//
// Users and market data have hosts, and so Clients, of their own. The fields must not be
// changed once Run was called. All methods may be used by any number of goroutines, before
// Run too: they wait for it then.
type Client struct {
	// Endpoint is where to connect to: Live, Demo or MarketData.
	Endpoint Endpoint
	// Options are the limits; that on requests holds across reconnects.
	Options Options
	// Token returns the access token of the moment. It is asked every second, so it
	// must be cheap if nothing changed. An error of which venuekey.NeedsSignIn is true
	// ends Run; any other is tried again.
	Token func(ctx context.Context) (venuekey.Secret, error)
	// Rejected is called once with each token that the venue did not take, or revoked
	// because of a limit, and returns a newer one. If it is nil the Client waits until
	// Token returns another.
	Rejected func(ctx context.Context, access venuekey.Secret) (venuekey.Secret, error)
	// MarketToken returns the market-data token of the moment, "" if there is none. It
	// is presented in place of the access token; one that the venue does not take, or
	// an error, leads back to that. Nil is for hosts of users.
	MarketToken func(ctx context.Context) (venuekey.Secret, error)
	// Hosts returns apiHosts of the sign-in, its JSON text: the hosts that serve this user
	// (Tradovate facts §0). They are obeyed at the next connection if they are the
	// venue's own, or on this machine if Endpoint is. Nil is for staying at Endpoint.
	Hosts func(ctx context.Context) (venuekey.Secret, error)
	// Sync is what to hear of a user's state; nil for nothing.
	Sync *Sync
	// OnState is called by Run with every change of the State. It should return soon.
	OnState func(State)

	hub  hub
	once sync.Once
	wake chan struct{} // the token changed

	mu      link.Gate
	runs    link.Once
	conn    *Conn // that is authorised
	topics  map[topic]*interest
	state   State
	address string    // of the connection of the moment, or of the try
	lapsed  time.Time // when an answer last ended a connection

	token      *link.Token // Run's, like all below
	refused    *secrets    // the market-data token that the venue did not take; nil for none
	unproved   int         // how often in a row it did not take what it was given
	limited    int         // how often in a row it ended a connection for a limit
	wasReady   time.Time   // when it was last; zero before
	maintained time.Time   // when the maintenance ends that it announced
	detour     detour
}

// Source is a sign-in: a *venuekey.Source.
type Source interface {
	Token(ctx context.Context) (*venuekey.Token, error)
	Reject(ctx context.Context, access venuekey.Secret) (*venuekey.Token, error)
}

// For is a Client for a sign-in and a host. Its Token, Rejected, Hosts and, for a host of
// market data, MarketToken are those of the sign-in.
func For(source Source, e Endpoint) *Client {
	extra := func(name string) func(context.Context) (venuekey.Secret, error) {
		return func(ctx context.Context) (venuekey.Secret, error) {
			token, err := source.Token(ctx)
			if err != nil {
				return "", err
			}
			return token.Extra(name), nil
		}
	}
	c := &Client{Endpoint: e, Hosts: extra("apiHosts"),
		Token: func(ctx context.Context) (venuekey.Secret, error) { return accessOf(source.Token(ctx)) },
		Rejected: func(ctx context.Context, access venuekey.Secret) (venuekey.Secret, error) {
			return accessOf(source.Reject(ctx, access))
		},
	}
	if e.Role == RoleMarketData || e.Role == RoleDemoMarketData {
		c.MarketToken = extra("mdAccessToken")
	}
	return c
}

func accessOf(token *venuekey.Token, err error) (venuekey.Secret, error) {
	if err != nil {
		return "", err
	}
	return token.Access, nil
}

// Sync is what a user sync tells of.
type Sync struct {
	// Users or Accounts are whose state it is, by their numbers.
	Users    []int64 `json:"users,omitempty"`
	Accounts []int64 `json:"accounts,omitempty"`
	// EntityTypes are what to hear of, such as "order" and "position". The venue tells
	// nothing if there are none.
	EntityTypes []string `json:"entityTypes"`
	// Whole asks for a snapshot in one piece. By default it comes in several, which are
	// events of their own.
	Whole bool `json:"-"`
}

// MarshalJSON gives the body of user/syncrequest.
func (s Sync) MarshalJSON() ([]byte, error) {
	type plain Sync
	return json.Marshal(struct {
		plain
		SplitResponses bool `json:"splitResponses"`
	}{plain(s), !s.Whole})
}

// Phase is where a Client stands.
type Phase int

const (
	// PhaseIdle is before Run and after it.
	PhaseIdle Phase = iota
	// PhaseConnecting is until the connection is authorised.
	PhaseConnecting
	// PhaseRestoring is until the user sync and all subscriptions are there again.
	PhaseRestoring
	// PhaseReady is when requests go out at once.
	PhaseReady
	// PhaseWaiting is until the next try; State.Until says when.
	PhaseWaiting
)

// String is one word.
func (p Phase) String() string {
	names := [...]string{"idle", "connecting", "restoring", "ready", "waiting"}
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
	// Address is where the Client is connected to or last tried to be, host or host:port;
	// "" when Run is not running.
	Address string
}

func (c *Client) init() {
	c.once.Do(func() { c.wake = make(chan struct{}, 1) })
}

// State returns how the Client is.
func (c *Client) State() State {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.state
}

// Rotated has Token asked at once. Call it when the token changed.
func (c *Client) Rotated() {
	c.init()
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// Ready waits until the Client is ready. If the context ends first, the error has both
// that and what went wrong last; if Run ended, it is Run's.
func (c *Client) Ready(ctx context.Context) error {
	_, err := c.ready(ctx, "")
	return err
}

// ready waits for the connection of a Client that is ready.
func (c *Client) ready(ctx context.Context, endpoint string) (*Conn, error) {
	var last error
	var conn *Conn
	err := c.mu.Wait(ctx, func() (bool, error) {
		if c.runs.Ended != nil {
			return false, c.notSent(endpoint, c.runs.Ended)
		}
		last, conn = c.state.Err, c.conn
		return c.state.Phase == PhaseReady && conn.Err() == nil, nil
	})
	var known *Error
	switch {
	case err == nil:
		return conn, nil
	case errors.As(err, &known):
		return nil, err
	case last == nil:
		last = errors.New("the client is not ready")
	}
	return nil, c.notSent(endpoint, fmt.Errorf("%w while waiting: %w", err, last))
}

func (c *Client) notSent(endpoint string, cause error) *Error {
	_, address := c.Endpoint.hostPort()
	return &Error{Request: endpoint, Class: venuekey.ClassNotSent, Address: address, Err: cause}
}

// setState changes the phase. Only Run's goroutine does.
func (c *Client) setState(phase Phase, err error, until time.Time) {
	c.mu.Lock()
	before := c.state
	if phase == PhaseIdle {
		c.address = ""
	}
	now := State{phase, err, until, c.address}
	c.state = now
	c.mu.Changed()
	c.mu.Unlock()
	if c.OnState != nil && now != before {
		c.OnState(now)
	}
}

// mostLost is how many connections one request may lose: if it is the request that ends
// them, one more would not help.
const mostLost = 3

// Do is Conn.Do on the connection of the moment: it waits until the Client is ready. What
// was not sent is sent on the next connection, and so, twice at most, is what was lost with
// a connection and may be sent again.
func (c *Client) Do(ctx context.Context, r Request) (json.RawMessage, error) {
	for lost := 0; ; {
		conn, err := c.ready(ctx, r.Endpoint)
		if err != nil {
			return nil, err
		}
		data, err := conn.Do(ctx, r)
		var known *Error
		if !errors.As(err, &known) || !c.over(conn, known) || ctx.Err() != nil {
			return data, err
		}
		if known.Class != venuekey.ClassNotSent {
			if lost++; lost == mostLost || known.Class == venuekey.ClassDeclined || !repeatable(r.Endpoint) {
				return data, err
			}
		}
		if err := c.pastConn(ctx, conn); err != nil {
			return data, known
		}
	}
}

// over reports whether a connection has ended. An answer that the token is dead ends it,
// since nothing else would: the next one presents the token of the moment. Once in a minute
// at most, because the answer may be about something else.
func (c *Client) over(conn *Conn, answer *Error) bool {
	if answer.Kind == KindTokenDead && conn.Err() == nil {
		c.mu.Lock()
		again := time.Since(c.lapsed) < firstDoubt
		if !again {
			c.lapsed = time.Now()
		}
		c.mu.Unlock()
		if !again {
			conn.die(answer)
		}
	}
	return conn.Err() != nil
}

// pastConn waits until a connection is not that of the moment any more.
func (c *Client) pastConn(ctx context.Context, conn *Conn) error {
	return c.mu.Wait(ctx, func() (bool, error) { return c.conn != conn, c.runs.Ended })
}

// Events is a stream of the events of some kinds, or of all if none is named. It lives
// through reconnects, and ends with Run.
func (c *Client) Events(b Buffer, kinds ...string) *Stream[Event] { return c.hub.events(b, kinds) }

// Format implements fmt.Formatter: a Client prints as its name alone.
func (c *Client) Format(f fmt.State, _ rune) { fmt.Fprint(f, "socket.Client") }
