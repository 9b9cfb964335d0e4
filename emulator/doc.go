// Package emulator lets you test against emulated trading venues instead of a live
// trading account. It has what all venues share: made-up users and apps, a [Person] with
// a browser, a [Fault] to inject, a [Rotation] of refresh tokens, a [Clock] to move and an
// event [Log]. The venues are in its subpackages. Each has a Server, which is a [Venue]
// and whose zero value is ready to use:
//
//	venue := new(ctrader.Server)
//	web := httptest.NewServer(venue)
//	defer web.Close()
//	venue.Inject(emulator.Fault{On: emulator.AtRefresh, Kind: emulator.FaultDropAfter})
//	person := emulator.Person{Name: "alice", Password: "wonderland"}
//	err := person.Visit(ctx, authorizeURL) // signs in, allows, calls the app back
//
// Without configuration a server knows [DefaultApp] and [DefaultUsers]. Set the Knobs of
// a Server before the first request to change how the venue behaves, and call Tune
// afterwards. Events returns what happened. Events, errors and the admin endpoint show
// fingerprints of tokens, but never tokens, secrets or passwords.
//
// # The admin endpoint
//
// Every venue has an admin endpoint under /_emulator/, which speaks JSON and answers
// clients on loopback only. Fields have their Go names, in any case; durations are
// strings such as "90s". Most requests return the venue's state.
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

// AdminPath is the path of every venue's admin endpoint.
const AdminPath = "/_emulator/"
