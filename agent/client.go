package agent

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/venuekey/venuekey"
)

// client.go owns the other end of the socket.

// Client asks an agent. Set the fields before the first call. Its methods are safe for
// concurrent use.
type Client struct {
	// Socket is the path of the agent's socket; see SocketPath.
	Socket string
	// Vault names the vault that is meant; "" means whichever the agent serves.
	Vault string
	// Short says that the program asks once and ends: each call has a connection of its own,
	// which is begun sooner than one that is kept for others.
	Short bool

	once    sync.Once
	http    *http.Client
	mu      sync.Mutex
	sources map[venuekey.ID]*Source
}

// mostAnswer is the longest answer that a client reads, in bytes.
const mostAnswer = 64 << 20

// ErrNoAgent matches, by errors.Is, the error of a call that reached no agent.
var ErrNoAgent = errors.New("no agent runs here")

func (c *Client) init() {
	c.once.Do(func() {
		c.sources = map[venuekey.ID]*Source{}
		c.http = &http.Client{
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
			Transport: &http.Transport{
				DialContext:  func(ctx context.Context, _, _ string) (net.Conn, error) { return c.dial(ctx) },
				MaxIdleConns: 8, MaxIdleConnsPerHost: 8, IdleConnTimeout: time.Minute, DisableCompression: true,
			},
		}
	})
}

// CloseIdleConnections closes connections that no call uses.
func (c *Client) CloseIdleConnections() {
	c.init()
	c.http.CloseIdleConnections()
}

// send sends a request; the answer is the agent's, whatever its status.
func (c *Client) send(ctx context.Context, method, path string, body any, header http.Header) (*http.Response, error) {
	c.init()
	var content io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return nil, &venuekey.Error{Class: venuekey.ClassFailed, Err: err}
		}
		content = bytes.NewReader(text)
	}
	request, err := http.NewRequestWithContext(ctx, method, "http://agent"+path, content)
	if err != nil {
		return nil, &venuekey.Error{Class: venuekey.ClassFailed, Err: err}
	}
	for name, values := range header {
		request.Header[name] = values
	}
	if c.Vault != "" {
		request.Header.Set(vaultHeader, c.Vault)
	}
	do := c.http.Do
	if c.Short {
		do = c.alone
	}
	response, err := do(request)
	if err != nil {
		return nil, c.unreached(ctx, err)
	}
	return response, nil
}

// dial connects, and asks the kernel whose the agent is: what is sent may be an access token, and
// what comes back decides on whose account a program trades.
func (c *Client) dial(ctx context.Context) (net.Conn, error) {
	conn, err := new(net.Dialer).DialContext(ctx, "unix", c.Socket)
	if len(c.Socket) > mostPath && errors.Is(err, syscall.EINVAL) {
		return nil, tooLong(c.Socket, "make a shorter link to it, and name that")
	}
	if err != nil {
		return nil, err
	}
	if wrong := strangersSocket(conn.(*net.UnixConn), c.Socket); wrong != nil {
		_ = conn.Close()
		return nil, wrong
	}
	return conn, nil
}

// alone sends a request on a connection of its own.
func (c *Client) alone(request *http.Request) (*http.Response, error) {
	conn, err := c.dial(request.Context())
	if err != nil {
		return nil, err
	}
	request.Close = true
	stop := context.AfterFunc(request.Context(), func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	err = request.Write(conn)
	var response *http.Response
	if err == nil {
		response, err = http.ReadResponse(bufio.NewReader(conn), request)
	}
	if err != nil {
		stop()
		_ = conn.Close()
		return nil, err
	}
	response.Body = &lent{response.Body, func() { stop(); _ = conn.Close() }}
	return response, nil
}

// lent is the body of an answer that is the last of its connection.
type lent struct {
	io.ReadCloser
	end func()
}

func (l *lent) Close() error {
	err := l.ReadCloser.Close()
	l.end()
	return err
}

// unreached is the error of a call that got no answer.
func (c *Client) unreached(ctx context.Context, err error) error {
	if known, ok := errors.AsType[*venuekey.Error](err); ok {
		return known
	}
	known := &venuekey.Error{Op: "agent", Class: venuekey.ClassLater, Reason: "the agent at " + c.Socket + " did not answer", Err: err}
	switch {
	case ctx.Err() != nil:
		known.Reason, known.Err = "the agent did not answer in time", ctx.Err()
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ECONNREFUSED), errors.Is(err, syscall.ENOENT):
		known.Class, known.Reason, known.Remedy, known.Err = venuekey.ClassNotSent, "no agent runs at "+c.Socket, "venuekey agent", ErrNoAgent
	}
	return known
}

