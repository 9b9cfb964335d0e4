// Command ctrader-code is the short flow: an authorize address, the redirected address
// pasted back, a token, the next token. It saves nothing. A program that should stay
// signed in lets the Keeper do all of this: see ctrader-complete.
//
// By default a made-up person signs in to an emulated cTrader and pastes. With
// VENUEKEY_CTRADER_CLIENT_ID and …_CLIENT_SECRET in the environment, you sign in to the
// real one.
//
//	go run ./examples/ctrader-code
package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/venuekey/venuekey/examples/internal/stand"
	"github.com/venuekey/venuekey/venue/ctrader"
)

func main() {
	if err := run(context.Background()); err != nil {
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
	auth := ctrader.Auth{ClientID: venue.App.ClientID, ClientSecret: venue.App.ClientSecret, RedirectURI: "http://localhost:8080/auth/callback"}
	authorize, token := "", "" // cTrader's own addresses
	if venue.Emulated() {
		authorize, token = venue.App.URLs["base"]+"/apps/auth", venue.App.URLs["base"]+"/apps/token"
	}

	// 1. The address at which the user signs in.
	address, err := auth.AuthURI("trading", authorize)
	if err != nil {
		return err
	}
	fmt.Println("open:", address)

	// 2. The address that the browser was redirected to. Nothing has to listen there.
	redirected, err := pasted(ctx, venue, address)
	if err != nil {
		return err
	}
	code, err := auth.Code(redirected)
	if err != nil {
		return err
	}

	// 3. Exchange the code for a token, within a minute.
	got, err := auth.Token(ctx, code, token)
	if err != nil {
		return err
	}
	fmt.Println("token", got.Access, "expires", got.Expires.UTC().Format("2006-01-02"))

	// 4. Exchange the refresh token for the next token. It works once: save the new one
	// before you do anything else.
	next, err := auth.RefreshToken(ctx, got.Refresh, token)
	if err != nil {
		return err
	}
	fmt.Println("token", next.Access, "is another one:", next.Access != got.Access)
	return nil
}

// pasted returns the address that a human pastes, or that a made-up person is sent to.
func pasted(ctx context.Context, venue *stand.CTrader, address string) (string, error) {
	if venue.Person != nil {
		return venue.Person.Redirected(ctx, address)
	}
	fmt.Print("paste the address that the browser ended up at: ")
	line, err := bufio.NewReader(os.Stdin).ReadString('\n')
	return strings.TrimSpace(line), err
}
