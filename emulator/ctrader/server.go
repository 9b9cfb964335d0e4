// Package ctrader emulates how cTrader signs users in: the consent page and the token
// endpoint of its Open API. It behaves as the fact sheet "cTrader facts" in this module's
// documentation says; it has not been compared with the real service. The Open API itself
// is emulated by the subpackage openapi.
//
// It serves
//
//	/my/settings/openapi/grantingaccess/   consent page, at the documented address
//	/apps/auth                             consent page, at the official libraries' address
//	/apps/token                            exchanges a code or refresh token for tokens
//	/_emulator/                            admin endpoint, see package emulator
//
// Behaviour that surprises clients is on by default: state is not sent back; errors have
// status 200, an errorCode and no description; a refresh token is single-use, and also ends
// when the user allows the same app again; and a refresh ends the old access token at once.
// [Knobs] has all switches.
package ctrader

import (
	"net/http"
	"sync"

	"github.com/venuekey/venuekey/emulator"
	"github.com/venuekey/venuekey/emulator/internal/core"
)

// server.go owns the server: its fields, its start, its paths.

// Server is an emulated cTrader, and an [emulator.Venue]. The zero value is ready to use.
// The fields are read when it is first used and must not be changed afterwards; Tune
// changes knobs.
type Server struct {
	core.Base // Clock, and the methods of [emulator.Venue]
	Knobs     Knobs
	// Apps are the registered apps; empty means [emulator.DefaultApp].
	Apps []emulator.App
	// Users are the people with a cTrader ID; empty means [emulator.DefaultUsers].
	Users []emulator.User

	once     sync.Once
	core     *core.Core
	settings *core.Settings[Knobs]
	mux      *http.ServeMux

	watching sync.Mutex
	watchers []*func(Ended)
}

var _ emulator.Venue = (*Server)(nil)

func (s *Server) start() {
	s.once.Do(func() {
		s.settings = core.NewSettings(s.Knobs)
		s.core = core.Start(&s.Base, core.Setup{
			Branding: core.Branding{Name: "ctrader", Title: "cTrader", Colour: "#a3222b"},
			Apps:     s.Apps, Users: s.Users, Knobs: s.settings,
			Policy: func() core.Policy { return s.settings.Current().filled().policy() },
			OnEnd:  func(g emulator.Grant) { s.announce(Ended{Grant: g}) },
		})
		s.mux = http.NewServeMux()
		s.mux.HandleFunc("/my/settings/openapi/grantingaccess/{$}", s.serveAuthorize)
		s.mux.HandleFunc("/apps/auth", s.serveAuthorize)
		s.mux.HandleFunc("/apps/token", s.serveToken)
		s.mux.Handle(emulator.AdminPath, s.core.Admin())
		s.mux.HandleFunc("/", s.core.NotFound)
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
//	s.Tune(func(k *ctrader.Knobs) { k.EchoState = true })
func (s *Server) Tune(change func(*Knobs)) { s.start(); s.settings.Tune(change) }
