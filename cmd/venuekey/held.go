package main

import (
	"context"
	"slices"
	"strings"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/local"
)

// held.go owns the time in which this process has the only copy of a renewed token, because
// it could be saved neither to the vault nor to a spill folder. The process does not exit
// then: a person can still make room, and a lost token cannot be had again.

// settled returns the Keeper's answer. If the token is in memory only, it first waits until
// the token is saved.
func (p *program) settled(ctx context.Context, v *local.Vault, id venuekey.ID, token *venuekey.Token, err error) (*venuekey.Token, error) {
	if err == nil || !slices.Contains(v.Keeper.Held(), id) {
		return token, err
	}
	if err := p.keepHeld(ctx, v); err != nil {
		return nil, err
	}
	return v.Keeper.Token(ctx, id)
}

// keepHeld tries until everything that is held is saved, and tells the person what to do
// meanwhile.
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
	p.tell("the only copy of the renewed token of %s is in this program's memory: it could be saved neither to the vault nor to a spill folder\n"+
		"  try: free space on one of these disks, or make it writable; saving is retried until then: %s\n"+
		"  %s ends this program anyway. The token is then lost, and you must sign in again.", whose, strings.Join(append([]string{v.Place.Address().String()}, v.Place.Spills()...), ", "), end)
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
		p.tell("the renewed token of %s is saved now", whose)
	}
	return err
}