// call sends a request and reads its answer into a value, unless that is nil.
func (c *Client) call(ctx context.Context, method, path string, body, into any) (status int, err error) {
	response, err := c.send(ctx, method, path, body, nil)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, mostAnswer))
	if err != nil {
		return 0, c.unreached(ctx, err)
	}
	switch {
	case response.StatusCode >= 400:
		return response.StatusCode, failureOf(response.StatusCode, text)
	case into != nil && response.StatusCode == http.StatusOK:
		if err := json.Unmarshal(text, into); err != nil {
			return response.StatusCode, &venuekey.Error{Op: "agent", Class: venuekey.ClassFailed, Reason: "the agent's answer cannot be read"}
		}
	}
	return response.StatusCode, nil
}

// pathOf is the path of a call about a sign-in.
func pathOf(kind string, id venuekey.ID) string {
	return "/v1/" + kind + "/" + url.PathEscape(id.Venue) + "/" + url.PathEscape(id.Name)
}

// Running reports whether an agent answers.
func (c *Client) Running(ctx context.Context) error {
	_, err := c.call(ctx, http.MethodGet, "/v1/version", nil, nil)
	return err
}

// Token returns a good token; see venuekey.Keeper.
func (c *Client) Token(ctx context.Context, id venuekey.ID) (*venuekey.Token, error) {
	token, _, _, err := c.token(ctx, http.MethodGet, pathOf("token", id), nil)
	return token, err
}

// TokenAndState is Token with the state of the sign-in, "" if the agent does not know it yet.
func (c *Client) TokenAndState(ctx context.Context, id venuekey.ID) (*venuekey.Token, venuekey.State, error) {
	token, form, _, err := c.token(ctx, http.MethodGet, pathOf("token", id), nil)
	return token, venuekey.State(form.State), err
}

// Newer waits for a token of a later generation, for a minute at most; nil means that there is
// none yet.
func (c *Client) Newer(ctx context.Context, id venuekey.ID, than int64, wait time.Duration) (*venuekey.Token, error) {
	query := url.Values{"newer_than": {fmt.Sprint(than)}, "wait": {min(max(wait, 0), mostWait).String()}}
	token, _, status, err := c.token(ctx, http.MethodGet, pathOf("token", id)+"?"+query.Encode(), nil)
	if status == http.StatusNotModified {
		return nil, nil
	}
	return token, err
}

// Reject reports an access token that the venue did not accept, and returns another; see
// venuekey.Keeper.
func (c *Client) Reject(ctx context.Context, id venuekey.ID, access venuekey.Secret) (*venuekey.Token, error) {
	token, _, _, err := c.token(ctx, http.MethodPost, pathOf("token", id)+"/refused", map[string]string{"access_token": string(access)})
	return token, err
}

// Refresh renews a token now; see venuekey.Keeper.
func (c *Client) Refresh(ctx context.Context, id venuekey.ID) (*venuekey.Token, error) {
	return c.refresh(ctx, id, false)
}

// RefreshAgain is Refresh for a sign-in whose refresh token would not be presented again; see
// venuekey.Keeper.
func (c *Client) RefreshAgain(ctx context.Context, id venuekey.ID) (*venuekey.Token, error) {
	return c.refresh(ctx, id, true)
}

func (c *Client) refresh(ctx context.Context, id venuekey.ID, again bool) (*venuekey.Token, error) {
	token, _, _, err := c.token(ctx, http.MethodPost, pathOf("signins", id)+"/refresh", map[string]bool{"again": again})
	return token, err
}

func (c *Client) token(ctx context.Context, method, path string, body any) (*venuekey.Token, tokenForm, int, error) {
	var form tokenForm
	status, err := c.call(ctx, method, path, body, &form)
	if err != nil || status != http.StatusOK {
		return nil, form, status, err
	}
	return form.token(), form, status, nil
}

// SignOut signs out, and revokes at the venue unless told otherwise.
func (c *Client) SignOut(ctx context.Context, id venuekey.ID, revoke bool) error {
	_, err := c.call(ctx, http.MethodDelete, fmt.Sprintf("%s?revoke=%t", pathOf("signins", id), revoke), nil, nil)
	return err
}

