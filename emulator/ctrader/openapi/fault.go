package openapi

import (
	"fmt"
	"slices"
	"time"

	"github.com/venuekey/venuekey/emulator/internal/faultqueue"
	"github.com/venuekey/venuekey/venue/ctrader/openapi/message"
)

// fault.go owns faults: what can be ordered to go wrong on the sockets, and the queue
// of what was ordered. How each one looks is in outbox.go.

// FaultKind says what goes wrong. But for [CloseBefore] and [Refuse] the request
// has been carried out by then: an order stands, a token has rotated.
type FaultKind string

// The kinds of faults.
const (
	CloseBefore FaultKind = "close-before" // the connection closes, nothing was done
	CloseAt     FaultKind = "close-at"     // it closes after Bytes bytes of the answer
	Drop        FaultKind = "drop"         // no answer, all else goes on
	Silence     FaultKind = "silence"      // nothing is answered or sent any more, the connection stays open
	HalfClose   FaultKind = "half-close"   // nothing is sent any more and the client is told so, it can go on writing
	Twice       FaultKind = "twice"        // the answer comes twice
	Late        FaultKind = "late"         // it comes after Delay, others pass it by
	Swap        FaultKind = "swap"         // it waits for the next message to go first
	Coalesce    FaultKind = "coalesce"     // it waits for the next message, both in one write
	OneByte     FaultKind = "one-byte"     // every byte is a write of its own
	Oversize    FaultKind = "oversize"     // in its place a message that announces to be endless, then silence
	Garbage     FaultKind = "garbage"      // in its place a message that cannot be read
	Refuse      FaultKind = "refuse"       // an error with Code, nothing was done
)

// FaultKinds lists all kinds.
func FaultKinds() []FaultKind {
	return []FaultKind{
		CloseBefore, CloseAt, Drop, Silence, HalfClose, Twice, Late, Swap, Coalesce,
		OneByte, Oversize, Garbage, Refuse,
	}
}

// Fault is an order for something to go wrong.
type Fault struct {
	Kind FaultKind
	// On is the type of the request whose answer it hits, or of the answer; for
	// an event that nobody asked for the type of that. 0 means any request.
	On message.PayloadType
	// Times is how many it hits: 0 means one, -1 all.
	Times int
	// Skip is how many pass before the first hit.
	Skip int
	// Bytes is for CloseAt, with the bytes of length or of WebSocket counted.
	Bytes int
	// Delay is for Late.
	Delay time.Duration
	// Code, Description and RetryAfter are for Refuse.
	Code, Description string
	RetryAfter        time.Duration
}

// Valid tells what is wrong with the order, if anything.
func (f Fault) Valid() error {
	switch {
	case !slices.Contains(FaultKinds(), f.Kind):
		return fmt.Errorf("openapi: unknown fault kind %q", f.Kind)
	case f.Times < -1 || f.Skip < 0 || f.Bytes < 0 || f.Delay < 0 || f.RetryAfter < 0:
		return fmt.Errorf("openapi: fault %q has a negative number", f.Kind)
	case f.Kind == Refuse && f.Code == "":
		return fmt.Errorf("openapi: fault %q has no code", f.Kind)
	}
	return nil
}

// faults is the queue of ordered faults.
type faults struct{ queue faultqueue.Queue[Fault] }

func (q *faults) add(f Fault) error {
	if err := f.Valid(); err != nil {
		return err
	}
	q.queue.Add(f, f.Times, f.Skip)
	return nil
}

func (q *faults) clear() { q.queue.Clear() }

// ofRequest uses up the fault for a request, if one waits.
func (q *faults) ofRequest(t message.PayloadType) *Fault {
	answer, _ := message.Answer(t)
	return q.queue.Take(func(f Fault) bool { return f.On == 0 || f.On == t || answer != 0 && f.On == answer })
}

// ofEvent uses up the fault for an event, if one waits.
func (q *faults) ofEvent(t message.PayloadType) *Fault {
	return q.queue.Take(func(f Fault) bool { return f.On == t })
}
