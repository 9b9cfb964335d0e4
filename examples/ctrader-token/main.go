// Command ctrader-token uses a token that another program keeps: it connects, authorises
// the app and all demo accounts of the token, and queries their balances.
//
// By default it uses an emulated cTrader. For the real one, run it with venuekey, which
// puts the token into the environment:
//
//	go run ./examples/ctrader-token
//	VENUEKEY_CTRADER_CLIENT_ID=… VENUEKEY_CTRADER_CLIENT_SECRET=… \
//	  venuekey exec ctrader/alice -- go run ./examples/ctrader-token
package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/venuekey/venuekey/examples/internal/stand"
	"github.com/venuekey/venuekey/venue/ctrader/openapi"
	"github.com/venuekey/venuekey/venue/ctrader/openapi/message"
)

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	venue, err := stand.Open()
	if err != nil {
		return err
	}
	defer venue.Close()

	// All demo accounts of the token; Live: true would be all live ones.
	client := &openapi.Client{
		Endpoint: venue.Demo, ClientID: venue.App.ClientID, ClientSecret: venue.App.ClientSecret,
		Token: venue.Token,
	}
	ctx, end := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- client.Run(ctx) }()
	defer func() {
		end()
		<-ended
	}()
	if err := client.Ready(ctx); err != nil {
		return err
	}
	for _, account := range client.State().Accounts {
		trader, err := client.Trader(ctx, &message.TraderReq{CtidTraderAccountID: account.ID})
		if err != nil {
			return err
		}
		fmt.Println("account", account.ID, "balance", message.FormatMoney(trader.Trader.Balance, trader.Trader.MoneyDigits.Or(2)))
	}
	version, err := client.Version(ctx, &message.VersionReq{})
	if err != nil {
		return err
	}
	fmt.Println("the API is version", version.Version)
	return nil
}
