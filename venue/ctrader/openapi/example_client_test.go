package openapi_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/emulator"
	"github.com/venuekey/venuekey/emulator/ctrader"
	emulated "github.com/venuekey/venuekey/emulator/ctrader/openapi"
	"github.com/venuekey/venuekey/venue/ctrader/openapi"
	"github.com/venuekey/venuekey/venue/ctrader/openapi/message"
)

// example_client_test.go owns the examples of the Client. They run against an emulated
// service; for the real one, leave out Endpoint, and take Token and Rejected from a
// venuekey.Source.

// eurusd is a symbol of the emulated service.
const eurusd = 1

// emulatedClient runs a Client against a new emulated service, until stop is called.
func emulatedClient(edit func(*openapi.Client)) (client *openapi.Client, service *emulated.Server, stop func()) {
	service = &emulated.Server{Venue: new(ctrader.Server), Knobs: emulated.Knobs{QuoteEvery: -1}}
	if err := service.Start(); err != nil {
		panic(err)
	}
	pair := service.Venue.Issue(emulator.Grant{User: "alice", Client: "demo-client", Scope: "trading"})
	client = &openapi.Client{
		ClientID: "demo-client", ClientSecret: "demo-secret",
		Token:    func(context.Context) (venuekey.Secret, error) { return venuekey.Secret(pair.Access), nil },
		Endpoint: openapi.Endpoint{Address: service.Addresses().DemoProtobuf, TLS: &tls.Config{RootCAs: service.CA()}},
	}
	if edit != nil {
		edit(client)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		_ = client.Run(ctx)
		close(ended)
	}()
	return client, service, func() {
		cancel()
		<-ended
		service.Close()
	}
}

// Each request is a method, which waits until the account is ready.
func ExampleClient_Trader() {
	client, _, stop := emulatedClient(nil)
	defer stop()
	answer, err := client.Trader(context.Background(), &message.TraderReq{CtidTraderAccountID: demoAccount})
	fmt.Println(answer.Trader.CtidTraderAccountID, err)
	// Output: 5001 <nil>
}

// A stream subscribes, and does so again after each reconnect, until it is closed.
func ExampleClient_Spots() {
	client, service, stop := emulatedClient(nil)
	defer stop()
	ctx := context.Background()
	quotes, err := client.Spots(ctx, demoAccount, []int64{eurusd})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer quotes.Close()
	service.Quote("EURUSD", 107850, 107853)
	for quote := range quotes.All(ctx) {
		if quote.Bid.Or(0) == 107850 {
			fmt.Println(message.FormatPrice(quote.Bid.Or(0)), message.FormatPrice(quote.Ask.Or(0)))
			break
		}
	}
	fmt.Println(quotes.Dropped(), "dropped")
	// Output:
	// 1.0785 1.07853
	// 0 dropped
}

// Accounts can join and leave while the Client runs. If an account is refused, Join returns
// an error, and the other accounts are not affected.
func ExampleClient_Join() {
	client, _, stop := emulatedClient(func(c *openapi.Client) { c.JoinOnly = true })
	defer stop()
	ctx := context.Background()
	fmt.Println(client.Join(ctx, demoAccount))
	err := client.Join(ctx, 999)
	var refused *openapi.Error
	fmt.Println(errors.As(err, &refused), refused.Code)
	client.Leave(999)
	for _, account := range client.State().Accounts {
		fmt.Println(account.ID, account.Ready)
	}
	// Output:
	// <nil>
	// true CH_CTID_TRADER_ACCOUNT_NOT_FOUND
	// 5001 true
}

// Streams of an account that leaves end with ErrLeft.
func ExampleClient_Leave() {
	client, _, stop := emulatedClient(nil)
	defer stop()
	ctx := context.Background()
	quotes, err := client.Spots(ctx, demoAccount, []int64{eurusd})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer quotes.Close()
	client.Leave(demoAccount)
	for err == nil { // events that are waiting can still be read
		_, err = quotes.Next(ctx)
	}
	fmt.Println(errors.Is(err, openapi.ErrLeft))
	// Output: true
}

// A handler runs on the goroutine that reads the connection, and needs no allocations.
func ExampleHandle() {
	client, service, stop := emulatedClient(nil)
	defer stop()
	bids := make(chan int64, 16)
	end := openapi.Handle(client, func(quote *message.SpotEvent) { bids <- int64(quote.Bid.Or(0)) })
	defer end()
	subscription, err := client.Subscribe(context.Background(), &message.SubscribeSpotsReq{CtidTraderAccountID: demoAccount, SymbolID: []int64{eurusd}})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer subscription.Close()
	service.Quote("EURUSD", 107850, 107853)
	for bid := range bids {
		if bid == 107850 {
			fmt.Println(bid)
			return
		}
	}
	// Output: 107850
}

