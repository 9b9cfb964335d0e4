package emulator

import "net/http"

// venue.go owns the interface that all emulated venues share.

// Venue is what the servers of all emulated venues have in common, for tests that run
// against several. In addition each has Knobs of its own type, and the methods Tune and
// Current for them.
type Venue interface {
	// ServeHTTP answers as the venue does.
	http.Handler

	// Inject adds a fault. It panics if Fault.Valid returns an error, since that is a
	// mistake in the test.
	Inject(Fault)
	// Time returns the venue's clock.
	Time() *Clock
	// Events returns what has happened so far, oldest first.
	Events() []Event
	// Log returns the event log, which can count events and wait for them.
	Log() *Log
	// Alive reports whether the venue would accept the access token. It does not count
	// as using the token.
	Alive(access string) bool
	// RefreshAlive reports whether the venue would accept the refresh token. It does
	// not count as using the token.
	RefreshAlive(refresh string) bool
	// RevokeUser revokes everything that the user has allowed, as the user could on the
	// venue's own pages, and returns the number of consents revoked.
	RevokeUser(name string) int
	// Reset restores the state in which the server started: knobs, apps and users,
	// clock, codes, tokens, faults, open pages, and the log.
	Reset()
}
