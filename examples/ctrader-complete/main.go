// Command ctrader-complete is the complete flow in one program, without package local:
// sign in once with a browser and a listener on this machine, keep the token sealed on
// disk, connect to the account's environment, read and stream, through a renewal.
//
// By default it uses an emulated cTrader. With VENUEKEY_CTRADER_CLIENT_ID and
// …_CLIENT_SECRET in the environment it uses the real one, and the redirect URI
// http://localhost:8080/auth/callback must be registered.
//
//	go run ./examples/ctrader-complete
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/examples/internal/stand"
	"github.com/venuekey/venuekey/key"
	"github.com/venuekey/venuekey/store/sqlite"
	"github.com/venuekey/venuekey/venue/ctrader"
	"github.com/venuekey/venuekey/venue/ctrader/openapi"
	"github.com/venuekey/venuekey/venue/ctrader/openapi/message"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

var alice = venuekey.ID{Venue: "ctrader", Name: "alice"}

func run(ctx context.Context) error {
	venue, err := stand.Open()
	if err != nil {
		return err
	}
	defer venue.Close()

	// The vault: a file, and the key that seals it; here in a temporary folder.
	folder, err := os.MkdirTemp("", "ctrader-complete-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	keys := key.Config{Dir: filepath.Join(folder, "key")}
	if _, _, err := keys.Create(ctx, key.ChoiceFile); err != nil {
		return err
	}
	store, err := sqlite.Open(ctx, filepath.Join(folder, "vault", "vault.db"))
	if err != nil {
		return err
	}
	defer store.Close()
	vault, _, err := keys.Vault(ctx, store)
	if err != nil {
		return err
	}
	keeper := &venuekey.Keeper{Vault: vault, Venues: []venuekey.Venue{ctrader.Venue{}}}
	defer keeper.Close()

	// Once: save the app, and let a human sign in.
	if err := keeper.Vault.SaveApp(ctx, venue.App); err != nil {
		return err
	}
	if _, err := keeper.SignIn(ctx, alice, &terminal{person: venue.Person}); err != nil {
		return err
	}

	// From then on: a valid token whenever the program asks.
	source := keeper.Source(alice)
	account, err := firstAccount(ctx, venue, source)
	if err != nil {
		return err
	}
	client := clientFor(venue, source, account)
	ctx, end := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- client.Run(ctx) }()
	err = trade(ctx, client, keeper, int64(account.CtidTraderAccountID))
	end()
	return errors.Join(err, ignoreCancel(<-ended))
}

// firstAccount lists the accounts of the token. Either environment knows them all.
func firstAccount(ctx context.Context, venue *stand.CTrader, source *venuekey.Source) (message.CtidTraderAccount, error) {
	token, err := source.Token(ctx)
	if err != nil {
		return message.CtidTraderAccount{}, err
	}
	conn, err := openapi.Dial(ctx, venue.Demo, openapi.Options{})
	if err != nil {
		return message.CtidTraderAccount{}, err
	}
	defer conn.Close()
	if _, err := conn.ApplicationAuth(ctx, &message.ApplicationAuthReq{ClientID: venue.App.ClientID, ClientSecret: venue.App.ClientSecret}); err != nil {
		return message.CtidTraderAccount{}, err
	}
	list, err := conn.GetAccountListByAccessToken(ctx, &message.GetAccountListByAccessTokenReq{AccessToken: token.Access})
	if err != nil {
		return message.CtidTraderAccount{}, err
	}
	for _, a := range list.CtidTraderAccount {
		fmt.Printf("account %d, live %v, login %v\n", a.CtidTraderAccountID, a.IsLive.Or(false), a.TraderLogin.Or(0))
	}
	if len(list.CtidTraderAccount) == 0 {
		return message.CtidTraderAccount{}, errors.New("the sign-in has no account")
	}
	return list.CtidTraderAccount[0], nil
}

// clientFor returns a Client for the account, in its environment.
func clientFor(venue *stand.CTrader, source *venuekey.Source, account message.CtidTraderAccount) *openapi.Client {
	client := &openapi.Client{
		Live: account.IsLive.Or(false), Endpoint: venue.Demo,
		ClientID: venue.App.ClientID, ClientSecret: venue.App.ClientSecret,
		Accounts: []int64{int64(account.CtidTraderAccountID)},
		Token:    source.Access, Rejected: source.Newer,
	}
	if client.Live {
		client.Endpoint = venue.Live
	}
	return client
}

func trade(ctx context.Context, client *openapi.Client, keeper *venuekey.Keeper, account int64) error {
	trader, err := client.Trader(ctx, &message.TraderReq{CtidTraderAccountID: account})
	if err != nil {
		return err
	}
	fmt.Println("balance", message.FormatMoney(trader.Trader.Balance, trader.Trader.MoneyDigits.Or(2)))
	symbols, err := client.SymbolsList(ctx, &message.SymbolsListReq{CtidTraderAccountID: account})
	if err != nil {
		return err
	}
	first := symbols.Symbol[0]
	spots, err := client.Spots(ctx, account, []int64{first.SymbolID})
	if err != nil {
		return err
	}
	defer spots.Close()
	for n := range 6 {
		quote, err := spots.Next(ctx)
		if err != nil {
			return err
		}
		if bid, ok := quote.Bid.Get(); ok {
			fmt.Println(first.SymbolName.Or("?"), "bid", message.FormatPrice(bid))
		}
		if n == 2 { // usually the Keeper does this when it is due
			if _, err := keeper.Refresh(ctx, alice); err != nil {
				return err
			}
			fmt.Println("the token was renewed; the stream goes on")
		}
	}
	return nil
}

func ignoreCancel(err error) error {
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}
