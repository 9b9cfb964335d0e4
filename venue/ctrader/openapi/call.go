package openapi

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/venue/ctrader/openapi/message"
	"github.com/venuekey/venuekey/venue/internal/link"
)

// call.go owns a request's way out and its answer's way back.

// calls are the requests of a Conn.
type calls struct {
	try func(context.Context, message.Message) (message.Message, error) // once, kept since a method value costs an allocation

	writeLock chan struct{} // holds one while somebody writes
	payload   []byte        // belongs to whoever holds it

	// Guarded by the Conn's lock.
	only    *call            // the one that waits for an answer; most often there is one
	pending map[uint64]*call // and the others
	lastID  uint64

	spare atomic.Pointer[call] // one that has its result, to be used again
}

// call is a request that was sent.
type call struct {
	id     uint64
	req    message.Message
	at     int64         // when it was sent, since the connection's beginning of time
	within time.Duration // how long its answer may take
	alone  bool          // nobody else waited when it was sent
	permit link.Permit   // what it takes up of the pace
	result chan result   // has room for one
}

type result struct {
	answer message.Message
	err    error
}

// Do sends any request and waits for its answer; there is a method for each as
// well. Errors are *Error. A request that may be sent twice and was refused
// for asking too much is sent again, after as long as the service says and at
// least a second, then two, up to two minutes, if that is within the context; it
// takes its turn again then.
//
// An order that was sent and got no answer gives venuekey.ClassUnknown: it may have been
// carried out. A request whose goal was met already is an error too, of KindAlreadyDone.
func (c *Conn) Do(ctx context.Context, req message.Message) (message.Message, error) {
	return retryRate(ctx, req, c.try)
}

// idleRoom is the longest buffer that is kept for the next request, in bytes.
const idleRoom = 1 << 16

const (
	firstRateWait = time.Second
	lastRateWait  = 2 * time.Minute // the history quota was seen to need as much
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

// pace waits until a request may go.
func (c *Conn) pace(ctx context.Context, req message.Message) (link.Permit, error) {
	if !message.IsRequest(req.PayloadType()) {
		return link.Permit{}, c.failed(req, venuekey.ClassDeclined, errors.New("it is no request"))
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

// answerTime is how long the answer to a request may take.
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
	c.confide(secretsOf(req))
	if !c.register(sent) {
		return nil, c.failed(req, venuekey.ClassNotSent, c.Err())
	}
	if err := c.put(req.PayloadType(), payload, strconv.FormatUint(sent.id, 10), sent.at); err != nil {
		c.die(err) // which gives the call its error too
	}
	return sent, nil
}

// lockWriting waits for the right to write.
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

// due is when a call is given up.
func (sent *call) due() int64 { return sent.at + int64(sent.within) }

// settled returns what became of a call that has its result. Nothing else refers to
// the call any more, so it is used again.
func (c *Conn) settled(sent *call, r result) (message.Message, error) {
	sent.req = nil
	c.spare.Store(sent)
	return r.answer, r.err
}

// register gives a call its ID and has it wait. It is false if the Conn has ended.
func (c *Conn) register(sent *call) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		return false
	}
	c.lastID++
	sent.id, sent.alone = c.lastID, c.only == nil && len(c.pending) == 0
	if c.only == nil {
		c.only = sent
	} else {
		c.pending[sent.id] = sent
	}
	return true
}

// callByID is the call with an ID that waits for its answer, nil if none does. c is
// locked.
func (c *Conn) callByID(id uint64) *call {
	if c.only != nil && c.only.id == id {
		return c.only
	}
	return c.pending[id]
}

// forget removes a call from those that wait. c is locked.
func (c *Conn) forget(sent *call) {
	if c.only == sent {
		c.only = nil
	} else {
		delete(c.pending, sent.id)
	}
}

// encode is a request's payload. The caller holds the right to write.
func (c *Conn) encode(req message.Message) ([]byte, error) {
	if c.json {
		return req.MarshalJSON()
	}
	var err error
	c.payload, err = req.AppendBinary(c.payload[:0])
	return c.payload, err
}

