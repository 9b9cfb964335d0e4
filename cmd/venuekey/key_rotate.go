package main

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/key"
	"github.com/venuekey/venuekey/local"
)

// key_rotate.go owns replacing the key while programs run.

type keyRotateFlags struct{ prepare, alone bool }

func (p *program) keyRotateCmd() *cobra.Command {
	var flags keyRotateFlags
	cmd := &cobra.Command{
		Use:   "rotate",
		Short: "Seal everything with a new key, while programs run",
		Long: `Create a new key, kept like the old one, and seal every record with it. Running
programs go on: they find the new key when they read something sealed with it. A
sign-in that is being renewed is waited for. You can interrupt this; the next
run continues with the same key.

The old key is kept, because a program may just have written something with it.
Later, "venuekey key retire" destroys it.

If several machines share a database, each of them needs the new key first:

  venuekey key rotate --prepare      # on one machine: creates it, seals nothing
  venuekey key export keys.age       # there
  venuekey key import keys.age       # on each of the others
  venuekey key rotate                # on one machine
  venuekey key retire                # on each, some time later

Keep a copy of the new key too.`,
		Example:           "  venuekey key rotate",
		Args:              nothing,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.withKeys(cmd.Context(), func(v *local.Vault) error { return p.keyRotate(cmd.Context(), v, flags) })
		},
	}
	cmd.Flags().BoolVar(&flags.prepare, "prepare", false, "create the new key, and seal nothing with it yet")
	cmd.Flags().BoolVar(&flags.alone, "alone", false, "no other machine shares the database")
	return cmd
}

// rotated is the result of a rotation.
type rotated struct {
	Key     string `json:"key"`
	Where   string `json:"where,omitempty"`
	Sealed  int    `json:"sealed"`
	Damaged int    `json:"damaged"`
}

func (p *program) keyRotate(ctx context.Context, v *local.Vault, flags keyRotateFlags) error {
	all, current, err := v.Place.Keys().IDs()
	if err != nil {
		return v.Place.KeyError(err)
	}
	newest := all[len(all)-1]
	unfinished, err := sealedWithAny(ctx, v, olderThan(all, current))
	switch {
	case err != nil:
		return err
	case flags.prepare:
		return p.prepareKey(ctx, v)
	case newest != current: // it was prepared
	case unfinished > 0:
		p.tell("continuing an earlier rotation that did not finish; run this again for a new key")
	case v.Place.Address().IsDatabase() && !flags.alone:
		return misused("venuekey key rotate --prepare, or --alone if no other machine shares the database",
			"the machines that share the database need the new key before anything is sealed with it")
	default:
		if err := p.addKey(ctx, v, nil); err != nil {
			return err
		}
	}
	return p.rekey(ctx, v)
}

func (p *program) prepareKey(ctx context.Context, v *local.Vault) error {
	_, current, err := keyOrder(ctx, v)
	if err != nil {
		return err
	}
	if err := v.Place.Keys().Follow(current); err != nil { // or the next key would be there already
		return v.Place.KeyError(err)
	}
	var made rotated
	if err := p.addKey(ctx, v, &made); err != nil {
		return err
	}
	return p.say(made, "key %s is created and seals nothing yet: copy it to the other machines (venuekey key export here, venuekey key import there), then run venuekey key rotate", made.Key)
}

// addKey creates the key after the one that seals. It reports it in made, or to the user if
// that is nil.
func (p *program) addKey(ctx context.Context, v *local.Vault, made *rotated) error {
	info, err := v.Place.Keys().Add(ctx)
	if errors.Is(err, key.ErrExists) {
		return &venuekey.Error{Op: "key", Class: venuekey.ClassMisconfigured, Err: err, Reason: "the next key is prepared already", Remedy: "venuekey key rotate"}
	}
	if err != nil {
		return v.Place.KeyError(err)
	}
	if made == nil {
		p.tell("a new key was created in %s; keep a copy: without it the vault cannot be opened", info.Where)
		return nil
	}
	*made = rotated{Key: info.ID, Where: info.Where}
	return nil
}

// rekey makes the newest key the one that seals, and seals everything with it.
func (p *program) rekey(ctx context.Context, v *local.Vault) error {
	id, done, err := v.Rekey(ctx, func(done venuekey.Rekeyed) {
		p.progress("%d records sealed, waiting for %d that are being renewed", done.Sealed, done.Waiting)
	})
	p.progress("")
	if err != nil {
		return err
	}
	if err := p.say(rotated{Key: id, Sealed: done.Sealed, Damaged: done.Damaged},
		"%d records are now sealed with key %s; the old key still opens what programs wrote meanwhile: later, run venuekey key retire", done.Sealed, id); err != nil {
		return err
	}
	if done.Damaged > 0 {
		p.tell("%d records do not open with any key and are unchanged: venuekey store check names them", done.Damaged)
		return codeOnly(exitFailed)
	}
	return nil
}

// sealedWithAny counts what is sealed with one of the keys.
func sealedWithAny(ctx context.Context, v *local.Vault, ids []string) (total int, err error) {
	if len(ids) == 0 {
		return 0, nil
	}
	counts, err := v.Keeper.Census(ctx)
	for _, id := range ids {
		total += counts[id].Records + counts[id].Spills
	}
	return total, err
}
