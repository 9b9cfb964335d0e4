package openapi_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"log"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/emulator/ctrader"
	emulated "github.com/venuekey/venuekey/emulator/ctrader/openapi"
	"github.com/venuekey/venuekey/venue/ctrader/openapi"
	"github.com/venuekey/venuekey/venue/ctrader/openapi/message"
)

// A Client gets its token from a venuekey.Source: Source.Access returns the current one, and
// Source.Newer a newer one when the service rejects it.
func ExampleClient() {
	stream := func(ctx context.Context, app venuekey.App, source *venuekey.Source, account, symbol int64) error {
		client := &openapi.Client{
			ClientID: app.ClientID, ClientSecret: app.ClientSecret,
			Token: source.Access, Rejected: source.Newer,
		}
		go client.Run(ctx)
		quotes, err := client.Spots(ctx, account, []int64{symbol})
		if err != nil {
			return err
		}
		for quote := range quotes.All(ctx) {
			if bid, ok := quote.Bid.Get(); ok {
				fmt.Println(message.FormatPrice(bid))
			}
		}
		return client.State().Err
	}
	_ = stream // complete programs are in the folder examples
}

// A single connection, for programs that do the rest themselves, here to an emulated service.
func ExampleDial() {
	service := &emulated.Server{Venue: new(ctrader.Server)}
	if err := service.Start(); err != nil {
		log.Fatal(err)
	}
	defer service.Close()

	ctx := context.Background()
	conn, err := openapi.Dial(ctx, openapi.Endpoint{
		Address: service.Addresses().DemoProtobuf, TLS: &tls.Config{RootCAs: service.CA()},
	}, openapi.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer conn.Close()
	if _, err = conn.ApplicationAuth(ctx, &message.ApplicationAuthReq{ClientID: "demo-client", ClientSecret: "wrong"}); err != nil {
		fmt.Println(venuekey.ClassOf(err))
	}
	// Output: misconfigured
}

// A request that was encoded elsewhere is sent as is, and its answer is returned as is. The
// ID is the caller's.
func ExampleConn_Exchange() {
	service := &emulated.Server{Venue: new(ctrader.Server)}
	if err := service.Start(); err != nil {
		log.Fatal(err)
	}
	defer service.Close()

	ctx := context.Background()
	conn, err := openapi.Dial(ctx, openapi.Endpoint{
		Address: service.Addresses().DemoJSON, WebSocket: true, JSON: true, TLS: &tls.Config{RootCAs: service.CA()},
	}, openapi.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer conn.Close()
	answer, err := conn.Exchange(ctx, message.Envelope{
		Type: message.TypeApplicationAuthReq, ID: "mine",
		Payload: []byte(`{"clientId":"demo-client","clientSecret":"demo-secret","ofAnotherYear":7}`),
	})
	fmt.Println(answer.Type, answer.ID, err)
	// Output: PROTO_OA_APPLICATION_AUTH_RES mine <nil>
}
