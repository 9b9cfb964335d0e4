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
	Received          Kind = "received"     // any message, even a heartbeat, before it is checked
	Refused           Kind = "refused"      // a request was answered with an error, Detail is its code
	AppAuthorized     Kind = "app-authorized"
	AccountAuthorized Kind = "account-authorized"
	AccountEnded      Kind = "account-ended" // a session has ended, Detail says why
	Subscribed        Kind = "subscribed"    // to spots, depth or bars of a symbol
	Unsubscribed      Kind = "unsubscribed"
	TokensRefreshed   Kind = "tokens-refreshed" // over the socket
	OrderEvent        Kind = "order-event"      // Detail is the execution type
	FaultInjected     Kind = "fault-injected"
)

// Event is one entry of the log. It never contains a token or a secret.
type Event struct {
	// Seq counts from 1.
	Seq int
	// At is the time of the venue's clock.
	At   time.Time
	Kind Kind
	// Conn is the number of the connection, from 1, or 0 if the event is about none.
	Conn                  int
	Live, JSON, WebSocket bool
	// Type is the type of the message that the event is about.
	Type    message.PayloadType
	Account int64
	Client  string
	Detail  string
}

// Log is an event log. The zero value is ready to use. A Log is safe for concurrent use.
type Log struct{ journal journal.Journal[Event] }

func (l *Log) add(e Event) {
	l.journal.Add(func(number int) Event {
		e.Seq = number
		return e
	})
}

// Events returns a copy of the log, oldest first.
func (l *Log) Events() []Event { return l.journal.Since(0) }

// Count returns the number of events of a kind, and, if any are given, of these message
// types.
func (l *Log) Count(kind Kind, t ...message.PayloadType) int { return l.journal.Count(of(kind, t)) }

// Wait waits until Count would return at least n. If the context ends first, it returns the
// context's error.
func (l *Log) Wait(ctx context.Context, n int, kind Kind, t ...message.PayloadType) error {
	return l.journal.Wait(ctx, n, of(kind, t))
}

func of(kind Kind, t []message.PayloadType) func(Event) bool {
	return func(e Event) bool { return e.Kind == kind && (len(t) == 0 || slices.Contains(t, e.Type)) }
}
