package main

import (
	"encoding/json"
	"io"

	"github.com/spf13/cobra"

	"github.com/venuekey/venuekey/backup"
	"github.com/venuekey/venuekey/key"
)

// key_export.go owns writing the keys into a file, for another machine.

// aKeyFile is that file's name in messages.
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
another machine that shares the vault. "venuekey key import" reads them there.
The file appears when all of it is on disk, with mode 0600. An existing file is
kept unless you give --force.

The file is sealed like a backup: with a passphrase, which you are asked for
twice or which comes from VENUEKEY_BACKUP_PASSPHRASE_FILE or
VENUEKEY_BACKUP_PASSPHRASE, or to age recipients. With --plain it is not sealed:
anyone who can read it can open the vault, so remove it after the import.`,
		Example: `  venuekey key export keys.age
  venuekey key export keys.age --recipient age1qx…
  venuekey key export - --plain | ssh other venuekey key import -`,
		Args:              oneFile,
		ValidArgsFunction: completeFile,
		RunE:              func(cmd *cobra.Command, args []string) error { return p.keyExport(cmd, args[0], flags) },
	}
	cmd.Flags().BoolVar(&flags.passphrase, "passphrase", false, "seal it with a passphrase (the default)")
	cmd.Flags().StringArrayVar(&flags.recipients, "recipient", nil, "seal it to this age `RECIPIENT`; repeatable")
	cmd.Flags().StringVar(&flags.recipientsFile, "recipients-file", "", "seal it to the recipients in this `FILE`")
	cmd.Flags().BoolVar(&flags.plain, "plain", false, "do not seal it: only its mode keeps others out")
	cmd.Flags().BoolVar(&flags.force, "force", false, "replace an existing file")
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
		p.tell("warning: anyone who can read %s can open the vault: remove it after the import", path)
	}
	return p.say(keyFileJSON{File: path, Keys: len(keys), Seals: info.ID}, "%s in %s; on the other machine: venuekey key import %[2]s", isAre(len(keys), "key"), path)
}

// writeKeys writes the keys, sealed if there is a sealer.
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

// keyFileJSON is the result of an export.
type keyFileJSON struct {
	File  string `json:"file"`
	Keys  int    `json:"keys"`
	Seals string `json:"seals"`
}

// keyFile is the content of the file. A change that older programs must not overlook is a
// new version.
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
