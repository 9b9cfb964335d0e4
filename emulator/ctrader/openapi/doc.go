// Package openapi emulates the servers of the cTrader Open API: a host for live accounts
// and one for demo accounts, each with a port for protobuf and one for JSON. Every port
// accepts TCP and WebSocket, over TLS with a generated certificate. The server shares the
// apps, users and tokens of an emulated cTrader, so that a token from there is accepted
// here:
//
//	venue := new(ctrader.Server)
//	api := &openapi.Server{Venue: venue}
//	if err := api.Start(); err != nil { ... }
//	defer api.Close()
//	pair := venue.Issue(emulator.Grant{User: "alice", Client: "demo-client", Scope: "trading", Accounts: []int64{5001}})
//	// connect to api.Addresses().DemoProtobuf, trusting api.CA()
//
// It behaves as the fact sheet "cTrader facts" in this module's documentation says; it has
// not been compared with the real service. What the sheet leaves open is a switch in
// [Knobs]. [Server.Inject] makes connections go wrong. [Server.Log] records what was
// received and what became of it, and contains no tokens or secrets.
//
// Every request of the protocol is answered. Behind the answers is a small market: a few
// symbols whose prices move, accounts with a balance, and orders of all types, which fill
// when the price reaches them. It calculates in integers, and is deterministic: the same
// seed and the same requests give the same result.
//
// The market has no weekends, swaps or stop-outs.
package openapi
