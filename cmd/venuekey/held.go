package main

import (
	"context"
	"slices"
	"strings"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/local"
)

// held.go owns the time in which this program holds the only copy of a renewed
// token, because neither the vault nor a spill folder takes it. It does not end
// then by itself: somebody can still make room, and what is lost cannot be had
// again.

// settled is what the Keeper answered. Where it answered that the token is in
// memory only, it is waited for until something takes it.
func (p *program) settled(ctx context.Context, v *local.Vault, id venuekey.ID, token *venuekey.Token, err error) (*venuekey.Token, error) {
	if err == nil || !slices.Contains(v.Keeper.Held(), id) {
		return token, err
	}
	if err := p.keepHeld(ctx, v); err != nil {
		return nil, err
	}
	return v.Keeper.Token(ctx, id)
}

// keepHeld tries until everything that is held is kept, and says what a human can
// do meanwhile.
func (p *program) keepHeld(ctx context.Context, v *local.Vault) (err error) {
	held := v.Keeper.Held()
	if len(held) == 0 {
		return nil
	}
	p.orderly()
	var names []string
	for _, id := range held {
		names = append(names, id.String())
	}
	whose := strings.Join(names, ", ")
	end := "Ctrl-C twice"
	if ctx.Err() != nil {
		end = "Ctrl-C again"
	}
	p.tell("the only copy of the renewed token of %s is in this program's memory: neither the vault nor a spill folder takes it\n"+
		"  try: make room on the disk of one of these, or make it writable; until then it is tried all the time: %s\n"+
		"  %s ends this program all the same. The token is then lost, and only signing in again helps.", whose, strings.Join(append([]string{v.Place.Address().String()}, v.Place.Spills()...), ", "), end)
	stop := context.AfterFunc(ctx, func() {
		if end == "Ctrl-C twice" {
			p.tell("Ctrl-C again loses the renewed token of %s", whose)
		}
	})
	defer stop()
	for len(held) > 0 {
		err = v.Keeper.Close()
		held = v.Keeper.Held()
	}
	if err == nil {
		p.tell("the renewed token of %s is kept now", whose)
	}
	return err
}
