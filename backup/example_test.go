package backup_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"filippo.io/age"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/backup"
	"github.com/venuekey/venuekey/store/memory"
	"github.com/venuekey/venuekey/venue/ttp"
)

func newKeeper() *venuekey.Keeper {
	return &venuekey.Keeper{Vault: &venuekey.Vault{Store: new(memory.Store)}, Venues: []venuekey.Venue{ttp.Venue{}}}
}

// All sign-ins and apps of one vault go to another, sealed on the way by a passphrase.
func Example() {
	ctx := context.Background()
	here, there := newKeeper(), newKeeper()
	alice := venuekey.ID{Venue: "ttp", Name: "alice"}
	if _, err := here.Adopt(ctx, alice, venuekey.Token{Access: "a", Refresh: "r", Expires: time.Now().Add(24 * time.Hour)}); err != nil {
		panic(err)
	}
	const passphrase = venuekey.Secret("correct horse battery staple")

	export, err := backup.Prepare(ctx, here)
	if err != nil {
		panic(err)
	}
	sealer, err := backup.ToPassphraseWith(passphrase, 10) // less work than ToPassphrase: it is an example
	if err != nil {
		panic(err)
	}
	var file bytes.Buffer // or backup.WriteFile
	written, err := export.Write(ctx, &file, sealer)
	fmt.Println("sign-ins written:", written.SignIns, err)

	opener := backup.WithPassphrase(func(context.Context) (venuekey.Secret, error) { return passphrase, nil })
	opened, err := opener.Open(ctx, &file)
	if err != nil {
		panic(err)
	}
	read, err := backup.Read(opened)
	if err == nil {
		err = read.Check(there.Venues)
	}
	if err != nil {
		panic(err)
	}
	err = read.Import(ctx, there, backup.Options{Each: func(o backup.Outcome) { fmt.Println(o.ID, "imported:", o.Changed) }})
	fmt.Println(err)
	// Output:
	// sign-ins written: 1 <nil>
	// ttp/alice imported: true
	// <nil>
}

// A file sealed to a recipient of age needs no passphrase on the machine that writes it. The
// identity stays where the file is opened.
func ExampleToRecipients() {
	ctx := context.Background()
	identity, err := age.GenerateX25519Identity() // or age-keygen
	if err != nil {
		panic(err)
	}
	sealer, err := backup.ToRecipients(strings.NewReader(identity.Recipient().String()))
	if err != nil {
		panic(err)
	}
	folder, err := os.MkdirTemp("", "example-")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(folder)
	path := filepath.Join(folder, "notes.age")
	fmt.Println(backup.Replaceable(path, false))
	err = backup.WriteFile(path, false, func(to io.Writer) error {
		sealed, err := sealer.Seal(to)
		if err == nil {
			_, err = io.WriteString(sealed, "hello")
		}
		return errors.Join(err, sealed.Close())
	})
	fmt.Println(err, errors.Is(backup.Replaceable(path, false), fs.ErrExist))

	file, err := os.Open(path)
	if err != nil {
		panic(err)
	}
	defer file.Close()
	opener, err := backup.WithIdentities(strings.NewReader(identity.String()))
	if err != nil {
		panic(err)
	}
	opened, err := opener.Open(ctx, file)
	if err != nil {
		panic(err)
	}
	text, err := io.ReadAll(opened)
	fmt.Println(string(text), err)
	// Output:
	// <nil>
	// <nil> true
	// hello <nil>
}

// ToPassphrase costs nothing yet; writing the file takes a second or so, and so does each
// guess of somebody who has it.
func ExampleToPassphrase() {
	_, err := backup.ToPassphrase("correct horse battery staple")
	fmt.Println(err)
	// Output: <nil>
}
