package backup

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/venuekey/venuekey"
)

// export.go owns the export of a whole vault.

// Export is a backup that is ready to be written. Prepare returns one.
type Export struct {
	// Total is the number of apps and sign-ins.
	Total int
	// Progress, if set, is called during Write with the number of records written so far.
	Progress func(done int)

	keeper func() *venuekey.Keeper // a function, so that fmt does not find its secrets
}

// Written is the result of an export.
type Written struct {
	// Made is when the export began.
	Made time.Time
	// Apps and SignIns are how many were written.
	Apps, SignIns int
}

// Prepare checks that a backup of the Keeper's vault would be complete: the vault is not
// empty, every record opens, and no newer token is in a spill file. Otherwise it returns a
// [venuekey.Error] with a remedy.
func Prepare(ctx context.Context, keeper *venuekey.Keeper) (*Export, error) {
	e := &Export{keeper: func() *venuekey.Keeper { return keeper }}
	for status, err := range keeper.Statuses(ctx) {
		switch {
		case err != nil:
			return nil, err
		case status.Err != nil:
			return nil, venuekey.About(status.ID, "backup", status.Err)
		case status.Spilled:
			return nil, &venuekey.Error{ID: status.ID, Op: "backup", Class: venuekey.ClassLater, Reason: "a renewed token is in a spill file, and the vault has the used-up one",
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
		// Most likely another vault is meant, and an empty backup would be noticed
		// only when it is needed.
		return nil, &venuekey.Error{Op: "backup", Class: venuekey.ClassMisconfigured, Reason: "there is nothing to back up: the vault has no app and no sign-in",
			Remedy: "\"venuekey doctor\" shows which vault this is; VENUEKEY_HOME names another"}
	}
	return e, nil
}

// Write writes the sealed backup. It waits for renewals in flight.
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
