package emulator

import "net/http"

// venue.go owns what a test may ask of any emulated venue.

// Venue is what the servers of all emulated venues have in common: a test that is told
// of several venues takes one. Beside it each has its own Knobs, and the methods Tune
// and Current for them.
type Venue interface {
	// ServeHTTP answers as the venue does.
	http.Handler

	// Inject orders a fault. It panics on one that makes no sense, since that is a
	// mistake in a test.
	Inject(Fault)
	// Time is the clock that the venue lives by.
	Time() *Clock
	// Events is what happened so far.
	Events() []Event
	// Log is the event log, to count in it and to wait for it.
	Log() *Log
	// Alive tells whether the venue would accept the access token. Asking is no use
	// of it.
	Alive(access string) bool
	// RefreshAlive tells whether the venue would grant the refresh token. Asking is no
	// use of it.
	RefreshAlive(refresh string) bool
	// RevokeUser takes back everything that the user allowed, as he can on the venue's
	// own pages, and returns how many consents that were.
	RevokeUser(name string) int
	// Reset puts everything back to where the server started: knobs, apps and users,
	// clock, codes, tokens, faults, open pages, log.
	Reset()
}
