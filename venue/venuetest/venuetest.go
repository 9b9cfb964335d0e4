// Package venuetest is a conformance suite for implementations of venuekey.Venue.
//
// The author of a venue calls Run with a function that returns the venue and a server
// that behaves like the real one:
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
// The server needs no faults of its own. Run puts a proxy in front of it that cuts
// connections, truncates answers, replaces them by error pages and echoes requests, both
// before and after the server has acted. The proxy also records everything that the venue
// sends.
//
// Besides signing in and renewing, a venue must satisfy these rules:
//
//   - Each call of Refresh presents its token once, and each sign-in its code or password
//     once, whatever the answer is.
//   - The class of an error says what became of the request. Only the venue's own word is
//     a refusal. A request that was sent and not answered is ClassUnknown.
//   - No secret appears in an error, in a line for the user, in an identity or in the
//     log.
//   - Redirects are not followed, and nothing runs on after a call has returned.
//   - The policy describes the server: what it says expires or is revoked is, and what it
//     says stays valid does.
//
// The optional interfaces that the venue implements are tested as well: Registrar,
// Prober, Revoker, Identifier and Signer.
package venuetest

import (
	"net/http"
	"testing"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/emulator"
)

// venuetest.go owns Run and its Subject.

// Subject is a venue under test and the server that stands in for the real one. All
// fields but the last two are required.
type Subject struct {
	// Venue is the venue under test. It must send its requests to the app's address
	// "base"; see venuekey.App.URL.
	Venue venuekey.Venue
	// App is registered with the server. Run sets its Venue and URLs["base"]. A
	// RedirectURI on loopback with port 0 uses any free port, so the server must accept
	// any port.
	App venuekey.App
	// Server behaves like the venue: its pages, its token endpoint and everything else.
	// An emulator.Person must be able to use its pages: forms, or an immediate redirect.
	Server http.Handler
	// Person is a user of the server, with the password for its pages. If the venue asks
	// for name and password itself, it gets these.
	Person emulator.Person
	// TakeBack revokes all that the user has granted, as on the venue's own pages.
	TakeBack func()
	// Alive reports whether the server accepts an access token. It must use nothing up.
	Alive func(access venuekey.Secret) bool
	// CodeParam is the parameter of the redirect that holds the code; "" means code.
	CodeParam string
	// NotRenewed says that nothing renews a token of this venue: the user signs in again. The
	// tests of renewals are left out.
	NotRenewed bool
}

// Run tests a venue. Each test calls open once for a Subject of its own.
func Run(t *testing.T, open func(t testing.TB) Subject) {
	for _, chapter := range contract {
		t.Run(chapter.name, func(t *testing.T) {
			for _, test := range chapter.tests {
				t.Run(test.name, func(t *testing.T) {
					subject := open(t)
					if subject.NotRenewed && chapter.renews {
						t.Skip("nothing renews a token of this venue")
					}
					test.run(start(t, subject))
				})
			}
		})
	}
}

// contract lists all tests.
var contract = []chapter{
	{"registration", registration, false}, {"sign-in", signIns, false}, {"renewal", renewals, true}, {"lost answers", lostAnswers, true}, {"policy", policies, true},
	{"around", around, false}, {"keeper", kept, true},
}

// chapter is a group of tests.
type chapter struct {
	name  string
	tests []test
	// renews says that the tests renew tokens.
	renews bool
}

// test checks one rule; its name states the rule.
type test struct {
	name string
	run  func(s *stage)
}
