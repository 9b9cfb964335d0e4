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
	EventAuthorizeRefused EventKind = "authorize-refused" // the authorize request was invalid
	EventLoginGranted     EventKind = "login-granted"     // the password was right, on the page or in a password request
	EventLoginRefused     EventKind = "login-refused"     // the password was wrong
	EventConsentGiven     EventKind = "consent-given"
	EventConsentDenied    EventKind = "consent-denied"
	EventCodeIssued       EventKind = "code-issued"
	EventCodeExchanged    EventKind = "code-exchanged"
	EventCodeRefused      EventKind = "code-refused"
	EventRefreshPresented EventKind = "refresh-presented" // counted before anything is checked
	EventRefreshGranted   EventKind = "refresh-granted"
	EventRefreshRefused   EventKind = "refresh-refused"
	EventRenewGranted     EventKind = "renew-granted" // a live access token was renewed
	EventRenewRefused     EventKind = "renew-refused"
	EventClientRefused    EventKind = "client-refused" // unknown client or wrong client secret
	EventRevoked          EventKind = "revoked"
	EventGrantReplaced    EventKind = "grant-replaced" // a new sign-in ended earlier refresh tokens
	EventSessionClosed    EventKind = "session-closed"
	EventMeAnswered       EventKind = "me-answered"
	EventMeRefused        EventKind = "me-refused"
	EventFaultInjected    EventKind = "fault-injected"
	EventPenalty          EventKind = "penalty"
)

// Event is one entry of the log. It never contains a token, a code, a secret or a
// password, only fingerprints of tokens and codes.
type Event struct {
	// Seq counts from 1.
	Seq    int       `json:"seq"`
	At     time.Time `json:"at"`
	Venue  string    `json:"venue"`
	Kind   EventKind `json:"kind"`
	User   string    `json:"user,omitempty"`
	Client string    `json:"client,omitempty"`
	// Fingerprint is the [Fingerprint] of the code or token that was presented or acted
	// on.
	Fingerprint string `json:"fingerprint,omitempty"`
	// Successor is the [Fingerprint] of the code or token that was issued: the refresh
	// token, or the access token if no refresh token was issued.
	Successor string `json:"successor,omitempty"`
	// Status is the HTTP status if the event decided it, and 0 otherwise.
	Status int    `json:"status,omitempty"`
	Detail string `json:"detail,omitempty"`
}

// Fingerprint returns what stands for a token in logs: the first 12 hex digits of its
// SHA-256, or "" for an empty token.
func Fingerprint(token string) string {
	if token == "" {
		return ""
	}
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:6])
}

// Log is an event log. The zero value is ready to use. A Log is safe for concurrent use.
// It keeps all events until the venue is reset.
type Log struct{ journal journal.Journal[Event] }

// Add appends an event, and sets its Seq.
func (l *Log) Add(e Event) {
	l.journal.Add(func(number int) Event {
		e.Seq = number
		return e
	})
}

// Events returns a copy of the log, oldest first.
func (l *Log) Events() []Event { return l.Since(0) }

// Since returns a copy of the events whose Seq is greater than seq.
func (l *Log) Since(seq int) []Event { return l.journal.Since(seq) }

// Count returns the number of events of a kind.
func (l *Log) Count(kind EventKind) int { return l.journal.Count(of(kind)) }

// Wait waits until there are at least n events of a kind. If the context ends first, it
// returns the context's error.
func (l *Log) Wait(ctx context.Context, kind EventKind, n int) error {
	return l.journal.Wait(ctx, n, of(kind))
}

func of(kind EventKind) func(Event) bool { return func(e Event) bool { return e.Kind == kind } }

// Clear removes all events. Numbering continues, so the seq of a reader stays valid.
func (l *Log) Clear() { l.journal.Clear() }