// put writes an envelope. The caller holds the right to write.
func (c *Conn) put(t message.PayloadType, payload []byte, id string, now int64) error {
	c.writingSince.Store(now)
	err := c.wire.Write(message.Envelope{Type: t, Payload: payload, ID: id})
	c.lastWritten.Store(now)
	c.writingSince.Store(0)
	clear(c.payload) // there may be a secret in it
	if cap(c.payload) > idleRoom {
		c.payload = nil
	}
	if err != nil {
		return fmt.Errorf("writing: %w", err)
	}
	return nil
}

// await waits for the answer to what was sent.
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
		cause = fmt.Errorf("nothing within %v: %w", sent.within, context.DeadlineExceeded)
	}
	c.mu.Lock()
	still := c.callByID(sent.id) != nil
	c.forget(sent)
	c.mu.Unlock()
	if !still { // it came in this moment
		return c.settled(sent, <-sent.result)
	}
	c.doubt(sent)
	return nil, c.failed(sent.req, venuekey.ClassUnknown, cause)
}

// unanswered reports whether a request was sent and nothing came, on a connection
// that may live.
func unanswered(err error) bool {
	return classOf(err) == venuekey.ClassUnknown && errors.Is(err, context.DeadlineExceeded)
}

// answer gives an envelope to the call that it answers. It is false for an event,
// even one that answered a call: a program that watches orders wants all of them.
func (c *Conn) answer(e *message.Envelope) bool {
	id, err := strconv.ParseUint(e.ID, 10, 64)
	if err != nil {
		return false
	}
	c.mu.Lock()
	sent := c.callByID(id)
	if sent == nil || !answers(e.Type, sent.req.PayloadType()) {
		c.mu.Unlock()
		return false
	}
	c.forget(sent)
	c.mu.Unlock()
	heard := c.lastHeard.Load()
	sent.permit.Answered(heard)
	if heard-sent.at > int64(near) {
		c.brisk.Store(c.brisk.Load() / 2)
	}
	c.sawEvent = c.lastEvent > sent.at
	m, err := c.judge(sent.req, e)
	sent.result <- result{m, err}
	return !message.IsEvent(e.Type)
}

// answers reports whether a message can be what became of a request. An event
// with the request's ID is none: an AccountDisconnectEvent follows a logout.
func answers(t, req message.PayloadType) bool {
	due, _ := message.Answer(req)
	return t == due || !message.IsEvent(t) || t == message.TypeOrderErrorEvent && message.IsOrder(req)
}

// judge reads an answer, and finds the errors among them. To a raw request the answer
// is raw, too, and comes beside the error that it is.
func (c *Conn) judge(req message.Message, e *message.Envelope) (message.Message, error) {
	if _, unread := req.(*raw); !unread {
		return c.readAnswer(req, e)
	}
	answer := &raw{e.Type, bytes.Clone(e.Payload), c.json}
	if !mayBeAnError(e.Type, req.PayloadType()) {
		return answer, nil
	}
	_, err := c.readAnswer(req, e)
	return answer, err
}

// readAnswer decodes an answer. What is not the message that was due is an error.
func (c *Conn) readAnswer(req message.Message, e *message.Envelope) (message.Message, error) {
	m := message.New(e.Type)
	if m == nil {
		return nil, c.failed(req, venuekey.ClassUnknown, &message.UnknownTypeError{Type: e.Type})
	}
	if err := unmarshal(m, e.Payload, c.json); err != nil {
		return nil, c.failed(req, venuekey.ClassUnknown, c.foreign(err))
	}
	if refused := refusal(m, c.secrets); refused != nil {
		refused.about(req, c.address)
		if req.PayloadType() == message.TypeApplicationAuthReq || !refused.MaintenanceEnd.IsZero() {
			c.complain(refused)
		}
		return nil, refused
	}
	if due, _ := message.Answer(req.PayloadType()); e.Type != due {
		return nil, c.failed(req, venuekey.ClassUnknown, fmt.Errorf("%s came where %s was due", message.Name(e.Type), message.Name(due)))
	}
	return m, nil
}
