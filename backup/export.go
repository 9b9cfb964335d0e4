package backup

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/venuekey/venuekey"
)

// export.go owns how a vault gets into a backup: all of it or nothing.

// Export is a backup that is about to be written. Prepare makes one.
type Export struct {
	// Total is how many apps and sign-ins there are.
	Total int
	// Progress, if set, is called with how many are written.
	Progress func(done int)

	keeper func() *venuekey.Keeper // which fmt does not follow to its secrets
}

// Written is what an export wrote.
type Written struct {
	Made          time.Time
	Apps, SignIns int
}

// Prepare sees that a backup of the Keeper's vault would be whole: there is something
// in it, every record opens, and no newer token waits in a spill file for the store.
// Otherwise it is an *venuekey.Error that says what helps.
func Prepare(ctx context.Context, keeper *venuekey.Keeper) (*Export, error) {
	e := &Export{keeper: func() *venuekey.Keeper { return keeper }}
	for status, err := range keeper.Statuses(ctx) {
		switch {
		case err != nil:
			return nil, err
		case status.Err != nil:
			return nil, venuekey.About(status.ID, "backup", status.Err)
		case status.Spilled:
			return nil, &venuekey.Error{ID: status.ID, Op: "backup", Class: venuekey.ClassLater, Reason: "a renewed token waits in a spill file, and the vault holds the used-up one",
				Remedy: "venuekey token " + status.ID.String() + ", which saves it; then again"}
		}
		e.Total++
	}
	for _, err := range keeper.Vault.Apps(ctx) {
		if err != nil {
			return nil, venuekey.About(venuekey.ID{}, "backup", err)
		}
		e.Total++
	}
	if e.Total == 0 {
		// More likely than not another vault is meant, and an empty backup
		// would be found out when it is needed.
		return nil, &venuekey.Error{Op: "backup", Class: venuekey.ClassMisconfigured, Reason: "there is nothing to back up: no app is kept and nobody is signed in",
			Remedy: "\"venuekey doctor\" shows which vault this is; VENUEKEY_HOME names another"}
	}
	return e, nil
}

// Write writes the backup, sealed. A renewal that is under way is waited for.
func (e *Export) Write(ctx context.Context, to io.Writer, sealer Sealer) (Written, error) {
	sealed, err := sealer.Seal(to)
	if err != nil {
		return Written{}, fmt.Errorf("backup: %w", err)
	}
	keeper, made := e.keeper(), time.Now().UTC().Truncate(time.Second)
	lines, err := newWriter(sealed, made, mostOfBackup)
	if err != nil {
		return Written{}, err
	}
	for app, err := range keeper.Vault.Apps(ctx) {
		if err == nil {
			err = lines.app(app)
		}
		if err != nil {
			return Written{}, err
		}
	}
	for s, err := range keeper.Snapshots(ctx) {
		if err == nil {
			err = lines.signIn(s)
		}
		if err != nil {
			return Written{}, err
		}
		if e.Progress != nil {
			e.Progress(lines.wrote.Apps + lines.wrote.Tokens)
		}
	}
	return Written{Made: made, Apps: lines.wrote.Apps, SignIns: lines.wrote.Tokens}, errors.Join(lines.end(), sealed.Close())
}
