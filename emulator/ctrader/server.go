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

import (
	"net/http"
	"sync"

	"github.com/venuekey/venuekey/emulator"
	"github.com/venuekey/venuekey/emulator/internal/core"
)

// server.go owns the server: its fields, its start, its paths.

// Server is an emulated cTrader, and an [emulator.Venue]. The zero value is ready. The
// fields are read when it is first used, and must not be changed from then on; Tune
// moves knobs.
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

// Current is a copy of the knobs as they stand.
func (s *Server) Current() Knobs { s.start(); return s.settings.Current() }

// Tune moves knobs of the running server, as in
//
//	s.Tune(func(k *ctrader.Knobs) { k.EchoState = true })
func (s *Server) Tune(change func(*Knobs)) { s.start(); s.settings.Tune(change) }
