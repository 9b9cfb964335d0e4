package socket

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/coder/websocket"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/internal/foreign"
	"github.com/venuekey/venuekey/venue/internal/link"
)

// call.go owns a request's way to the wire, and waiting for its answer.

const (
	authorizeEndpoint = "authorize"
	syncEndpoint      = "user/syncrequest"
)

// Request is what the venue is asked, as over HTTP: most of its REST endpoints are known
// on a WebSocket as well.
type Request struct {
	// Endpoint is such as "order/placeorder", without a slash before it.
	Endpoint string
	Query    url.Values
	// Body is what json.Marshal makes of it, and nothing if it is nil. Bytes go as they
	// are.
	Body any
}

// Do sends a request and waits for its answer. Errors are *Error; with one that the venue
// answered the answer comes as well.
//
// A request that may be sent twice and meets a time penalty is sent once more when the wait
// is over, if that is within the context: the same body with the ticket added (Tradovate
// facts §1.4). An order is not, since its price may be another by then.
//
// An order that was sent and got no answer gives venuekey.ClassUnknown: it may have been
// carried out.
func (c *Conn) Do(ctx context.Context, r Request) (json.RawMessage, error) {
	return c.do(ctx, r, c.opts.Timeout, nil)
}

// Authorize presents an access token, or at the host of market data a market-data token.
// It is needed once for a connection, which then outlives the token.
func (c *Conn) Authorize(ctx context.Context, access venuekey.Secret) error {
	return c.authorize(ctx, access, nil)
}

// authorize is Authorize with somebody who hears of it first.
func (c *Conn) authorize(ctx context.Context, access venuekey.Secret, answered func(json.RawMessage)) error {
	if !foreign.IsToken(string(access)) {
		return c.failed(authorizeEndpoint, venuekey.ClassDeclined, errors.New("the token has characters that no token has"))
	}
	c.confide(access)
	_, err := c.do(ctx, Request{Endpoint: authorizeEndpoint, Body: []byte(access)}, c.opts.SignOn, answered)
	if err == nil {
		c.authorized.Store(true)
	}
	return err
}

// do is Do with a time for the answer, and somebody who hears of it first.
func (c *Conn) do(ctx context.Context, r Request, within time.Duration, answered func(json.RawMessage)) (json.RawMessage, error) {
	body, err := bodyOf(r.Body)
	if err == nil && !isEndpoint(r.Endpoint) {
		err = fmt.Errorf("%q is no endpoint", foreign.Line(r.Endpoint))
	}
	if err != nil {
		return nil, c.failed(foreign.Line(r.Endpoint), venuekey.ClassDeclined, err)
	}
	data, err := c.once(ctx, r, body, within, answered)
	var known *Error
	if !errors.As(err, &known) || known.Kind != KindPenalty || known.Captcha || !repeatable(r.Endpoint) {
		return data, err
	}
	c.confide(known.Ticket)
	again, noRoom := withTicket(body, known.Ticket)
	if noRoom != nil || !c.waits(ctx, known.RetryAfter) {
		return data, err
	}
	return c.once(ctx, r, again, within, answered)
}

// waits waits out a penalty. It is false if the context or the connection ends first, and
// at once if the context will.
func (c *Conn) waits(ctx context.Context, d time.Duration) bool {
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) < d {
		return false
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
	case <-c.done:
	}
	return false
}

func bodyOf(body any) ([]byte, error) {
	switch body := body.(type) {
	case nil:
		return nil, nil
	case []byte:
		return body, nil
	case json.RawMessage:
		return body, nil
	}
	return json.Marshal(body)
}

// isEndpoint reports whether a name cannot be taken for anything else on the wire.
func isEndpoint(name string) bool {
	return name != "" && !strings.HasPrefix(name, "/") && strings.IndexFunc(name, func(r rune) bool { return r <= ' ' || r > '~' }) < 0
}