// A stream of all executions of all orders, whichever program placed them.
func ExampleEvents() {
	client, _, stop := emulatedClient(nil)
	defer stop()
	ctx := context.Background()
	executions := openapi.Events[message.ExecutionEvent](client, openapi.Buffer{Block: true}) // none may be dropped
	defer executions.Close()
	go func() {
		_, _ = client.NewOrder(ctx, &message.NewOrderReq{
			CtidTraderAccountID: demoAccount, SymbolID: eurusd, OrderType: message.OrderTypeMarket,
			TradeSide: message.TradeSideBuy, Volume: 1000_00,
		})
	}()
	for execution := range executions.All(ctx) {
		fmt.Println(execution.ExecutionType)
		if execution.ExecutionType == message.ExecutionTypeOrderFilled {
			break
		}
	}
	// Output:
	// ORDER_ACCEPTED
	// ORDER_FILLED
}

// An error says whether the same request may be sent again. The functions of package venuekey
// work for it too: a declined order, for example, does not call for a sign-in.
func ExampleError_SafeToRetry() {
	client, _, stop := emulatedClient(nil)
	defer stop()
	_, err := client.NewOrder(context.Background(), &message.NewOrderReq{
		CtidTraderAccountID: demoAccount, SymbolID: eurusd, OrderType: message.OrderTypeMarket,
		TradeSide: message.TradeSideBuy, Volume: 1, // of a lot of 100 000.00
	})
	var declined *openapi.Error
	if errors.As(err, &declined) {
		fmt.Println(declined.Code, declined.SafeToRetry(), declined.MayBeDone())
	}
	fmt.Println(venuekey.ClassOf(err), venuekey.NeedsSignIn(err), venuekey.Temporary(err))
	// Output:
	// TRADING_BAD_VOLUME false false
	// declined false false
}

// A program that shows the state of the connection uses State and OnState.
func ExampleClient_State() {
	phases := make(chan openapi.Phase, 16)
	client, _, stop := emulatedClient(func(c *openapi.Client) { c.OnState = func(s openapi.State) { phases <- s.Phase } })
	if err := client.Ready(context.Background()); err != nil {
		fmt.Println(err)
	}
	fmt.Println(client.State().Phase, client.State().Err)
	stop()
	close(phases)
	for phase := range phases {
		fmt.Println("was", phase)
	}
	// Output:
	// ready <nil>
	// was connecting
	// was authorising
	// was ready
	// was idle
}

// Do sends a request whose type is chosen at run time, and Notify receives events of any
// type.
func ExampleClient_Notify() {
	client, service, stop := emulatedClient(nil)
	defer stop()
	ctx := context.Background()
	changes := client.Notify(message.TypeSymbolChangedEvent)
	defer changes.Close()
	answer, err := client.Do(ctx, &message.AssetListReq{CtidTraderAccountID: demoAccount})
	fmt.Printf("%T %v\n", answer, err)
	client.Rotated() // the token has changed: call Token now, not within a second

	service.Push(&message.SymbolChangedEvent{CtidTraderAccountID: demoAccount, SymbolID: []int64{eurusd}})
	event, err := changes.Next(ctx)
	fmt.Printf("%T %v\n", event, err)
	// Output:
	// *message.AssetListRes <nil>
	// *message.SymbolChangedEvent <nil>
}

// Order books and bars are streams, as quotes are.
func ExampleClient_Depth() {
	client, _, stop := emulatedClient(nil)
	defer stop()
	ctx := context.Background()
	book, err := client.Depth(ctx, demoAccount, []int64{eurusd})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer book.Close()
	bars, err := client.Trendbars(ctx, demoAccount, eurusd, message.TrendbarPeriodM1)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer bars.Close()
	change, err := book.Next(ctx)
	fmt.Println(change.SymbolID, err)
	// Output:
	// 1 <nil>
}

// Remedy is what a person can do about an error. Demo and Live are the service's addresses.
func ExampleError_Remedy() {
	fmt.Println(openapi.Demo().Address, openapi.Live().Address)
	refused := &openapi.Error{Class: venuekey.ClassDeclined, Code: "MARKET_CLOSED"}
	fmt.Printf("%q\n", refused.Remedy())
	// Output:
	// demo.ctraderapi.com live.ctraderapi.com
	// ""
}
