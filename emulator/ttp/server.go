package ttp

import (
	"net/http"
	"sync"

	"github.com/venuekey/venuekey/emulator"
	"github.com/venuekey/venuekey/emulator/internal/core"
)

// server.go owns the server: its fields and its start.

// Server is an emulated TTP, and an [emulator.Venue]. The zero value is ready to use. The
// fields are read when it is first used and must not be changed afterwards; Tune changes
// knobs.
type Server struct {
	core.Base // Clock, and the methods of [emulator.Venue]
	Knobs     Knobs
	// Apps are the registered apps; empty means [emulator.DefaultApp].
	Apps []emulator.App
	// Users are the people with an account on the site; empty means
	// [emulator.DefaultUsers].
	Users []emulator.User

	once     sync.Once
	core     *core.Core
	settings *core.Settings[Knobs]
	mux      *http.ServeMux
}

var _ emulator.Venue = (*Server)(nil)

func (s *Server) start() {
	s.once.Do(func() {
		s.settings = core.NewSettings(s.Knobs)
		s.core = core.Start(&s.Base, core.Setup{
			Branding: core.Branding{Name: "ttp", Title: "TheTradingParrot", Colour: "#1f6f43"},
			Apps:     s.Apps, Users: s.Users, Knobs: s.settings,
			Policy: func() core.Policy { return s.settings.Current().filled().policy() },
		})
		s.mux = s.addresses()
	})
}

// ServeHTTP answers as the venue does.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.start()
	s.mux.ServeHTTP(w, r)
}

// Current returns a copy of the current knobs.
func (s *Server) Current() Knobs { s.start(); return s.settings.Current() }

// Tune changes knobs of the running server:
//
//	s.Tune(func(k *ttp.Knobs) { k.RequestToken = true })
func (s *Server) Tune(change func(*Knobs)) { s.start(); s.settings.Tune(change) }

// RefreshAlive implements [emulator.Venue]. It is false for every refresh token while
// RefuseRefresh is set.
func (s *Server) RefreshAlive(refresh string) bool {
	return !s.Current().RefuseRefresh && s.Base.RefreshAlive(refresh)
}