// Status returns the status of a sign-in.
func (c *Client) Status(ctx context.Context, id venuekey.ID) (venuekey.Status, error) {
	var form signInForm
	_, err := c.call(ctx, http.MethodGet, pathOf("signins", id), nil, &form)
	return form.status(), err
}

// Statuses returns the status of every sign-in, in the order of their IDs.
func (c *Client) Statuses(ctx context.Context) iter.Seq2[venuekey.Status, error] {
	return func(yield func(venuekey.Status, error) bool) {
		var all struct {
			SignIns []signInForm `json:"signins"`
		}
		if _, err := c.call(ctx, http.MethodGet, "/v1/signins", nil, &all); err != nil {
			yield(venuekey.Status{}, err)
			return
		}
		for _, form := range all.SignIns {
			if !yield(form.status(), nil) {
				return
			}
		}
	}
}

// Event is something that happened to a sign-in.
type Event struct {
	// Kind is a word of API v1: found, signed_in, rotated, changed, warning, trouble,
	// recovered, signed_out, or reset: events are missing, so read everything again.
	Kind string
	// ID is the sign-in; without a name it is about all of a venue.
	ID venuekey.ID
	// At is when it was noticed.
	At time.Time
	// State is the state now, and Before the one before; "" if it is not known.
	State, Before venuekey.State
	// Reason is what happened, and Remedy the one command that helps.
	Reason, Remedy string
	// Generation and Expires are those of the token now, and SignInEnds as in a Status.
	Generation          int64
	Expires, SignInEnds time.Time
}

// EventReset is the kind of an event that says that others are missing.
const EventReset = "reset"

// Events streams what happens to the given sign-ins, or to all, until the context ends. It
// begins with what is known of each, of kind found. It comes back after the agent was away, and
// goes on where it was; if that is not possible, with an event of kind reset, and what is known.
func (c *Client) Events(ctx context.Context, only ...venuekey.ID) iter.Seq[Event] {
	return func(yield func(Event) bool) {
		query := url.Values{}
		for _, id := range only {
			query.Add("id", id.String())
		}
		last := ""
		for wait := leastWait; ctx.Err() == nil; wait = min(2*wait, longestWait) {
			more, heard := c.streamOnce(ctx, query, &last, yield)
			if !more {
				return
			}
			if heard {
				wait = leastWait
			}
			timer := time.NewTimer(wait)
			select {
			case <-timer.C:
			case <-ctx.Done():
				timer.Stop()
			}
		}
	}
}

// leastWait and longestWait bound the wait before a stream is begun again.
const leastWait, longestWait = 100 * time.Millisecond, 5 * time.Second

// streamOnce reads events until the connection ends. more is false if the reader wants no more.
func (c *Client) streamOnce(ctx context.Context, query url.Values, last *string, yield func(Event) bool) (more, heard bool) {
	header := http.Header{}
	if *last != "" {
		header.Set("Last-Event-ID", *last)
	}
	response, err := c.send(ctx, http.MethodGet, "/v1/events?"+query.Encode(), nil, header)
	if err != nil {
		return true, false
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return true, false
	}
	lines := bufio.NewScanner(response.Body)
	lines.Buffer(make([]byte, 4096), 1<<20)
	var data []byte
	number := ""
	for lines.Scan() {
		line := lines.Text()
		field, value, _ := strings.Cut(line, ":")
		value = strings.TrimPrefix(value, " ")
		switch {
		case field == "id":
			number = value
		case field == "data":
			data = []byte(value)
		case line == "" && data != nil:
			event, ok := eventOf(data)
			*last, data, heard = number, nil, true
			if ok && !yield(event) {
				return false, true
			}
		}
	}
	return true, heard
}

// eventOf reads an event. What this version cannot read is left out.
func eventOf(data []byte) (Event, bool) {
	var form eventForm
	if json.Unmarshal(data, &form) != nil || form.Kind == "" {
		return Event{}, false
	}
	id, err := venuekey.ParseID(form.ID)
	if err != nil {
		id = venuekey.ID{Venue: form.ID}
	}
	return Event{Kind: form.Kind, ID: id, At: form.At, State: venuekey.State(form.State), Before: venuekey.State(form.Before), Reason: form.Reason,
		Remedy: form.Remedy, Generation: form.Generation, Expires: form.ExpiresAt, SignInEnds: form.EndsAt}, true
}

// Format implements fmt.Formatter: a Client prints as its name alone.
func (c *Client) Format(f fmt.State, _ rune) { fmt.Fprint(f, "agent.Client") }
