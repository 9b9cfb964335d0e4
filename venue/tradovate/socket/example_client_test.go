package socket_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"

	"github.com/venuekey/venuekey/emulator/tradovate"
	"github.com/venuekey/venuekey/venue/tradovate/message"
	"github.com/venuekey/venuekey/venue/tradovate/socket"
)

// A program that follows a user's orders: the snapshot, what changes it, and after an
// interruption the snapshot again.
func ExampleClient() {
	venue := new(tradovate.Server)
	endpoint, web := emulated(venue.Demo()) // socket.Demo() for the real one
	defer web.Close()
	defer venue.CloseSockets()
	client := socket.For(signedIn(web), endpoint) // keeper.Source(id) for the real one
	client.Sync = &socket.Sync{Users: []int64{1001}, EntityTypes: []string{"order"}}
	ctx, stop := context.WithCancel(context.Background())
	events := client.Events(socket.Buffer{}, socket.EventSnapshot, socket.EventProps, socket.EventGap)
	ended := make(chan error)
	go func() { ended <- client.Run(ctx) }()
	show := func() {
		event, err := events.Next(ctx)
		if err != nil {
			fmt.Println(err)
			return
		}
		type order struct{ OrdStatus string }
		var data struct {
			Orders []order // of a snapshot
			Entity order   // of a change
		}
		err = json.Unmarshal(event.Data, &data)
		fmt.Println(event.Kind, data.Orders, data.Entity, err)
	}
	show()
	answer, err := client.Do(ctx, socket.Request{Endpoint: "order/placeorder", Body: map[string]any{
		"accountId": 5001, "action": "Buy", "symbol": "ESZ6", "orderQty": 1, "orderType": "Limit", "price": 6800}})
	fmt.Println(string(answer), err)
	show()
	venue.CutSockets()
	show()
	show()
	client.Rotated() // a Keeper's Watch says when
	fmt.Println(client.Ready(ctx), client.State().Phase)
	found, err := client.Do(ctx, socket.Request{Endpoint: "contract/find", Query: url.Values{"name": {"CLF7"}}})
	fmt.Println(len(found) > 0, err)
	stop()
	fmt.Println(<-ended)
	// Output:
	// snapshot [] {} <nil>
	// {"orderId":1001} <nil>
	// props [] {Working} <nil>
	// gap [] {} <nil>
	// snapshot [{Working}] {} <nil>
	// <nil> ready
	// true <nil>
	// context canceled
}

// A user's state as entities: what there was, and then what becomes of it.
func ExampleClient_Changes() {
	venue := new(tradovate.Server)
	endpoint, web := emulated(venue) // socket.Live() for the real one
	defer web.Close()
	defer venue.CloseSockets()
	client := socket.For(signedIn(web), endpoint)
	client.Sync = &socket.Sync{Users: []int64{1001}, EntityTypes: []string{"user", "order", "position"}}
	changes := client.Changes(socket.Buffer{})
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	ended := make(chan error)
	go func() { ended <- client.Run(ctx) }()
	for change := range changes.All(ctx) {
		if change.Kind == socket.KindGap {
			continue // between change.From and change.To anything may have happened
		}
		if user, ok := change.Entity.(*message.User); ok {
			fmt.Println(change.Kind, user.Name, user.Status)
			break
		}
	}
	stop()
	fmt.Println(<-ended)
	// Output:
	// Snapshot alice Active
	// context canceled
}

// Market data has a host and a token of its own.
func ExampleClient_Quotes() {
	venue := new(tradovate.Server)
	_, web := emulated(venue)
	defer web.Close()
	endpoint, market := emulated(venue.MarketData()) // socket.MarketData() for the real one
	defer market.Close()
	defer venue.CloseSockets()
	endpoint.Role = socket.RoleMarketData // presents the market-data token, if there is one
	client := socket.For(signedIn(web), endpoint)
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	ended := make(chan error)
	go func() { ended <- client.Run(ctx) }()
	quotes, err := client.Quotes(ctx, 3001)
	if err != nil {
		fmt.Println(err)
		return
	}
	for quote := range quotes.All(ctx) {
		fmt.Println(quote.ContractID, quote.Bid.Size.Value, quote.Bid.Price.Set)
		break
	}
	quotes.Close()
	depth, err := client.Depth(ctx, 3002)
	fmt.Println(depth != nil, err)
	histogram, err := client.Histograms(ctx, 3003)
	fmt.Println(histogram != nil, err)
	bars, err := client.Chart(ctx, 3001, socket.Chart{
		Description: map[string]any{"underlyingType": "MinuteBar", "elementSize": 1, "elementSizeUnit": "UnderlyingUnits"},
		TimeRange:   map[string]any{"asMuchAsElements": 10},
	})
	fmt.Println(bars != nil, err)
	raw, err := client.Raw(ctx, socket.FeedQuotes, 3001) // as the venue sends them
	fmt.Println(raw != nil, err)
	packets, err := client.RawChart(ctx, 3001, socket.Chart{TimeRange: map[string]any{"asMuchAsElements": 10}})
	fmt.Println(packets != nil, err)
	stop()
	fmt.Println(<-ended)
	// Output:
	// 3001 33 true
	// true <nil>
	// true <nil>
	// true <nil>
	// true <nil>
	// true <nil>
	// context canceled
}

// A user whom the venue serves from another host than most: the sign-in names it.
func ExampleFor() {
	venue := new(tradovate.Server)
	usual, web := emulated(venue.Demo())
	defer web.Close()
	others, second := emulated(venue.Demo())
	defer second.Close()
	defer venue.CloseSockets()
	venue.Tune(func(k *tradovate.Knobs) { k.APIHosts, k.DemoHost = true, others.Address })
	usual.Role = socket.RoleDemo // as socket.Demo() has
	client := socket.For(signedIn(web), usual)
	client.OnState = func(s socket.State) { fmt.Println(s.Phase, s.Address == others.Address) }
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() { ended <- client.Run(ctx) }()
	if err := client.Ready(ctx); err != nil {
		fmt.Println(err)
	}
	stop()
	fmt.Println(<-ended)
	// Output:
	// connecting false
	// connecting true
	// restoring true
	// ready true
	// idle false
	// context canceled
}

// The venue's hosts, for endpoints of one's own.
func ExampleEndpoint() {
	for _, e := range []socket.Endpoint{socket.Live(), socket.Demo(), socket.MarketData(), socket.DemoMarketData(), socket.Replay()} {
		fmt.Println(e.Role, e.Address)
	}
	// Output:
	// live live.tradovateapi.com
	// demo demo.tradovateapi.com
	// mdLive md.tradovateapi.com
	// mdDemo md-demo.tradovateapi.com
	// replay replay.tradovateapi.com
}
