// Command bot signs in once, streams quotes of a demo account and places an order. The
// sign-in is in this user's vault, so "venuekey status" shows it, and the next run does
// not ask again.
//
//	venuekey app add ctrader --client-id 1234_abc
//	go run ./examples/bot
//
// With the variables that "venuekey emulate" prints, it uses an emulated cTrader.
package main

import (
	"context"
	"fmt"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/local"
	"github.com/venuekey/venuekey/terminal"
	"github.com/venuekey/venuekey/venue/ctrader/openapi/message"
)

func main() {
	ctx, id := context.Background(), venuekey.ID{Venue: "ctrader", Name: "bot"}
	vault := must(local.Config{}.Create(ctx)) // the same vault as the command's
	defer vault.Close()
	if _, err := vault.Token(ctx, id); venuekey.NeedsSignIn(err) {
		must(vault.SignIn(ctx, id, &terminal.UI{})) // once: a human and a browser
	}
	client := must(vault.CTrader(ctx, id)).Client(false) // every demo account; stays authorised
	go client.Run(ctx)
	if err := client.Ready(ctx); err != nil {
		panic(err)
	}
	account, symbol, bid := client.State().Accounts[0].ID, int64(1), uint64(0)
	quotes := must(client.Spots(ctx, account, []int64{symbol}))
	for range 3 {
		bid = must(quotes.Next(ctx)).Bid.Or(bid) // a quote has only what changed
		fmt.Println("bid", message.FormatPrice(bid))
	}
	order := message.NewOrderReq{CtidTraderAccountID: account, SymbolID: symbol, OrderType: message.OrderTypeMarket, TradeSide: message.TradeSideBuy, Volume: 100_000}
	fmt.Println("order:", must(client.NewOrder(ctx, &order)).ExecutionType)
}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}
