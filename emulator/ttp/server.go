package ttp

// This file owns the server: its fields, its start, and what tests ask it.

import (
	"net/http"
	"sync"

	"github.com/venuekey/venuekey/emulator"
	"github.com/venuekey/venuekey/emulator/internal/core"
)

// Server is an emulated TTP. The zero value is ready. The fields are read when it
// is first used, and must not be changed from then on; Tune moves knobs.
type Server struct {
	Knobs Knobs
	// Apps are the registered apps; empty means [emulator.DefaultApp].
	Apps []emulator.App
	// Users are the people with an account on the site; empty means
	// [emulator.DefaultUsers].
	Users []emulator.User
	// Clock is the venue's time; nil means one of its own, see Time.
	Clock *emulator.Clock

	once     sync.Once
	core     *core.Core
	settings *core.Settings[Knobs]
	mux      *http.ServeMux
}

func (s *Server) start() {
	s.once.Do(func() {
		branding := core.Branding{Name: s.Name(), Title: "TheTradingParrot", Colour: "#1f6f43"}
		s.core = core.New(branding, s.Clock, s.Apps, s.Users)
		s.settings = core.NewSettings(s.Knobs)
		s.mux = s.addresses()
	})
}

// ServeHTTP answers as the venue does.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.start()
	s.mux.ServeHTTP(w, r)
}

// Name is "ttp".
func (s *Server) Name() string { return "ttp" }

// Current is a copy of the knobs as they stand.
func (s *Server) Current() Knobs { s.start(); return s.settings.Current() }

// Tune moves knobs of the running server, as in
//
//	s.Tune(func(k *ttp.Knobs) { k.RequestToken = true })
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

// RefreshAlive tells whether the venue would grant the refresh token. Asking does
// not use it.
func (s *Server) RefreshAlive(refresh string) bool {
	s.start()
	k := s.Current().filled()
	return !k.RefuseRefresh && s.core.Tokens.RefreshAlive(s.core.Clock.Now(), refresh, k.policy())
}

// RevokeUser takes back everything the user allowed, and returns how many sign-ins
// that were.
func (s *Server) RevokeUser(name string) int { s.start(); return s.core.RevokeUser(name) }

// Reset puts everything back to where the server started.
func (s *Server) Reset() { s.start(); s.settings.Reset(); s.core.Reset() }
