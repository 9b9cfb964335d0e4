package tradovate

// This file owns the server: its fields, its start, and what tests ask it.

import (
	"net/http"
	"slices"
	"sync"

	"github.com/venuekey/venuekey/emulator"
	"github.com/venuekey/venuekey/emulator/internal/core"
)

// Server is an emulated Tradovate. The zero value is ready. The fields are read
// when it is first used, and must not be changed from then on; Tune moves knobs.
type Server struct {
	Knobs Knobs
	// Apps are the registered OAuth clients; empty means [emulator.DefaultApp].
	Apps []emulator.App
	// Keys are the API keys; empty means [DefaultKey].
	Keys []APIKey
	// Users are the traders; empty means [emulator.DefaultUsers].
	Users []emulator.User
	// Clock is the venue's time; nil means one of its own, see Time.
	Clock *emulator.Clock

	once      sync.Once
	core      *core.Core
	settings  *core.Settings[Knobs]
	admin     http.Handler
	keys      []APIKey
	sessions  sessions
	penalties penalties
	renewals  quota
	meFailed  quota
}

func (s *Server) start() {
	s.once.Do(func() {
		branding := core.Branding{Name: s.Name(), Title: "Tradovate", Colour: "#14487a"}
		s.core = core.New(branding, s.Clock, s.Apps, s.Users)
		s.core.OnReset = s.forget
		s.settings = core.NewSettings(s.Knobs)
		s.admin = s.core.Admin(s.settings)
		s.keys = slices.Clone(s.Keys)
		if len(s.keys) == 0 {
			s.keys = []APIKey{DefaultKey()}
		}
	})
}

// forget drops what is kept beside the core.
func (s *Server) forget() {
	s.sessions.clear()
	s.penalties.clear()
	s.renewals.clear()
	s.meFailed.clear()
}

// ServeHTTP answers as the live host does.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.serve(w, r, live) }

// Demo is the demo host of the same venue.
func (s *Server) Demo() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.serve(w, r, demo) })
}

// Name is "tradovate".
func (s *Server) Name() string { return "tradovate" }

// Current is a copy of the knobs as they stand.
func (s *Server) Current() Knobs { s.start(); return s.settings.Current() }

// Tune moves knobs of the running server, as in
//
//	s.Tune(func(k *tradovate.Knobs) { k.ClosedStatus = 429 })
func (s *Server) Tune(change func(*Knobs)) { s.start(); s.settings.Tune(change) }

// Time is the clock that the server lives by.
func (s *Server) Time() *emulator.Clock { s.start(); return s.core.Clock }

// Events is what happened so far.
func (s *Server) Events() []emulator.Event { s.start(); return s.core.Log.Events() }

// Log is the event log, to count in it and to wait for it.
func (s *Server) Log() *emulator.Log { s.start(); return &s.core.Log }

// Inject orders a fault. It panics on one that makes no sense.
func (s *Server) Inject(f emulator.Fault) { s.start(); s.core.Inject(f) }

// Alive tells whether the venue would accept the access token.
func (s *Server) Alive(access string) bool {
	s.start()
	return s.core.Tokens.Alive(s.core.Clock.Now(), access)
}

// RefreshAlive tells whether the venue would grant the OAuth refresh token, apart
// from TransientRefusals. Asking does not use it.
func (s *Server) RefreshAlive(refresh string) bool {
	s.start()
	return s.core.Tokens.RefreshAlive(s.core.Clock.Now(), refresh, s.Current().filled().policy())
}

// RevokeUser takes back everything the user allowed and ends his sessions, and
// returns how many consents and sessions that were. His tokens then answer 401.
func (s *Server) RevokeUser(name string) int { s.start(); return s.core.RevokeUser(name) }

// Reset puts everything back to where the server started.
func (s *Server) Reset() { s.start(); s.settings.Reset(); s.core.Reset() }
