package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/local"
)

// key_retire.go owns destroying keys that no longer seal anything.

func (p *program) keyRetireCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "retire",
		Short: "Destroy old keys that no longer seal anything",
		Long: `Destroy the keys of this machine that are older than the one that seals. Nothing
is destroyed while a record, or a renewed token in a spill file, is still sealed
with one of them.

First wait until every program has noticed the rotation: each does so when it
next reads a sign-in.`,
		Example:           "  venuekey key retire",
		Args:              nothing,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.withKeys(cmd.Context(), func(v *local.Vault) error { return p.keyRetire(cmd.Context(), v) })
		},
	}
}

func (p *program) keyRetire(ctx context.Context, v *local.Vault) error {
	all, current, err := keyOrder(ctx, v)
	if err != nil {
		return err
	}
	needed, err := sealedWithAny(ctx, v, olderThan(all, current))
	if err != nil {
		return err
	}
	if needed > 0 {
		return &venuekey.Error{Op: "key", Class: venuekey.ClassMisconfigured, Reason: fmt.Sprintf("%d records or spill files are still sealed with an older key", needed),
			Remedy: "venuekey key rotate, which finishes the earlier rotation; then try again"}
	}
	keys := v.Place.Keys()
	if err := keys.Follow(current); err != nil {
		return v.Place.KeyError(err)
	}
	retired, err := keys.Retire()
	if err != nil {
		return v.Place.KeyError(err)
	}
	form := map[string][]string{"retired": append([]string{}, retired...)}
	if len(retired) == 0 {
		return p.say(form, "there is no old key")
	}
	return p.say(form, "destroyed: %s", strings.Join(retired, ", "))
}
