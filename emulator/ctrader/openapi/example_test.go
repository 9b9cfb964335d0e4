package openapi_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/emulator"
	"github.com/venuekey/venuekey/emulator/ctrader"
	"github.com/venuekey/venuekey/emulator/ctrader/openapi"
	"github.com/venuekey/venuekey/venue/ctrader/openapi/message"
)

// example_test.go owns the examples of the emulated Open API.

// ask sends a request over a connection and reads one answer.
func ask(conn net.Conn, request message.Message) message.Message {
	payload, err := request.AppendBinary(nil)
	if err != nil {
		panic(err)
	}
	if _, err := conn.Write(message.AppendFrame(nil, message.Envelope{Type: request.PayloadType(), Payload: payload, ID: "1"})); err != nil {
		panic(err)
	}
	return read(conn)
}

// read reads one message.
func read(conn net.Conn) message.Message {
	body, err := (&message.FrameReader{Reader: conn}).Next()
	if err != nil {
		panic(err)
	}
	var envelope message.Envelope
	if err := envelope.UnmarshalBinary(body); err != nil {
		panic(err)
	}
	answer, err := message.Decode(envelope.Type, envelope.Payload)
	if err != nil {
		panic(err)
	}
	return answer
}

// The server listens on ports that the system chooses, with a certificate issued by its CA.
// Its users, apps and tokens are those of an emulated cTrader.
func ExampleServer() {
	server := &openapi.Server{Venue: new(ctrader.Server)}
	if err := server.Start(); err != nil {
		fmt.Println(err)
		return
	}
	defer server.Close()
	conn, err := tls.Dial("tcp", server.Addresses().DemoProtobuf, &tls.Config{RootCAs: server.CA(), ServerName: "localhost"})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer conn.Close()
	fmt.Printf("%T\n", ask(conn, &message.ApplicationAuthReq{ClientID: "demo-client", ClientSecret: "demo-secret"}))

	server.Inject(openapi.Fault{Kind: openapi.Refuse, Code: "CH_SERVER_NOT_REACHABLE"})
	pair := server.Venue.Issue(emulator.Grant{User: "alice", Client: "demo-client", Scope: "trading"})
	refused := ask(conn, &message.AccountAuthReq{CtidTraderAccountID: 5001, AccessToken: venuekey.Secret(pair.Access)})
	fmt.Println(refused.(*message.ErrorRes).ErrorCode)
	fmt.Println(server.Connections(), server.Log().Count(openapi.FaultInjected))
	// Output:
	// *message.ApplicationAuthRes
	// CH_SERVER_NOT_REACHABLE
	// 1 1
}

// A test sets the prices, and closes all connections.
func ExampleServer_Quote() {
	server := &openapi.Server{Venue: new(ctrader.Server), Knobs: openapi.Knobs{QuoteEvery: -1}} // prices do not move by themselves
	if err := server.Start(); err != nil {
		fmt.Println(err)
		return
	}
	defer server.Close()
	server.Quote("EURUSD", 107850, 107853)
	fmt.Println(server.Prices("EURUSD"))

	conn, err := tls.Dial("tcp", server.Addresses().LiveProtobuf, &tls.Config{RootCAs: server.CA(), ServerName: "localhost"})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer conn.Close()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	fmt.Println(server.Log().Wait(ctx, 1, openapi.Connected), server.HangUp())
	// Output:
	// 107850 107853
	// <nil> 1
}

// What is not known about the real service is a knob, which can be changed while the server
// runs.
func ExampleServer_Tune() {
	server := &openapi.Server{Venue: new(ctrader.Server)}
	defer server.Close()
	server.Tune(func(k *openapi.Knobs) { k.OneSessionPerAccount, k.CommonErrors = true, true })
	fmt.Println(server.Current().OneSessionPerAccount, server.Current().CommonErrors)
	// Output:
	// true true
}

// A test makes the server send what the real service sends by itself.
func ExampleServer_Push() {
	server := &openapi.Server{Venue: new(ctrader.Server), Knobs: openapi.Knobs{QuoteEvery: -1}}
	ours, theirs := net.Pipe() // no port and no TLS: virtual time goes on
	go server.ServeConn(theirs, false, false)
	defer server.Close()
	fmt.Printf("%T\n", ask(ours, &message.ApplicationAuthReq{ClientID: "demo-client", ClientSecret: "demo-secret"}))
	pair := server.Venue.Issue(emulator.Grant{User: "alice", Client: "demo-client", Scope: "trading", Accounts: []int64{5001}})
	fmt.Printf("%T\n", ask(ours, &message.AccountAuthReq{CtidTraderAccountID: 5001, AccessToken: venuekey.Secret(pair.Access)}))

	server.Push(&message.SymbolChangedEvent{CtidTraderAccountID: 5001, SymbolID: []int64{1}})
	fmt.Printf("%T\n", read(ours))
	server.Invalidate(5001) // DropAccounts ends the sessions with another event
	fmt.Printf("%T\n", read(ours))
	server.Maintenance(time.Now().Add(time.Hour))
	fmt.Println(ask(ours, &message.VersionReq{}).(*message.ErrorRes).ErrorCode)
	server.Maintenance(time.Time{})
	server.Disconnect("the server restarts")
	fmt.Printf("%T\n", read(ours))
	// Output:
	// *message.ApplicationAuthRes
	// *message.AccountAuthRes
	// *message.SymbolChangedEvent
	// *message.AccountsTokenInvalidatedEvent
	// SERVER_IS_UNDER_MAINTENANCE
	// *message.ClientDisconnectEvent
}

// Accounts start with a deposit, and can trade these symbols; a test can change both.
func ExampleServer_Deposit() {
	begins := openapi.DefaultDeposit()
	begins.Leverage = 30
	server := &openapi.Server{Venue: new(ctrader.Server), Symbols: openapi.DefaultSymbols()[:1], Deposits: map[int64]openapi.Deposit{5001: begins}}
	defer server.Close()
	server.Deposit(5001, 5_000_00) // and a withdrawal is a negative one
	fmt.Println(begins.Currency, begins.Balance, server.Symbols[0].Name)
	server.DropAccounts(5001) // with an event for each connection; there is none
	for _, event := range server.Events() {
		fmt.Println(event.Kind, event.Account, event.Detail)
	}
	// Output:
	// USD 1000000 EURUSD
	// order-event 5001 DEPOSIT_WITHDRAW
}

// A test can inject all kinds of faults, and remove them again.
func ExampleFaultKinds() {
	server := &openapi.Server{Venue: new(ctrader.Server)}
	defer server.Close()
	for _, kind := range openapi.FaultKinds() {
		fault := openapi.Fault{Kind: kind, Times: -1}
		if fault.Valid() == nil {
			server.Inject(fault)
		}
	}
	server.ClearFaults()
	fmt.Println(openapi.Fault{Kind: "earthquake"}.Valid())
	// Output:
	// openapi: unknown fault kind "earthquake"
}

// A client in another process gets the CA's certificate in a file.
func ExampleServer_CAPEM() {
	server := &openapi.Server{Venue: new(ctrader.Server)}
	defer server.Close()
	first, _, _ := strings.Cut(string(server.CAPEM()), "\n")
	fmt.Println(first)
	// Output:
	// -----BEGIN CERTIFICATE-----
}
