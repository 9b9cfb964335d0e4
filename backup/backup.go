// Package backup writes all sign-ins and apps of a vault into one sealed file, and
// takes them from one, as the command's "backup export" and "backup import" do.
//
// The file is an age file (https://age-encryption.org), sealed by a passphrase or to
// recipients. The vault's own key is neither in it nor needed to read it:
//
//	export, err := backup.Prepare(ctx, keeper) // everything can be read
//	sealer, err := backup.ToPassphrase("correct horse battery staple")
//	err = backup.WriteFile("sign-ins.age", false, func(to io.Writer) error {
//		_, err := export.Write(ctx, to, sealer)
//		return err
//	})
//
// A refresh token works once. A backup is therefore for moving to another machine, or
// for the loss of this one: after an import only one of the two may go on, and of a
// sign-in that was renewed after the export the backup holds a refresh token that is
// used up.
//
// A backup is read to its end before anything is imported, so that a bad one changes
// nothing. Import what you exported: anybody who knows a recipient can seal a file to
// it, and an app says where tokens are sent.
package backup

import (
	"time"

	"github.com/venuekey/venuekey"
)

// backup.go owns what a backup is, once it was read.

// Backup is a backup that was read to its end.
type Backup struct {
	// Made is when the export began.
	Made    time.Time
	Apps    []venuekey.App
	SignIns []venuekey.Snapshot
}

// Check reports whether everything in the backup can be imported by a Keeper with
// these venues. It is an *venuekey.Error; nothing was imported then.
func (b Backup) Check(venues []venuekey.Venue) error {
	var names []string
	for _, app := range b.Apps {
		names = append(names, app.Venue)
	}
	for _, s := range b.SignIns {
		if s.Check() != nil {
			return &venuekey.Error{ID: s.ID, Op: "backup", Class: venuekey.ClassMisconfigured, Reason: "the backup's access token holds characters that no token has; nothing was imported"}
		}
		names = append(names, s.ID.Venue)
	}
	known := map[string]bool{}
	for _, venue := range venues {
		known[venue.Name()] = true
	}
	for _, name := range names {
		if !known[name] {
			return &venuekey.Error{Op: "backup", Class: venuekey.ClassFailed, Reason: "the backup is also about " + name + ", a venue that this venuekey does not know; nothing was imported",
				Remedy: "install a newer venuekey"}
		}
	}
	return nil
}
