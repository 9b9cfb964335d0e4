package backup

import (
	"context"
	"errors"

	"github.com/venuekey/venuekey"
)

// import.go owns how a backup that was read gets into a vault.

// Options say how a backup is imported.
type Options struct {
	// Replace takes the backup's in place of what the vault holds.
	Replace bool
	// Each, if set, is called with what became of each app and sign-in.
	Each func(Outcome)
}

// Outcome is what became of one app or sign-in of a backup.
type Outcome struct {
	// ID is the sign-in; for an app it names the venue alone.
	ID venuekey.ID
	// App is the app; nil for a sign-in.
	App *venuekey.App
	// There says that the vault held one, Changed that the backup's is there now.
	There, Changed bool
	// Newer says that the token which gave way was newer than the backup's, whose
	// refresh token may be used up.
	Newer bool
}

// Import puts the apps and sign-ins of a backup into the Keeper's vault, apps first.
// It can be interrupted and called again. What was known against a token stays known.
// Call Check first: an error on the way leaves what was imported before it.
func (b Backup) Import(ctx context.Context, keeper *venuekey.Keeper, options Options) error {
	tell := options.Each
	if tell == nil {
		tell = func(Outcome) {}
	}
	for _, app := range b.Apps {
		about := venuekey.ID{Venue: app.Venue}
		_, err := keeper.Vault.App(ctx, app.Venue)
		// One that cannot be opened is there as well.
		there := venuekey.ClassOf(err) != venuekey.ClassMisconfigured || !errors.Is(err, venuekey.ErrNotFound)
		changed := !there || options.Replace
		if changed {
			if err := keeper.Vault.SaveApp(ctx, app); err != nil {
				return venuekey.About(about, "import", err)
			}
		}
		tell(Outcome{ID: about, App: &app, There: there, Changed: changed})
	}
	for _, s := range b.SignIns {
		done, err := keeper.Restore(ctx, s, options.Replace)
		if err != nil {
			return venuekey.About(s.ID, "import", err)
		}
		tell(Outcome{ID: s.ID, There: done.There, Changed: done.Changed, Newer: done.Newer})
	}
	return nil
}
