package wire_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"log"
	"net"
	"time"

	"github.com/venuekey/venuekey/emulator/ctrader"
	emulated "github.com/venuekey/venuekey/emulator/ctrader/openapi"
	"github.com/venuekey/venuekey/venue/ctrader/openapi/message"
	"github.com/venuekey/venuekey/venue/ctrader/openapi/wire"
)

// A client asks an emulated service for its version.
func ExampleDial() {
	service := &emulated.Server{Venue: new(ctrader.Server)}
	if err := service.Start(); err != nil {
		log.Fatal(err)
	}
	defer service.Close()

	conn, err := wire.Dial(context.Background(), wire.Endpoint{
		Address: service.Addresses().DemoProtobuf, TLS: &tls.Config{RootCAs: service.CA()},
	}, wire.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer conn.Close()
	if err := conn.Write(message.Envelope{Type: message.TypeVersionReq, ID: "1"}); err != nil {
		log.Fatal(err)
	}
	var answer message.Envelope
	if err := conn.Read(&answer); err != nil {
		log.Fatal(err)
	}
	fmt.Println(answer.Type, answer.ID)
	// Output: PROTO_OA_VERSION_RES 1
}

// A server refuses its first client, and shuts down so that the refusal arrives.
func ExampleNew() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	defer listener.Close()
	served := make(chan error, 1)
	go func() {
		accepted, err := listener.Accept()
		if err != nil {
			served <- err
			return
		}
		conn := wire.New(accepted, wire.Options{MaxFrame: 1 << 20}) // of tls.NewListener with TLS
		defer conn.Close()
		var req message.Envelope
		_ = conn.SetReadDeadline(time.Now().Add(30 * time.Second))
		if err := conn.Read(&req); err != nil {
			served <- err
			return
		}
		payload, _ := (&message.ErrorRes{ErrorCode: "CH_CLIENT_NOT_AUTHENTICATED"}).AppendBinary(nil)
		_ = conn.Write(message.Envelope{Type: message.TypeErrorRes, Payload: payload, ID: req.ID})
		served <- conn.Shutdown(time.Second)
	}()

	nc, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		log.Fatal(err)
	}
	client := wire.New(nc, wire.Options{})
	var answer message.Envelope
	_ = client.Write(message.Envelope{Type: message.TypeTraderReq, ID: "1"})
	_ = client.Read(&answer)
	client.Close()
	m, err := message.Decode(answer.Type, answer.Payload)
	fmt.Println(m.(*message.ErrorRes).ErrorCode, err, <-served)
	// Output: CH_CLIENT_NOT_AUTHENTICATED <nil> <nil>
}
