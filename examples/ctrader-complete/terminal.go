package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/emulator"
)

// terminal.go owns the user who signs in.

// terminal is how the sign-in talks to a human: the address is printed, and the
// listener on this machine hears of the rest. At an emulated venue a made-up
// person visits it.
type terminal struct{ person *emulator.Person }

var _ venuekey.UI = (*terminal)(nil)

// Visit implements venuekey.UI.
func (t *terminal) Visit(ctx context.Context, visit venuekey.Visit) error {
	if visit.URL == "" { // somebody else has the port, and would get the code
		return errors.New(visit.NotListening)
	}
	fmt.Println("open this address in a browser:", visit.URL)
	if t.person != nil {
		go func() { _ = t.person.Visit(ctx, visit.URL) }() // what comes of it comes to the listener
	}
	return nil
}

// Paste implements venuekey.UI. This program only listens.
func (*terminal) Paste(ctx context.Context) (string, error) {
	<-ctx.Done()
	return "", ctx.Err()
}

// Ask implements venuekey.UI. cTrader asks nothing.
func (*terminal) Ask(context.Context, []venuekey.Field) (map[string]venuekey.Secret, error) {
	return nil, errors.ErrUnsupported
}

// Tell implements venuekey.UI.
func (*terminal) Tell(line string) { fmt.Println(line) }
