// Package venuetest is the contract of venuekey.Venue, as tests.
//
// The author of a venue calls Run with a function that gives it and a server that
// answers as the real one does:
//
//	func TestVenue(t *testing.T) {
//		venuetest.Run(t, func(t testing.TB) venuetest.Subject {
//			server := &acmeemu.Server{}
//			return venuetest.Subject{
//				Venue:    acme.Venue{},
//				App:      venuekey.App{ClientID: "demo-client", ClientSecret: "demo-secret", RedirectURI: "http://127.0.0.1:0/callback"},
//				Server:   server,
//				Person:   emulator.Person{Name: "alice", Password: "wonderland"},
//				TakeBack: func() { server.RevokeUser("alice") },
//				Alive:    func(access venuekey.Secret) bool { return server.Alive(string(access)) },
//			}
//		})
//	}
//
// The server needs no faults of its own. Run puts something before it that cuts
// connections, breaks off answers, puts pages in their place and repeats what was sent,
// before the server has acted and after, and looks at everything that the venue sends.
//
// What is asked of a venue, besides signing in and renewing:
//
//   - What renews is presented once for each call of Refresh, and a code or a password
//     once for each sign-in, whatever is answered.
//   - The class of an error says what became of the request. Nothing but the venue's own
//     word is a refusal; what was sent and not answered is unknown.
//   - No secret is in an error, in a line for the user, in an identity or in a log.
//   - Nothing is sent along a redirect, and nothing runs on after a call returned.
//   - The policy is true of the server: what it says dies dies, and what it says lives
//     lives.
//
// The optional interfaces that a venue has are tested too: Registrar, Prober, Revoker,
// Identifier.
package venuetest

import (
	"net/http"
	"testing"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/emulator"
)

// venuetest.go owns Run and what it is given.

// Subject is a venue under test, and what stands in for the real one.
type Subject struct {
	// Venue is tested. It has to ask at the address that the app names as "base"; see
	// venuekey.App.URL.
	Venue venuekey.Venue
	// App is registered at the server. Run fills in Venue and URLs["base"]. A
	// RedirectURI on loopback with port 0 takes any port, so the server must too.
	App venuekey.App
	// Server answers as the venue does: its pages, token requests and all. The pages
	// have to be such that an emulator.Person can use them: forms, or a redirect at once.
	Server http.Handler
	// Person is a user of the server, with the password for its pages. If the venue asks
	// for name and password itself, these are what it gets.
	Person emulator.Person
	// TakeBack ends all that the user has allowed, as on the venue's own pages.
	TakeBack func()
	// Alive reports whether the server takes an access token. Asking uses nothing up.
	Alive func(access venuekey.Secret) bool
}

// Run checks the contract. Each of its tests calls open once for a subject of its own.
func Run(t *testing.T, open func(t testing.TB) Subject) {
	for _, chapter := range contract {
		t.Run(chapter.name, func(t *testing.T) {
			for _, test := range chapter.tests {
				t.Run(test.name, func(t *testing.T) { test.run(start(t, open(t))) })
			}
		})
	}
}

// contract is the whole of it.
var contract = []chapter{
	{"registration", registration}, {"sign-in", signIns}, {"renewal", renewals}, {"lost answers", lostAnswers}, {"policy", policies},
	{"around", around}, {"keeper", kept},
}

// chapter is a part of the contract.
type chapter struct {
	name  string
	tests []test
}

// test is one sentence of the contract.
type test struct {
	name string
	run  func(s *stage)
}
