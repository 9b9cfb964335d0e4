package main

import (
	"encoding/json"
	"errors"
	"io"

	"github.com/spf13/cobra"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/key"
)

// key_import.go owns importing keys that another machine exported. It never replaces a key.

func (p *program) keyImportCmd() *cobra.Command {
	var flags importFlags
	cmd := &cobra.Command{
		Use:   "import FILE",
		Short: "Import the keys that another machine exported",
		Long: `Import the keys of another machine from the file that "venuekey key export"
wrote there, or with - from standard input. They are kept as VENUEKEY_KEY says,
or like the keys that are here. Missing keys are added. No key is ever replaced;
if this machine has the key of another vault, that is an error.

You are asked for the passphrase, or it comes from
VENUEKEY_BACKUP_PASSPHRASE_FILE or VENUEKEY_BACKUP_PASSPHRASE. A file that is
sealed to a recipient opens with the identity in the file of --identity.`,
		Example: `  venuekey key import keys.age
  venuekey key import keys.age --identity identity.txt`,
		Args:              oneFile,
		ValidArgsFunction: completeFile,
		RunE:              func(cmd *cobra.Command, args []string) error { return p.keyImport(cmd, args[0], flags) },
	}
	cmd.Flags().StringVar(&flags.identity, "identity", "", "open it with the age identity in this `FILE`")
	return cmd
}

func (p *program) keyImport(cmd *cobra.Command, path string, flags importFlags) error {
	var read keyFile
	err := p.openSealed(cmd, path, aKeyFile, flags, func(opened io.Reader) (err error) {
		read, err = readKeyFile(opened)
		return err
	})
	if err != nil {
		return ofKeys(err)
	}
	place, err := p.place()
	if err != nil {
		return err
	}
	choice, err := place.KeyChoice()
	if err != nil {
		return err
	}
	if err := place.MakeKeyFolder(); err != nil {
		return err
	}
	keys := place.Keys()
	if _, _, err := keys.IDs(); errors.Is(err, key.ErrNoKey) {
		keys = place.NewKeys()
	}
	info, added, err := keys.Import(cmd.Context(), choice, read.keys(), read.Seals)
	if errors.Is(err, key.ErrForeign) {
		return &venuekey.Error{Op: "key", Class: venuekey.ClassMisconfigured, Reason: "this machine has another key, which is not replaced: " + err.Error(), Err: err,
			Remedy: "if nothing is sealed with the key that is here, move key.json and seal-* in " + place.Config + " away, and import again"}
	}
	if err != nil {
		return place.KeyError(err)
	}
	return p.say(keyImportedJSON{Added: added, Choice: string(info.Choice), Where: info.Where, Seals: info.ID},
		"%s added; the key that seals is kept by %s: %s", isAre(added, "key"), info.Choice, info.Where)
}

// keyImportedJSON is the result of an import.
type keyImportedJSON struct {
	Added  int    `json:"added"`
	Choice string `json:"key"`
	Where  string `json:"where"`
	Seals  string `json:"seals"`
}

// longestKeyFile is more than thousands of keys need.
const longestKeyFile = 1 << 20

// readKeyFile reads the file of an export. Its errors do not show the content.
func readKeyFile(from io.Reader) (f keyFile, err error) {
	text, err := io.ReadAll(io.LimitReader(from, longestKeyFile))
	switch {
	case err != nil:
		return f, &venuekey.Error{Op: "key", Class: venuekey.ClassDamaged, Reason: "the file of keys cannot be read to its end, or it was changed", Err: err,
			Remedy: "copy it again from where it was written, or export again there"}
	case json.Unmarshal(text, &f) != nil || f.Venuekey != "keys" || f.Version < 1:
		return f, &venuekey.Error{Op: "key", Class: venuekey.ClassDamaged, Reason: "the file has no venuekey keys, or it is truncated",
			Remedy: "give the file that \"venuekey key export\" wrote"}
	case f.Version > keyFileVersion:
		return f, &venuekey.Error{Op: "key", Class: venuekey.ClassFailed, Reason: "the file of keys was written by a newer venuekey", Remedy: "install a newer venuekey"}
	}
	for _, raw := range f.Keys {
		if len(raw) != key.Size {
			return f, &venuekey.Error{Op: "key", Class: venuekey.ClassDamaged, Reason: "the file of keys has an invalid key",
				Remedy: "copy it again from where it was written, or export again there"}
		}
	}
	return f, nil
}

func (f keyFile) keys() (keys [][key.Size]byte) {
	for _, raw := range f.Keys {
		keys = append(keys, [key.Size]byte(raw))
	}
	return keys
}

// ofKeys makes an error about a sealed file one about keys.
func ofKeys(err error) error {
	known, ok := errors.AsType[*venuekey.Error](err)
	if !ok {
		return err
	}
	failed := *known
	failed.Op = "key"
	return &failed
}
