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
		Long: `Make a new key, kept as the old one is, and seal every record with it. Programs
that run go on: they find the new key when they come upon something sealed with
it. A sign-in that is being renewed is waited for. It can be interrupted; run
again it goes on with the same key.

The old key is kept, since a program may have written something with it just
now. When everything has settled, "venuekey key retire" destroys it.

Where several machines share a database, each of them needs the new key first:

  venuekey key rotate --prepare      # on one machine: makes it, seals nothing
  venuekey key export keys.age       # there
  venuekey key import keys.age       # on each of the others
  venuekey key rotate                # on one machine
  venuekey key retire                # on each, some time later

Keep a copy of the new key, as of the old one.`,
		Example:           "  venuekey key rotate",
		Args:              nothing,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.withKeys(cmd.Context(), func(v *local.Vault) error { return p.keyRotate(cmd.Context(), v, flags) })
		},
	}
	cmd.Flags().BoolVar(&flags.prepare, "prepare", false, "make the new key, and seal nothing with it yet")
	cmd.Flags().BoolVar(&flags.alone, "alone", false, "no other machine shares the database")
	return cmd
}

// rotated is what a rotation did.
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
		p.tell("an earlier rotation is not finished, and goes on; run it again for a new key")
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
	return p.say(made, "key %s is made and seals nothing yet: bring it to the other machines (venuekey key export, venuekey key import there), then run venuekey key rotate", made.Key)
}

// addKey makes the key after the one that seals. It reports it in made, or to the
// user where that is nil.
func (p *program) addKey(ctx context.Context, v *local.Vault, made *rotated) error {
	info, err := v.Place.Keys().Add(ctx)
	if errors.Is(err, key.ErrExists) {
		return &venuekey.Error{Op: "key", Class: venuekey.ClassMisconfigured, Err: err, Reason: "the next key is prepared already", Remedy: "venuekey key rotate"}
	}
	if err != nil {
		return v.Place.KeyError(err)
	}
	if made == nil {
		p.tell("a new key was made and lies in %s; keep a copy: without it nobody opens the vault", info.Where)
		return nil
	}
	*made = rotated{Key: info.ID, Where: info.Where}
	return nil
}

// rekey makes the newest key the one that seals, and seals everything with it.
func (p *program) rekey(ctx context.Context, v *local.Vault) error {
	id, done, err := v.Rekey(ctx, func(done venuekey.Rekeyed) {
		p.progress("%d records sealed anew, %d are being renewed and waited for", done.Sealed, done.Waiting)
	})
	p.progress("")
	if err != nil {
		return err
	}
	if err := p.say(rotated{Key: id, Sealed: done.Sealed, Damaged: done.Damaged},
		"%d records were sealed anew, with key %s; the old key still opens what programs wrote meanwhile: later, venuekey key retire", done.Sealed, id); err != nil {
		return err
	}
	if done.Damaged > 0 {
		p.tell("%d records do not open with any key, and stay as they are: venuekey store check names them", done.Damaged)
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
