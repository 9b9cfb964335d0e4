// Package openapi emulates the servers of the cTrader Open API: one host for
// live and one for demo accounts, each with a port for protobuf and one for
// JSON, each port for TCP and for WebSocket, all under TLS with a certificate
// of its own. It knows the apps, users and tokens of an emulated cTrader, so
// that a token of the one opens accounts of the other:
//
//	venue := new(ctrader.Server)
//	api := &openapi.Server{Venue: venue}
//	if err := api.Start(); err != nil { ... }
//	defer api.Close()
//	pair := venue.Issue(emulator.Grant{User: "alice", Client: "demo-client", Scope: "trading", Accounts: []int64{5001}})
//	// connect to api.Addresses().DemoProtobuf, trusting api.CA()
//
// It behaves as the fact sheet "cTrader facts" has it; nothing in it has met
// the real service. What the sheet does not know is a switch in [Knobs]. What
// can go wrong on a wire is ordered with [Server.Inject]. What was received and
// what became of it is in [Server.Log], which holds no token and no secret.
//
// Every request of the protocol is answered. Behind the answers is a small
// market: a few symbols whose prices move, accounts with a balance, and orders
// of all types that fill when a price crosses. All of it is in whole numbers,
// and from the same seed and the same requests comes the same result.
//
// The market knows no weekends, no swaps and no stop-outs.
package openapi
