package openapi

import (
	"context"
	"slices"
	"time"

	"github.com/venuekey/venuekey/emulator/internal/journal"
	"github.com/venuekey/venuekey/venue/ctrader/openapi/message"
)

// event.go owns the event log that tests assert on.

// Kind says what an [Event] is about.
type Kind string

// The kinds of events.
const (
	Connected         Kind = "connected"
	Disconnected      Kind = "disconnected" // Detail says why
	Received          Kind = "received"     // any message, heartbeats too, before anything is checked
	Refused           Kind = "refused"      // a request was answered with an error, Detail is its code
	AppAuthorized     Kind = "app-authorized"
	AccountAuthorized Kind = "account-authorized"
	AccountEnded      Kind = "account-ended" // a session is over, Detail says why
	Subscribed        Kind = "subscribed"    // to something of a symbol
	Unsubscribed      Kind = "unsubscribed"
	TokensRefreshed   Kind = "tokens-refreshed" // over the socket
	OrderEvent        Kind = "order-event"      // Detail is the execution type
	FaultInjected     Kind = "fault-injected"
)

// Event is one line of the log. It never holds a token or a secret.
type Event struct {
	// Seq counts from 1.
	Seq int
	// At is by the clock of the venue.
	At   time.Time
	Kind Kind
	// Conn numbers the connections from 1; 0 where it is about none.
	Conn                  int
	Live, JSON, WebSocket bool
	// Type is the message that it is about.
	Type    message.PayloadType
	Account int64
	Client  string
	Detail  string
}

// Log is an event log. The zero value is ready and safe for concurrent use.
type Log struct{ journal journal.Journal[Event] }

func (l *Log) add(e Event) {
	l.journal.Add(func(number int) Event {
		e.Seq = number
		return e
	})
}

// Events is a copy of the log, oldest first.
func (l *Log) Events() []Event { return l.journal.Since(0) }

// Count is how many events of the kind there are, of the message type if one is
// given.
func (l *Log) Count(kind Kind, t ...message.PayloadType) int { return l.journal.Count(of(kind, t)) }

// Wait blocks until there are at least n events as Count counts them, or ctx
// ends.
func (l *Log) Wait(ctx context.Context, n int, kind Kind, t ...message.PayloadType) error {
	return l.journal.Wait(ctx, n, of(kind, t))
}

func of(kind Kind, t []message.PayloadType) func(Event) bool {
	return func(e Event) bool { return e.Kind == kind && (len(t) == 0 || slices.Contains(t, e.Type)) }
}