// withTicket adds the ticket of a penalty to a body and leaves the rest as it was, to the
// letter: the venue wants the identical body.
func withTicket(body []byte, ticket venuekey.Secret) ([]byte, error) {
	field, err := json.Marshal(map[string]string{"p-ticket": string(ticket)})
	rest := bytes.TrimSpace(body)
	if err != nil || len(rest) == 0 {
		return field, err
	}
	if rest[0] != '{' || !json.Valid(rest) {
		return nil, errors.New("the body has no room for a ticket: it is no JSON object")
	}
	if rest = rest[:len(rest)-1]; len(bytes.TrimSpace(rest[1:])) == 0 {
		return field, nil
	}
	return slices.Concat(rest, []byte{','}, field[1:]), nil
}

// once sends a request and waits for its answer.
func (c *Conn) once(
	ctx context.Context, r Request, body []byte, within time.Duration, answered func(json.RawMessage),
) (json.RawMessage, error) {
	permit, err := c.pace.Wait(ctx)
	if err != nil {
		return nil, c.failed(r.Endpoint, venuekey.ClassNotSent, err)
	}
	return c.exchange(ctx, r, body, permit, within, answered)
}

// exchange is once with the permission to send.
func (c *Conn) exchange(
	ctx context.Context, r Request, body []byte, permit link.Permit, within time.Duration, answered func(json.RawMessage),
) (json.RawMessage, error) {
	sent := &call{
		endpoint: r.Endpoint, permit: permit, answered: answered,
		split: r.Endpoint == syncEndpoint, result: make(chan result, 1),
	}
	if err := c.send(ctx, sent, r.Query.Encode(), body); err != nil {
		return nil, err
	}
	return c.await(ctx, sent, within)
}

// send writes a request: four lines.
func (c *Conn) send(ctx context.Context, sent *call, query string, body []byte) error {
	select {
	case c.writeLock <- struct{}{}:
	case <-c.done:
		return c.failed(sent.endpoint, venuekey.ClassNotSent, c.Err())
	case <-ctx.Done():
		return c.failed(sent.endpoint, venuekey.ClassNotSent, ctx.Err())
	}
	defer func() { <-c.writeLock }()
	sent.at = c.now()
	sent.permit.Left(sent.at)
	if !c.register(sent) {
		return c.failed(sent.endpoint, venuekey.ClassNotSent, c.Err())
	}
	frame := make([]byte, 0, len(sent.endpoint)+len(query)+len(body)+24)
	frame = append(append(frame, sent.endpoint...), '\n')
	frame = append(strconv.AppendInt(frame, sent.id, 10), '\n')
	frame = append(append(frame, query...), '\n')
	frame = append(frame, body...)
	err := c.write(frame)
	clear(frame) // there may be a secret in it
	if err != nil {
		c.die(err) // which gives the call its error too
	}
	return nil
}

// write writes a frame. It takes no context of a caller: to give up in the middle of a
// frame is the end of the connection. A clock of the Conn's own ends it if the write takes
// too long, because a context for each would cost more than all else here.
func (c *Conn) write(frame []byte) error {
	c.writeGuard.Reset(c.opts.Timeout)
	err := c.ws.Write(context.Background(), websocket.MessageText, frame)
	c.writeGuard.Stop()
	if err != nil {
		return fmt.Errorf("writing: %w", err)
	}
	return nil
}

// await waits for the answer to what was sent.
func (c *Conn) await(ctx context.Context, sent *call, within time.Duration) (json.RawMessage, error) {
	timer := time.NewTimer(within)
	defer timer.Stop()
	var cause error
	select {
	case r := <-sent.result:
		return r.data, r.err
	case <-ctx.Done():
		cause = ctx.Err()
	case <-timer.C:
		cause = fmt.Errorf("nothing within %v: %w", within, context.DeadlineExceeded)
		c.ask(c.opts.Timeout, &c.lastSaid) // one request may have been lost, or the venue answers none
	}
	if c.take(sent.id) == nil { // it came in this moment
		r := <-sent.result
		return r.data, r.err
	}
	return nil, c.failed(sent.endpoint, venuekey.ClassUnknown, cause)
}
