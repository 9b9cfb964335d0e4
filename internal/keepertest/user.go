package keepertest

import (
	"context"
	"errors"
	"testing"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/emulator"
)

// user.go owns the users who sign in to an emulated venue.

// Browser is a UI whose user has a browser and knows the password.
type Browser struct {
	Person emulator.Person
	Failed chan error // receives the outcome of the visit once; it needs a buffer of one
}

// Visit implements venuekey.UI.
func (b Browser) Visit(ctx context.Context, visit venuekey.Visit) error {
	go func() { b.Failed <- b.Person.Visit(ctx, visit.URL) }()
	return nil
}

// Paste implements venuekey.UI.
func (Browser) Paste(context.Context) (string, error) { return "", errors.ErrUnsupported }

// Ask implements venuekey.UI.
func (b Browser) Ask(context.Context, []venuekey.Field) (map[string]venuekey.Secret, error) {
	b.Failed <- nil
	return map[string]venuekey.Secret{"name": venuekey.Secret(b.Person.Name), "password": venuekey.Secret(b.Person.Password)}, nil
}

// Tell implements venuekey.UI.
func (Browser) Tell(string) {}

// SignIn signs the emulator's alice in under an ID.
func SignIn(t testing.TB, keeper *venuekey.Keeper, id venuekey.ID) *venuekey.Token {
	t.Helper()
	ui := Browser{Person: emulator.Person{Name: "alice", Password: "wonderland"}, Failed: make(chan error, 1)}
	token, err := keeper.SignInWith(t.Context(), id, ui, venuekey.SignInOptions{EndOldest: true})
	if err != nil {
		t.Fatal(err)
	}
	if err := <-ui.Failed; err != nil {
		t.Fatalf("the user's browser: %v", err)
	}
	return token
}

// Paster is a user who pastes the address at which the browser ends up.
type Paster struct {
	Person emulator.Person
	URL    chan string // the address to visit; it needs a buffer of one
}

// Visit implements venuekey.UI.
func (p Paster) Visit(_ context.Context, visit venuekey.Visit) error {
	p.URL <- visit.Elsewhere
	return nil
}

// Paste implements venuekey.UI.
func (p Paster) Paste(ctx context.Context) (string, error) {
	select {
	case address := <-p.URL:
		return p.Person.Redirected(ctx, address)
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

// Ask implements venuekey.UI.
func (p Paster) Ask(context.Context, []venuekey.Field) (map[string]venuekey.Secret, error) {
	return map[string]venuekey.Secret{"name": "alice", "password": "wonderland"}, nil
}

// Tell implements venuekey.UI.
func (Paster) Tell(string) {}
