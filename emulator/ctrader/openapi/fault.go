package openapi

import (
	"fmt"
	"slices"
	"time"

	"github.com/venuekey/venuekey/emulator/internal/faultqueue"
	"github.com/venuekey/venuekey/venue/ctrader/openapi/message"
)

// fault.go owns faults: what a test can make go wrong on a connection, and their queue.
// What each does on the wire is in outbox.go.

// FaultKind says what goes wrong. With all kinds but [CloseBefore] and [Refuse] the request
// has been carried out: an order has been placed, a token has rotated.
type FaultKind string

// The kinds of faults.
const (
	CloseBefore FaultKind = "close-before" // the connection closes, and nothing was done
	CloseAt     FaultKind = "close-at"     // it closes after Bytes bytes of the answer
	Drop        FaultKind = "drop"         // there is no answer, and all else continues
	Silence     FaultKind = "silence"      // nothing is answered or sent any more, but the connection stays open
	HalfClose   FaultKind = "half-close"   // the server closes its sending side; the client can continue to write
	Twice       FaultKind = "twice"        // the answer is sent twice
	Late        FaultKind = "late"         // the answer is sent after Delay; others overtake it
	Swap        FaultKind = "swap"         // the next message is sent before the answer
	Coalesce    FaultKind = "coalesce"     // the answer and the next message are sent in one write
	OneByte     FaultKind = "one-byte"     // every byte is sent in a write of its own
	Oversize    FaultKind = "oversize"     // instead of the answer, the start of a message with a huge length, then silence
	Garbage     FaultKind = "garbage"      // instead of the answer, a message that cannot be decoded
	Refuse      FaultKind = "refuse"       // an error with Code, and nothing was done
)

// FaultKinds returns all kinds.
func FaultKinds() []FaultKind {
	return []FaultKind{
		CloseBefore, CloseAt, Drop, Silence, HalfClose, Twice, Late, Swap, Coalesce,
		OneByte, Oversize, Garbage, Refuse,
	}
}

// Fault makes answers, or events, go wrong.
type Fault struct {
	Kind FaultKind
	// On is the type of the request whose answer it hits, or of that answer, or of an
	// unsolicited event. 0 means any request.
	On message.PayloadType
	// Times is how many it hits. 0 means one, -1 all.
	Times int
	// Skip is how many pass before the first hit.
	Skip int
	// Bytes is used by CloseAt. It includes the length prefix or the WebSocket header.
	Bytes int
	// Delay is used by Late.
	Delay time.Duration
	// Code, Description and RetryAfter are used by Refuse.
	Code, Description string
	RetryAfter        time.Duration
}

// Valid returns an error if the fault makes no sense: its kind is unknown, a number is
// negative, or Refuse has no Code.
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

// faults is the queue of injected faults.
type faults struct{ queue faultqueue.Queue[Fault] }

func (q *faults) add(f Fault) error {
	if err := f.Valid(); err != nil {
		return err
	}
	q.queue.Add(f, f.Times, f.Skip)
	return nil
}

func (q *faults) clear() { q.queue.Clear() }

// ofRequest uses up the fault for a request, if there is one.
func (q *faults) ofRequest(t message.PayloadType) *Fault {
	answer, _ := message.Answer(t)
	return q.queue.Take(func(f Fault) bool { return f.On == 0 || f.On == t || answer != 0 && f.On == answer })
}

// ofEvent uses up the fault for an event, if there is one.
func (q *faults) ofEvent(t message.PayloadType) *Fault {
	return q.queue.Take(func(f Fault) bool { return f.On == t })
}
