package backup

import (
	"context"
	"errors"

	"github.com/venuekey/venuekey"
)

// import.go owns importing a backup into a vault.

// Options are the options of an import.
type Options struct {
	// Replace replaces what the vault has with the backup's.
	Replace bool
	// Each, if set, is called with the outcome for each app and sign-in.
	Each func(Outcome)
}

// Outcome is the outcome for one app or sign-in of a backup.
type Outcome struct {
	// ID is the sign-in; for an app it has only the venue.
	ID venuekey.ID
	// App is the app; nil for a sign-in.
	App *venuekey.App
	// There means that the vault had it before, Changed that the backup's was imported.
	There, Changed bool
	// Newer means that the replaced token was newer than the backup's, whose refresh token
	// may be used up.
	Newer bool
}

// Import adds the apps and sign-ins of a backup to the Keeper's vault, apps first. It can be
// interrupted and called again. Doubts about a token, such as a lost answer, are imported
// with it. Call Check first: an error leaves what was imported before it.
func (b Backup) Import(ctx context.Context, keeper *venuekey.Keeper, options Options) error {
	report := options.Each
	if report == nil {
		report = func(Outcome) {}
	}
	for _, app := range b.Apps {
		about := venuekey.ID{Venue: app.Venue}
		_, err := keeper.Vault.App(ctx, app.Venue)
		// An app that cannot be opened is there too.
		there := venuekey.ClassOf(err) != venuekey.ClassMisconfigured || !errors.Is(err, venuekey.ErrNotFound)
		changed := !there || options.Replace
		if changed {
			if err := keeper.Vault.SaveApp(ctx, app); err != nil {
				return venuekey.About(about, "import", err)
			}
		}
		report(Outcome{ID: about, App: &app, There: there, Changed: changed})
	}
	for _, s := range b.SignIns {
		done, err := keeper.Restore(ctx, s, options.Replace)
		if err != nil {
			return venuekey.About(s.ID, "import", err)
		}
		report(Outcome{ID: s.ID, There: done.There, Changed: done.Changed, Newer: done.Newer})
	}
	return nil
}
