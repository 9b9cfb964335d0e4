// Package backup exports all sign-ins and apps of a vault to one sealed file, and imports
// them from one, as the commands "venuekey backup export" and "backup import" do.
//
// The file is an age file (https://age-encryption.org), sealed with a passphrase or to
// recipients. The vault's own key is neither in it nor needed to read it. To export:
//
//	export, err := backup.Prepare(ctx, keeper) // checks that everything can be read
//	sealer, err := backup.ToPassphrase("correct horse battery staple")
//	err = backup.WriteFile("sign-ins.age", false, func(to io.Writer) error {
//		_, err := export.Write(ctx, to, sealer)
//		return err
//	})
//
// To import, call [Opener.Open], [Read], [Backup.Check] and [Backup.Import], in this order.
// The whole backup is read before anything is imported, so that a bad one changes nothing.
//
// A refresh token works once. A backup is therefore for moving to another machine, or for
// the loss of this one. After an import, only one of the two machines may use the sign-ins.
// If a sign-in was renewed after the export, the backup has a refresh token that is used up.
//
// Import only what you exported: anyone who knows a recipient can seal a file to it, and an
// app says where tokens are sent.
package backup

import (
	"time"

	"github.com/venuekey/venuekey"
)

// backup.go owns a backup that was read.

// Backup is a complete backup, as Read returns it.
type Backup struct {
	// Made is when the export began.
	Made time.Time
	// Apps are the apps with their secrets.
	Apps []venuekey.App
	// SignIns are the sign-ins with their tokens.
	SignIns []venuekey.Snapshot
}

// Check returns a [venuekey.Error] if a Keeper with these venues cannot import everything in
// the backup. Call it before Import.
func (b Backup) Check(venues []venuekey.Venue) error {
	var names []string
	for _, app := range b.Apps {
		names = append(names, app.Venue)
	}
	for _, s := range b.SignIns {
		if s.Check() != nil {
			return &venuekey.Error{ID: s.ID, Op: "backup", Class: venuekey.ClassMisconfigured, Reason: "the backup's access token has invalid characters; nothing was imported"}
		}
		names = append(names, s.ID.Venue)
	}
	known := map[string]bool{}
	for _, venue := range venues {
		known[venue.Name()] = true
	}
	for _, name := range names {
		if !known[name] {
			return &venuekey.Error{Op: "backup", Class: venuekey.ClassFailed, Reason: "the backup has the venue " + name + ", which this venuekey does not know; nothing was imported",
				Remedy: "install a newer venuekey"}
		}
	}
	return nil
}
