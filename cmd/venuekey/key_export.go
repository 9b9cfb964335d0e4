package main

import (
	"encoding/json"
	"io"

	"github.com/spf13/cobra"

	"github.com/venuekey/venuekey/backup"
	"github.com/venuekey/venuekey/key"
)

// key_export.go owns how the keys get into a file, to be brought to another
// machine.

// aKeyFile is what that file is called.
const aKeyFile = "file of keys"

type keyExportFlags struct {
	exportFlags
	plain bool
}

func (p *program) keyExportCmd() *cobra.Command {
	var flags keyExportFlags
	cmd := &cobra.Command{
		Use:   "export FILE",
		Short: "Write the keys into one file, for a machine that shares the vault",
		Long: `Write the keys of this machine into one file, or with - to standard output, for
another machine that shares the vault. There "venuekey key import" takes them.
The file is there when all of it is on disk, with mode 0600; one that is there
already stays, unless --force is given.

It is sealed as a backup is: by a passphrase, which is asked for twice or comes
from VENUEKEY_BACKUP_PASSPHRASE_FILE or VENUEKEY_BACKUP_PASSPHRASE, or to
recipients of age. With --plain it is not sealed: whoever reads it can open the
vault, so remove it when it was brought.`,
		Example: `  venuekey key export keys.age
  venuekey key export keys.age --recipient age1qx…
  venuekey key export - --plain | ssh other venuekey key import -`,
		Args:              oneFile,
		ValidArgsFunction: completeFile,
		RunE:              func(cmd *cobra.Command, args []string) error { return p.keyExport(cmd, args[0], flags) },
	}
	cmd.Flags().BoolVar(&flags.passphrase, "passphrase", false, "seal it by a passphrase, as by default")
	cmd.Flags().StringArrayVar(&flags.recipients, "recipient", nil, "seal it to this `RECIPIENT` of age; repeatable")
	cmd.Flags().StringVar(&flags.recipientsFile, "recipients-file", "", "seal it to the recipients in this `FILE`")
	cmd.Flags().BoolVar(&flags.plain, "plain", false, "do not seal it: only its mode keeps others out")
	cmd.Flags().BoolVar(&flags.force, "force", false, "replace a file that is there already")
	_ = cmd.RegisterFlagCompletionFunc("recipient", cobra.NoFileCompletions)
	return cmd
}

func (p *program) keyExport(cmd *cobra.Command, path string, flags keyExportFlags) error {
	if err := p.exportable(cmd, path, flags.exportFlags); err != nil {
		return ofKeys(err)
	}
	sealer, err := namedRecipients(cmd, flags.exportFlags)
	if err != nil {
		return ofKeys(err)
	}
	place, err := p.place()
	if err != nil {
		return err
	}
	keys, info, err := place.Keys().LoadAll(cmd.Context())
	if err != nil {
		return place.KeyError(err)
	}
	text, err := json.Marshal(newKeyFile(keys, info.ID))
	if err != nil {
		return err
	}
	if sealer == nil && !flags.plain {
		if sealer, err = p.byPassphrase(cmd.Context(), aKeyFile); err != nil {
			return ofKeys(err)
		}
	}
	write := func(to io.Writer) error { return writeKeys(to, append(text, '\n'), sealer) }
	if path == "-" {
		return write(p.stdout)
	}
	if err := backup.WriteFile(path, flags.force, write); err != nil {
		return ofKeys(fileFlags(err))
	}
	if flags.plain {
		p.tell("warning: whoever reads %s can open the vault: remove it when it was brought", path)
	}
	return p.say(keyFileJSON{File: path, Keys: len(keys), Seals: info.ID}, "%s in %s; on the other machine: venuekey key import %[2]s", isAre(len(keys), "key"), path)
}

// writeKeys writes what is to be brought, sealed where it is to be.
func writeKeys(to io.Writer, text []byte, sealer *backup.Sealer) error {
	if sealer == nil {
		_, err := to.Write(text)
		return err
	}
	sealed, err := sealer.Seal(to)
	if err == nil {
		_, err = sealed.Write(text)
	}
	if err != nil {
		return err
	}
	return sealed.Close()
}

// keyFileJSON is what an export wrote.
type keyFileJSON struct {
	File  string `json:"file"`
	Keys  int    `json:"keys"`
	Seals string `json:"seals"`
}

// keyFile is what stands in the file. Whatever must not be overlooked is a new
// version.
type keyFile struct {
	Venuekey string   `json:"venuekey"`
	Version  int      `json:"version"`
	Keys     [][]byte `json:"keys"`  // the oldest first, in base64
	Seals    string   `json:"seals"` // names the one that does
}

const keyFileVersion = 1

func newKeyFile(keys [][key.Size]byte, seals string) keyFile {
	f := keyFile{Venuekey: "keys", Version: keyFileVersion, Seals: seals}
	for _, k := range keys {
		f.Keys = append(f.Keys, k[:])
	}
	return f
}
