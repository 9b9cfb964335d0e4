package emulator

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"time"

	"github.com/venuekey/venuekey/emulator/internal/journal"
)

// event.go owns the event log that tests assert on.

// EventKind says what an [Event] is about.
type EventKind string

// The kinds of events.
const (
	EventAuthorizeShown   EventKind = "authorize-shown"   // the sign-in page was shown
	EventAuthorizeRefused EventKind = "authorize-refused" // the authorize request was bad
	EventLoginGranted     EventKind = "login-granted"     // a password was right, on the page or in a password request
	EventLoginRefused     EventKind = "login-refused"     // it was wrong
	EventConsentGiven     EventKind = "consent-given"
	EventConsentDenied    EventKind = "consent-denied"
	EventCodeIssued       EventKind = "code-issued"
	EventCodeExchanged    EventKind = "code-exchanged"
	EventCodeRefused      EventKind = "code-refused"
	EventRefreshPresented EventKind = "refresh-presented" // counted before anything is checked
	EventRefreshGranted   EventKind = "refresh-granted"
	EventRefreshRefused   EventKind = "refresh-refused"
	EventRenewGranted     EventKind = "renew-granted" // renewed with a live access token
	EventRenewRefused     EventKind = "renew-refused"
	EventClientRefused    EventKind = "client-refused" // unknown client or wrong client secret
	EventRevoked          EventKind = "revoked"
	EventGrantReplaced    EventKind = "grant-replaced" // a new sign-in killed earlier refresh tokens
	EventSessionClosed    EventKind = "session-closed"
	EventMeAnswered       EventKind = "me-answered"
	EventMeRefused        EventKind = "me-refused"
	EventFaultInjected    EventKind = "fault-injected"
	EventPenalty          EventKind = "penalty"
)

// Event is one line of the log. It never holds a token, a code, a secret or a
// password, only fingerprints of tokens and codes.
type Event struct {
	// Seq counts from 1.
	Seq    int       `json:"seq"`
	At     time.Time `json:"at"`
	Venue  string    `json:"venue"`
	Kind   EventKind `json:"kind"`
	User   string    `json:"user,omitempty"`
	Client string    `json:"client,omitempty"`
	// Fingerprint is that of the code or token that was presented or acted on.
	Fingerprint string `json:"fingerprint,omitempty"`
	// Successor is that of the code or token that was issued: the refresh token,
	// or the access token where no refresh token was issued.
	Successor string `json:"successor,omitempty"`
	// Status is the HTTP status where the event decided one, else 0.
	Status int    `json:"status,omitempty"`
	Detail string `json:"detail,omitempty"`
}

// Fingerprint stands for a token in logs: the first 12 hex digits of its
// SHA-256, and nothing for the empty string.
func Fingerprint(token string) string {
	if token == "" {
		return ""
	}
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:6])
}

// Log is an event log. The zero value is ready and safe for concurrent use. It
// keeps everything until the venue is reset.
type Log struct{ journal journal.Journal[Event] }

// Add appends an event and numbers it.
func (l *Log) Add(e Event) {
	l.journal.Add(func(number int) Event {
		e.Seq = number
		return e
	})
}

// Events is a copy of the log, oldest first.
func (l *Log) Events() []Event { return l.Since(0) }

// Since is a copy of the events whose Seq is greater than seq.
func (l *Log) Since(seq int) []Event { return l.journal.Since(seq) }

// Count is how many events of the kind there are.
func (l *Log) Count(kind EventKind) int { return l.journal.Count(of(kind)) }

// Wait blocks until there are at least n events of the kind, or ctx ends.
func (l *Log) Wait(ctx context.Context, kind EventKind, n int) error {
	return l.journal.Wait(ctx, n, of(kind))
}

func of(kind EventKind) func(Event) bool { return func(e Event) bool { return e.Kind == kind } }

// Clear forgets the events; numbering goes on, so that a reader's since stays good.
func (l *Log) Clear() { l.journal.Clear() }
