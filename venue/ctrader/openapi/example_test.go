package openapi_test

import (
	"context"
	"fmt"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/venue/ctrader/openapi"
	"github.com/venuekey/venuekey/venue/ctrader/openapi/message"
)

// A Client takes its token from a venuekey.Source: of Source.Access it has the
// token of the moment, and Source.Newer hears of one that the service refused.
func ExampleClient() {
	stream := func(ctx context.Context, app venuekey.App, source *venuekey.Source, account, symbol int64) error {
		client := &openapi.Client{
			ClientID: app.ClientID, ClientSecret: app.ClientSecret,
			Token: source.Access, Refused: source.Newer,
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
	_ = stream // programs that run are in the folder examples
}
