package openapi_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"time"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/emulator"
	"github.com/venuekey/venuekey/emulator/ctrader"
	"github.com/venuekey/venuekey/emulator/ctrader/openapi"
	"github.com/venuekey/venuekey/venue/ctrader/openapi/message"
)

// example_test.go owns the manual of the emulated Open API.

// ask sends a request over a connection and reads one answer.
func ask(conn *tls.Conn, request message.Message) message.Message {
	payload, err := request.AppendBinary(nil)
	if err != nil {
		panic(err)
	}
	if _, err := conn.Write(message.AppendFrame(nil, message.Envelope{Type: request.PayloadType(), Payload: payload, ID: "1"})); err != nil {
		panic(err)
	}
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

// The server listens on ports that the system chooses, with a certificate that its CA
// vouches for; its users, apps and tokens are those of an emulated cTrader.
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

// A test says what the prices are, and hangs up on everybody.
func ExampleServer_Quote() {
	server := &openapi.Server{Venue: new(ctrader.Server), Knobs: openapi.Knobs{QuoteEvery: -1}} // prices do not walk
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

// What nobody knows of the real service is a knob, and moves while the server runs.
func ExampleServer_Tune() {
	server := &openapi.Server{Venue: new(ctrader.Server)}
	defer server.Close()
	server.Tune(func(k *openapi.Knobs) { k.OneSessionPerAccount, k.CommonErrors = true, true })
	fmt.Println(server.Current().OneSessionPerAccount, server.Current().CommonErrors)
	// Output:
	// true true
}
