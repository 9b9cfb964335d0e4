// Package keepertest has stand-ins for tests of the Keeper: a venue that records every
// refresh token that it is shown, a store that refuses on demand, a user with a browser,
// and hooks at each step of a renewal. All of them implement interfaces that the Keeper
// uses; nothing here reaches into the root package.
package keepertest

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/store/memory"
)

// keepertest.go owns the Keeper under test and checks of it.

// Alice is the sign-in that most tests are about.
var Alice = venuekey.ID{Venue: "stage", Name: "alice"}

// Life is the lifetime of an access token that Venue issues.
const Life = time.Hour

// NoUI is a UI for venues that ask nothing.
type NoUI struct{ venuekey.UI }

// New returns a Keeper over the store, as one process would use it.
func New(t testing.TB, store venuekey.Store, venue venuekey.Venue) *venuekey.Keeper {
	t.Helper()
	keeper := &venuekey.Keeper{
		Vault:  &venuekey.Vault{Store: store, Key: venuekey.SealKey{1, 2, 3}},
		Venues: []venuekey.Venue{venue},
		Apps:   func(context.Context, string) (venuekey.App, error) { return venuekey.App{Venue: "stage"}, nil },
		Log:    slog.New(slog.NewTextHandler(io.Discard, nil)),
	}
	return keeper
}

// SignedIn returns a Keeper on a fresh store with Alice signed in.
func SignedIn(t testing.TB, venue *Venue) (*venuekey.Keeper, *Store) {
	t.Helper()
	store := &Store{Store: &memory.Store{}}
	keeper := New(t, store, venue)
	if _, err := keeper.SignIn(t.Context(), Alice, NoUI{}); err != nil {
		t.Fatal(err)
	}
	return keeper, store
}

// Populate signs n users in.
func Populate(t testing.TB, keeper *venuekey.Keeper, n int) (ids []venuekey.ID) {
	t.Helper()
	for i := range n {
		id := venuekey.ID{Venue: "stage", Name: fmt.Sprintf("user-%d", i)}
		if _, err := keeper.SignIn(t.Context(), id, NoUI{}); err != nil {
			t.Fatal(err)
		}
		ids = append(ids, id)
	}
	return ids
}

// WantToken checks Alice's access token.
func WantToken(t testing.TB, keeper *venuekey.Keeper, want string) {
	t.Helper()
	token, err := keeper.Token(t.Context(), Alice)
	if err != nil {
		t.Fatalf("token: %v", err)
	}
	if string(token.Access) != want {
		t.Fatalf("got %s, want %s", string(token.Access), want)
	}
	if token.Refresh != "" {
		t.Fatal("a token that was handed out carries its refresh token")
	}
}

// WantState checks the state of Alice's sign-in.
func WantState(t testing.TB, keeper *venuekey.Keeper, want venuekey.State, reason string) {
	t.Helper()
	status, err := keeper.Status(t.Context(), Alice)
	if err != nil {
		t.Fatal(err)
	}
	if status.State != want || !strings.Contains(status.Reason, reason) {
		t.Fatalf("state %q because %q, want %q because …%q…", status.State, status.Reason, want, reason)
	}
}
