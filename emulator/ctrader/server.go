// Package ctrader emulates how cTrader signs users in: the consent page and the
// token endpoint of its Open API. It behaves as the fact sheet "cTrader facts" in
// this module's documentation says, and nothing in it has met the real service.
//
// It serves
//
//	/my/settings/openapi/grantingaccess/   consent page, as the documentation has it
//	/apps/auth                             consent page, as the official libraries have it
//	/apps/token                            code or refresh token for tokens
//	/_emulator/                            admin, see package emulator
//
// What surprises clients is on by default: state is not sent back, errors arrive
// with status 200 and an errorCode and no description, a refresh token works once and dies as well
// when the user allows the app again, and a refresh kills the access token before.
// [Knobs] lists all switches.
package ctrader

// This file owns the server: its fields, its start, its paths, and what tests ask
// it.

import (
	"net/http"
	"sync"

	"github.com/venuekey/venuekey/emulator"
	"github.com/venuekey/venuekey/emulator/internal/core"
)

// Server is an emulated cTrader. The zero value is ready. The fields are read
// when it is first used, and must not be changed from then on; Tune moves knobs.
type Server struct {
	Knobs Knobs
	// Apps are the registered apps; empty means [emulator.DefaultApp].
	Apps []emulator.App
	// Users are the people with a cTrader ID; empty means [emulator.DefaultUsers].
	Users []emulator.User
	// Clock is the venue's time; nil means one of its own, see Time.
	Clock *emulator.Clock

	once     sync.Once
	core     *core.Core
	settings *core.Settings[Knobs]
	mux      *http.ServeMux

	watching sync.Mutex
	watchers []*func(Ended)
}

func (s *Server) start() {
	s.once.Do(func() {
		branding := core.Branding{Name: s.Name(), Title: "cTrader", Colour: "#a3222b"}
		s.core = core.New(branding, s.Clock, s.Apps, s.Users)
		s.core.OnEnd = func(g emulator.Grant) { s.announce(Ended{Grant: g}) }
		s.settings = core.NewSettings(s.Knobs)
		s.mux = http.NewServeMux()
		s.mux.HandleFunc("/my/settings/openapi/grantingaccess/{$}", s.serveAuthorize)
		s.mux.HandleFunc("/apps/auth", s.serveAuthorize)
		s.mux.HandleFunc("/apps/token", s.serveToken)
		s.mux.Handle(emulator.AdminPath, s.core.Admin(s.settings))
		s.mux.HandleFunc("/", s.core.NotFound)
	})
}

// ServeHTTP answers as the venue does.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.start()
	s.mux.ServeHTTP(w, r)
}

// Name is "ctrader".
func (s *Server) Name() string { return "ctrader" }

// Current is a copy of the knobs as they stand.
func (s *Server) Current() Knobs { s.start(); return s.settings.Current() }

// Tune moves knobs of the running server, as in
//
//	s.Tune(func(k *ctrader.Knobs) { k.EchoState = true })
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
	return s.core.Tokens.RefreshAlive(s.core.Clock.Now(), refresh, s.Current().filled().policy())
}

// RevokeUser takes back everything the user allowed, as he can on his cTrader ID
// page (cTrader facts §1.7), and returns how many consents that were.
func (s *Server) RevokeUser(name string) int { s.start(); return s.core.RevokeUser(name) }

// Reset puts everything back to where the server started.
func (s *Server) Reset() { s.start(); s.settings.Reset(); s.core.Reset() }
