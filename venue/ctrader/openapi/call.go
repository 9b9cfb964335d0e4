package openapi

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/venue/ctrader/openapi/message"
	"github.com/venuekey/venuekey/venue/internal/link"
)

// call.go owns sending a request and waiting for its answer.

// Do sends any request and waits for its answer; there is also a method for each
// request. Errors are *Error.
//
// If the service answers "too many requests", Do repeats the request, provided that it
// is safe to send twice: after the delay that the service asks for, but at least one
// second, then two, doubling up to two minutes, and no more than nine times in all. It
// returns the error at once if the context would end before the next try.
//
// An order that was sent and got no answer fails with venuekey.ClassUnknown: it may
// have been carried out. A request that had no effect because its goal was already met
// fails too, with KindAlreadyDone.
func (c *Conn) Do(ctx context.Context, req message.Message) (message.Message, error) {
	return retryRate(ctx, req, c.try)
}

// idleRoom is the largest buffer that is kept for the next request, in bytes.
const idleRoom = 1 << 16

const (
	firstRateWait = time.Second
	lastRateWait  = 2 * time.Minute // the history quota has been seen to need it
	rateTries     = 9
)

// retryRate calls once and, when the service says "too many requests", repeats it if
// that is safe.
func retryRate(ctx context.Context, req message.Message, once func(context.Context, message.Message) (message.Message, error)) (message.Message, error) {
	wait := firstRateWait
	for try := 1; ; try++ {
		answer, err := once(ctx, req)
		var known *Error
		if !errors.As(err, &known) || known.Kind != KindTooMany || !repeatable(known.Request) || try == rateTries {
			return answer, err
		}
		delay := max(wait, known.RetryAfter)
		if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) < delay {
			return answer, err
		}
		if link.Pause(ctx, delay) != nil {
			return answer, err
		}
		wait = min(2*wait, lastRateWait)
	}
}

// once sends a request and waits for its answer.
func (c *Conn) once(ctx context.Context, req message.Message) (message.Message, error) {
	permit, err := c.pace(ctx, req)
	if err != nil {
		return nil, err
	}
	sent, err := c.send(ctx, req, permit, c.answerTime(req))
	if err != nil {
		return nil, err
	}
	return c.await(ctx, sent)
}

// pace waits until the limits allow a request to be sent.
func (c *Conn) pace(ctx context.Context, req message.Message) (link.Permit, error) {
	if !message.IsRequest(req.PayloadType()) {
		return link.Permit{}, c.failed(req, venuekey.ClassDeclined, errors.New("not a request"))
	}
	p := c.paces.ordinary
	if message.Historical(req.PayloadType()) {
		p = c.paces.historical
	}
	taken, err := p.Wait(ctx)
	if err != nil {
		return link.Permit{}, c.failed(req, venuekey.ClassNotSent, err)
	}
	return taken, nil
}

// answerTime returns how long the answer to a request may take.
func (c *Conn) answerTime(req message.Message) time.Duration {
	switch req.PayloadType() {
	case message.TypeApplicationAuthReq, message.TypeGetAccountListByAccessTokenReq, message.TypeAccountAuthReq:
		return c.opts.SignOn
	}
	return c.opts.Timeout
}

// send writes a request.
func (c *Conn) send(ctx context.Context, req message.Message, taken link.Permit, within time.Duration) (*call, error) {
	if err := c.lockWriting(ctx); err != nil {
		return nil, c.failed(req, venuekey.ClassNotSent, err)
	}
	defer func() { <-c.writeLock }()
	payload, err := c.encode(req)
	if err != nil {
		return nil, c.failed(req, venuekey.ClassDeclined, err)
	}
	sent := c.spare.Swap(nil)
	if sent == nil {
		sent = &call{result: make(chan result, 1)}
	}
	sent.req, sent.at, sent.within, sent.permit = req, c.now(), within, taken
	sent.permit.Left(sent.at)
	c.rememberSecrets(secretsOf(req))
	if !c.register(sent) {
		return nil, c.failed(req, venuekey.ClassNotSent, c.Err())
	}
	if err := c.put(req.PayloadType(), payload, strconv.FormatUint(sent.id, 10), sent.at); err != nil {
		c.die(err) // which gives the call its error too
	}
	return sent, nil
}

// lockWriting waits for the write lock.
func (c *Conn) lockWriting(ctx context.Context) error {
	select { // much faster than the one below
	case c.writeLock <- struct{}{}:
		return nil
	default:
	}
	select {
	case c.writeLock <- struct{}{}:
		return nil
	case <-c.done:
		return c.Err()
	case <-ctx.Done():
		return ctx.Err()
	}
}

// settled returns the result of a call that has one. Nothing else refers to the call
// any more, so it is kept for reuse.
func (c *Conn) settled(sent *call, r result) (message.Message, error) {
	sent.req = nil
	c.spare.Store(sent)
	return r.answer, r.err
}

// encode returns a request's payload. The caller holds the write lock.
func (c *Conn) encode(req message.Message) ([]byte, error) {
	if c.json {
		return req.MarshalJSON()
	}
	var err error
	c.payload, err = req.AppendBinary(c.payload[:0])
	return c.payload, err
}

// put writes an envelope. The caller holds the write lock.
func (c *Conn) put(t message.PayloadType, payload []byte, id string, now int64) error {
	c.writingSince.Store(now)
	err := c.wire.Write(message.Envelope{Type: t, Payload: payload, ID: id})
	c.lastWritten.Store(now)
	c.writingSince.Store(0)
	clear(c.payload) // it may hold a secret
	if cap(c.payload) > idleRoom {
		c.payload = nil
	}
	if err != nil {
		return fmt.Errorf("writing: %w", err)
	}
	return nil
}

// await waits for the answer to a call, up to the call's due time.
func (c *Conn) await(ctx context.Context, sent *call) (message.Message, error) {
	c.readFor(ctx, sent)
	select {
	case r := <-sent.result:
		return c.settled(sent, r)
	default:
	}
	timer := time.NewTimer(time.Duration(sent.due() - c.now()))
	defer timer.Stop()
	var cause error
	select {
	case r := <-sent.result:
		return c.settled(sent, r)
	case <-ctx.Done():
		cause = ctx.Err()
	case <-timer.C:
		cause = fmt.Errorf("no answer within %v: %w", sent.within, context.DeadlineExceeded)
	}
	c.mu.Lock()
	still := c.callByID(sent.id) != nil
	c.forget(sent)
	c.mu.Unlock()
	if !still { // it arrived just now
		return c.settled(sent, <-sent.result)
	}
	c.doubt(sent)
	return nil, c.failed(sent.req, venuekey.ClassUnknown, cause)
}

// unanswered reports whether a request was sent and got no answer in time, although
// the connection may still be alive.
func unanswered(err error) bool {
	return link.ClassOf(err) == venuekey.ClassUnknown && errors.Is(err, context.DeadlineExceeded)
}
