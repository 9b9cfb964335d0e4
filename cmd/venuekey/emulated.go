package main

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/venuekey/venuekey/emulator"
	"github.com/venuekey/venuekey/emulator/ctrader"
	"github.com/venuekey/venuekey/emulator/ctrader/openapi"
	"github.com/venuekey/venuekey/emulator/defined"
	"github.com/venuekey/venuekey/emulator/tradovate"
	"github.com/venuekey/venuekey/emulator/ttp"
	"github.com/venuekey/venuekey/venue/defined/definition"
)

// emulated.go owns the emulated venues as demo and emulate run them: which ones there are,
// and on which ports.

// emulated is one emulated venue: its hosts, and what its app is known by.
type emulated struct {
	venue  string
	title  string
	hosts  []emulatedHost
	server emulator.Venue
	knobs  any    // its switches, which can be set until it is used
	tokens string // the path of its token endpoint
	// noClient says that an app is not known by a client ID, and fields are what else it has.
	noClient bool
	fields   map[string]string
	// api is cTrader's Open API, which is not HTTP.
	api *openapi.Server
	// sockets closes the WebSockets, which an http.Server does not know; nil if there
	// are none.
	sockets func()
}

// emulatedHost is one address of an emulated venue.
type emulatedHost struct {
	// url is its name among the app's addresses; "" if the app reaches it through
	// another.
	url string
	// name says which host it is, if a venue has more than one.
	name    string
	port    int // after the base of all ports
	handler http.Handler
}

// emulatedVenues returns the venues, not yet serving. With anyRedirect they send users back
// to any port of this machine, which real venues do not.
func emulatedVenues(anyRedirect bool) []emulated {
	signIn := &ctrader.Server{Knobs: ctrader.Knobs{AnyLoopbackRedirect: anyRedirect}}
	trader := &tradovate.Server{Knobs: tradovate.Knobs{AnyLoopbackRedirect: anyRedirect}}
	site := &ttp.Server{Knobs: ttp.Knobs{AnyLoopbackRedirect: anyRedirect}}
	return []emulated{
		{venue: "ctrader", title: "cTrader", tokens: "/apps/token", server: signIn, knobs: &signIn.Knobs, hosts: []emulatedHost{
			{url: "base", port: 1, handler: signIn},
		}, api: &openapi.Server{Venue: signIn}},
		{venue: "tradovate", title: "Tradovate", tokens: "/auth/oauthtoken", server: trader, knobs: &trader.Knobs, hosts: []emulatedHost{
			{url: "base", name: "live", port: 2, handler: trader},
			{url: "demo", name: "demo", port: 3, handler: trader.Demo()},
			{url: "md", name: "md", port: 9, handler: trader.MarketData()},
		}, sockets: trader.CloseSockets},
		{venue: "ttp", title: "TheTradingParrot", tokens: "/oauth/token", server: site, knobs: &site.Knobs, hosts: []emulatedHost{
			{url: "base", port: 4, handler: site},
		}},
	}
}

// firstDefinedPort is that of the first venue that a file describes.
const firstDefinedPort = 10

// emulatedFrom returns the venue that a definition describes.
func emulatedFrom(d *definition.Definition, port int) emulated {
	server := &defined.Server{Definition: d}
	e := emulated{venue: d.Name, title: cmp.Or(d.About, d.Name), server: server, knobs: &server.Knobs, noClient: d.Client == definition.ClientNone,
		fields: map[string]string{}, hosts: []emulatedHost{{url: "base", port: port, handler: server}}}
	for name, value := range rehearsedApp(d, "").Params {
		e.fields[name] = string(value) // made up
	}
	return e
}

// emulatedApp is the app that every emulated venue knows.
func emulatedApp() emulator.App { return emulator.DefaultApp() }

// servers are servers on loopback, started and stopped together.
type servers struct {
	// secure has every server speak TLS; nil means plain HTTP.
	secure  *tls.Config
	running []*http.Server
	others  []io.Closer
	serving sync.WaitGroup
}

// serve answers at an address of this machine until stop.
func (s *servers) serve(address string, handler http.Handler) (at string, err error) {
	socket, err := net.Listen("tcp", address)
	if err != nil {
		return "", err
	}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 5 * time.Second, ErrorLog: log.New(io.Discard, "", 0)}
	s.running = append(s.running, server)
	if s.secure != nil {
		server.TLSConfig = s.secure.Clone() // net/http writes to it
		s.serving.Go(func() { _ = server.ServeTLS(socket, "", "") })
		return "https://" + socket.Addr().String(), nil
	}
	s.serving.Go(func() { _ = server.Serve(socket) })
	return "http://" + socket.Addr().String(), nil
}

// stop ends all of them, and waits until nothing runs.
func (s *servers) stop() error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	var failed error
	for _, other := range s.others {
		failed = errors.Join(failed, other.Close())
	}
	for _, server := range s.running {
		if server.Shutdown(ctx) != nil {
			failed = errors.Join(failed, server.Close())
		}
	}
	s.serving.Wait()
	return failed
}
