// Package emulator has the words in which a test speaks to an emulated venue: made-up
// users and apps, a person with a browser, faults, ways of rotation, a movable clock and
// an event log. The venues themselves are its subpackages; each is a [Venue] whose zero
// value is ready, so that nobody has to test against a live trading account:
//
//	venue := new(ctrader.Server)
//	web := httptest.NewServer(venue)
//	defer web.Close()
//	venue.Inject(emulator.Fault{On: emulator.AtRefresh, Kind: emulator.FaultDropAfter})
//	person := emulator.Person{Name: "alice", Password: "wonderland"}
//	err := person.Visit(ctx, authorizeURL) // signs in, allows, calls the app back
//
// A server that is told nothing knows [DefaultApp] and [DefaultUsers]. How a
// venue behaves is set by the Knobs in its Server before the first request, and
// by Tune afterwards. What it did is in Events; events, errors and the admin
// endpoint carry fingerprints of tokens, never tokens, secrets or passwords.
//
// # The admin endpoint
//
// Every venue answers under /_emulator/ in JSON, to clients on loopback only.
// Fields go by their names in Go, in any case; durations are strings. Most
// requests answer with the state.
//
//	curl http://localhost:9100/_emulator/state
//	curl http://localhost:9100/_emulator/events?since=12
//	curl -d '{"advance":"1h"}'                     http://localhost:9100/_emulator/clock
//	curl -d '{"set":"2026-01-02T15:04:05Z"}'       http://localhost:9100/_emulator/clock
//	curl -d '{"on":"refresh","kind":"drop-after"}' http://localhost:9100/_emulator/faults
//	curl -d '{"kind":"status-before","status":429,"retryAfter":"30s","times":-1}' http://localhost:9100/_emulator/faults
//	curl -X DELETE                                 http://localhost:9100/_emulator/faults
//	curl -d '{"rotation":"grace-new-pair","grace":"10s"}' http://localhost:9100/_emulator/knobs
//	curl -d '{"name":"carol","password":"x","id":7,"accounts":[{"id":70,"login":700,"live":true}]}' http://localhost:9100/_emulator/users
//	curl -d '{"clientID":"my-app","clientSecret":"s","redirectURIs":["http://localhost:8080/cb"]}' http://localhost:9100/_emulator/apps
//	curl -d '{"user":"alice"}'                     http://localhost:9100/_emulator/revoke
//	curl -X POST                                   http://localhost:9100/_emulator/reset
package emulator

// AdminPath is where the admin endpoint of every venue lies.
const AdminPath = "/_emulator/"
