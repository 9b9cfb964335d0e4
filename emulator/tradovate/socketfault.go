package tradovate

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/venuekey/venuekey/emulator/internal/faultqueue"
)

// socketfault.go owns what can be ordered to go wrong with a request on a WebSocket.

// SocketFaultKind says what goes wrong.
type SocketFaultKind string

// The kinds of faults. With those up to FaultSocketPenalty the request is not carried out, with
// the others it is.
const (
	FaultSocketCutBefore SocketFaultKind = "cut-before" // the connection is cut
	FaultSocketRefuse    SocketFaultKind = "refuse"     // an answer with Status and Text; no text, no d
	FaultSocketPenalty   SocketFaultKind = "penalty"    // a ticket, good after Delay
	FaultSocketCutAfter  SocketFaultKind = "cut-after"
	FaultSocketDrop      SocketFaultKind = "drop"     // no answer, all else goes on
	FaultSocketMute      SocketFaultKind = "mute"     // nothing is sent any more, pings of the protocol are answered
	FaultSocketStall     SocketFaultKind = "stall"    // nothing is read either
	FaultSocketTwice     SocketFaultKind = "twice"    // the answer comes twice
	FaultSocketLate      SocketFaultKind = "late"     // after Delay
	FaultSocketHalf      SocketFaultKind = "half"     // half of the frame
	FaultSocketGarbage   SocketFaultKind = "garbage"  // a frame that is nothing
	FaultSocketHuge      SocketFaultKind = "huge"     // a frame of 40 MB
	FaultSocketStranger  SocketFaultKind = "stranger" // before it the answer to a request that nobody sent
)

// SocketFaultKinds lists all kinds.
func SocketFaultKinds() []SocketFaultKind {
	return []SocketFaultKind{
		FaultSocketCutBefore, FaultSocketRefuse, FaultSocketPenalty, FaultSocketCutAfter, FaultSocketDrop, FaultSocketMute, FaultSocketStall,
		FaultSocketTwice, FaultSocketLate, FaultSocketHalf, FaultSocketGarbage, FaultSocketHuge, FaultSocketStranger,
	}
}

// SocketFault is an order for something to go wrong.
type SocketFault struct {
	Kind SocketFaultKind
	// On is the endpoint, such as "md/subscribeQuote"; "" is any.
	On string
	// Times is how many requests it hits: 0 means one, -1 all. Skip is how many pass
	// before.
	Times, Skip int
	// Delay is for FaultSocketLate and FaultSocketPenalty.
	Delay time.Duration
	// Captcha is for FaultSocketPenalty: no ticket helps.
	Captcha bool
	// Status and Text are for FaultSocketRefuse.
	Status int
	Text   string
}

// Valid says what is wrong with the order, if anything.
func (f SocketFault) Valid() error {
	switch {
	case !slices.Contains(SocketFaultKinds(), f.Kind):
		return fmt.Errorf("tradovate: unknown kind of fault %q", f.Kind)
	case f.Times < -1 || f.Skip < 0 || f.Delay < 0:
		return fmt.Errorf("tradovate: fault %q has a negative number", f.Kind)
	case f.Kind == FaultSocketRefuse && f.Status == 0:
		return errors.New("tradovate: a refusal needs a status")
	}
	return nil
}

// socketFaults is the queue of ordered faults.
type socketFaults struct{ queue faultqueue.Queue[SocketFault] }

func (q *socketFaults) take(endpoint string) *SocketFault {
	return q.queue.Take(func(f SocketFault) bool { return f.On == "" || strings.EqualFold(f.On, endpoint) })
}

// InjectSocket orders a fault. It panics on one that makes no sense, since that is a
// mistake in a test.
func (s *Server) InjectSocket(f SocketFault) {
	if err := f.Valid(); err != nil {
		panic(err)
	}
	s.socketFaults.queue.Add(f, f.Times, f.Skip)
}

// insteadOf does what a fault does in place of the request.
func (c *socket) insteadOf(f *SocketFault, r request) bool {
	switch f.Kind {
	case FaultSocketCutBefore:
		c.cut()
	case FaultSocketRefuse:
		c.tell(c.messages(r.id, refused(f.Status, f.Text))...)
	case FaultSocketPenalty:
		c.tell(c.messages(r.id, c.penalise(r, max(f.Delay, time.Second), f.Captcha))...)
	default:
		return false
	}
	return true
}

// mangle does what a fault does to the answer of a request that was carried out.
func (c *socket) mangle(f *SocketFault, messages []any) {
	text, err := json.Marshal(messages)
	if err != nil {
		panic(err)
	}
	frame := append([]byte("a"), text...)
	switch f.Kind {
	case FaultSocketCutAfter:
		c.cut()
	case FaultSocketMute:
		c.mute()
	case FaultSocketStall:
		c.stall()
	case FaultSocketTwice:
		c.put(frame)
		c.put(frame)
	case FaultSocketLate:
		timer := time.AfterFunc(f.Delay, func() { c.put(frame) })
		_ = timer // a socket that ended meanwhile reads nothing of what is put
	case FaultSocketHalf:
		c.put(frame[:len(frame)/2])
	case FaultSocketGarbage:
		c.put([]byte("\x00{garbage"))
	case FaultSocketHuge:
		c.put(append([]byte("a"), bytes.Repeat([]byte(" "), 40<<20)...))
	case FaultSocketStranger:
		c.tell(map[string]any{"s": 200, "i": 987654, "d": "for somebody else"})
		c.put(frame)
	}
}

// cut ends the connection without a word.
func (c *socket) cut() {
	_ = c.ws.CloseNow()
	c.end()
}
