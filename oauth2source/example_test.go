package oauth2source_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"

	"golang.org/x/oauth2"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/oauth2source"
	"github.com/venuekey/venuekey/store/memory"
)

// A library that uses golang.org/x/oauth2 gets its tokens from the Keeper, which keeps
// the refresh token to itself.
func ExampleNew() {
	ctx := context.Background()
	keeper := &venuekey.Keeper{
		Vault:  &venuekey.Vault{Store: &memory.Store{}},
		Venues: []venuekey.Venue{venue{}}, // a made-up one
		Apps:   func(context.Context, string) (venuekey.App, error) { return venuekey.App{}, nil },
	}
	alice := venuekey.ID{Venue: "stage", Name: "alice"}
	if _, err := keeper.SignIn(ctx, alice, nil); err != nil {
		fmt.Println(err)
		return
	}
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, r.Header.Get("Authorization"))
	}))
	defer api.Close()

	client := oauth2.NewClient(ctx, oauth2source.New(ctx, keeper.Source(alice)))
	defer client.CloseIdleConnections()
	answer, err := client.Get(api.URL)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	fmt.Println(string(text), err)
	// Output:
	// Bearer access-1 <nil>
}
