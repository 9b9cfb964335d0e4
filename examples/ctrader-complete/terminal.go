package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/emulator"
)

// terminal.go owns the conversation with the user who signs in.

// terminal prints the address to open; the listener on this machine receives the answer.
// At an emulated venue a made-up person visits the address.
type terminal struct{ person *emulator.Person }

var _ venuekey.UI = (*terminal)(nil)

// Visit implements venuekey.UI.
func (t *terminal) Visit(ctx context.Context, visit venuekey.Visit) error {
	if visit.URL == "" { // another program has the port, and would get the code
		return errors.New(visit.NotListening)
	}
	fmt.Println("open this address in a browser:", visit.URL)
	if t.person != nil {
		go func() { _ = t.person.Visit(ctx, visit.URL) }() // the listener gets the outcome
	}
	return nil
}

// Paste implements venuekey.UI. This program only listens.
func (*terminal) Paste(ctx context.Context) (string, error) {
	<-ctx.Done()
	return "", ctx.Err()
}

// Ask implements venuekey.UI. cTrader asks no questions.
func (*terminal) Ask(context.Context, []venuekey.Field) (map[string]venuekey.Secret, error) {
	return nil, errors.ErrUnsupported
}

// Tell implements venuekey.UI.
func (*terminal) Tell(line string) { fmt.Println(line) }
