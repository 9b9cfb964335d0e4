package main

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"strings"

	"github.com/spf13/cobra"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/backup"
	"github.com/venuekey/venuekey/internal/byname"
	"github.com/venuekey/venuekey/local"
	"github.com/venuekey/venuekey/terminal"
)

// backup_export.go owns the command that writes a backup.

// exportFlags are the flags of an export.
type exportFlags struct {
	passphrase, force bool
	recipients        []string
	recipientsFile    string
}

func (p *program) backupExportCmd() *cobra.Command {
	var flags exportFlags
	cmd := &cobra.Command{
		Use:   "export FILE",
		Short: "Export all sign-ins and apps to one sealed file",
		Long: `Export all sign-ins and apps of the vault to an age file, or with - to standard
output. What is only in the environment is not included. The file appears when
all of it is on disk, with mode 0600. An existing file is kept unless you give
--force.

The file is sealed with a passphrase, which you are asked for twice or which
comes from VENUEKEY_BACKUP_PASSPHRASE_FILE or VENUEKEY_BACKUP_PASSPHRASE; or to
recipients (age1…): then only the owner of the identity can read it, and the
machine that makes backups cannot. "age-keygen" creates such a pair.

A refresh token works once: as soon as this machine renews a sign-in, the
backup's refresh token for it is used up. To move to another machine, first stop
everything that uses venuekey here.`,
		Example: `  venuekey backup export sign-ins.age
  venuekey backup export sign-ins.age --recipient age1qx… --force
  venuekey backup export sign-ins.age --recipients-file team.txt
  venuekey backup export - --recipient age1qx… | ssh host 'cat >sign-ins.age'`,
		Args:              oneFile,
		ValidArgsFunction: completeFile,
		RunE:              func(cmd *cobra.Command, args []string) error { return p.backupExport(cmd, args[0], flags) },
	}
	cmd.Flags().BoolVar(&flags.passphrase, "passphrase", false, "seal it with a passphrase (the default)")
	cmd.Flags().StringArrayVar(&flags.recipients, "recipient", nil, "seal it to this age `RECIPIENT`; repeatable")
	cmd.Flags().StringVar(&flags.recipientsFile, "recipients-file", "", "seal it to the recipients in this `FILE`")
	cmd.Flags().BoolVar(&flags.force, "force", false, "replace an existing file")
	_ = cmd.RegisterFlagCompletionFunc("recipient", cobra.NoFileCompletions)
	return cmd
}

func (p *program) backupExport(cmd *cobra.Command, path string, flags exportFlags) error {
	if err := p.exportable(cmd, path, flags); err != nil {
		return err
	}
	sealer, err := namedRecipients(cmd, flags)
	if err != nil {
		return err
	}
	return p.withVault(cmd.Context(), func(v *local.Vault) error {
		// Ask for a passphrase only if there is something to seal and all of it can
		// be read.
		export, err := backup.Prepare(cmd.Context(), v.Keeper)
		if err != nil {
			return err
		}
		if sealer == nil {
			if sealer, err = p.byPassphrase(cmd.Context(), "backup"); err != nil {
				return err
			}
		}
		var wrote backup.Written
		write := func(to io.Writer) (err error) {
			defer p.progress("")
			export.Progress = func(done int) { p.progress("%d of %d records", done, export.Total) }
			wrote, err = export.Write(cmd.Context(), to, *sealer)
			return err
		}
		if path == "-" {
			err = write(p.stdout)
		} else {
			err = fileFlags(backup.WriteFile(path, flags.force, write))
		}
		if err != nil {
			return err
		}
		return p.exported(exportJSON{File: path, Made: exactly(wrote.Made), Apps: wrote.Apps, SignIns: wrote.SignIns})
	})
}

// exportable refuses what cannot work, before anything is read.
func (p *program) exportable(cmd *cobra.Command, path string, flags exportFlags) error {
	ways := 0
	for _, flag := range []string{"passphrase", "recipient", "recipients-file", "plain"} {
		if cmd.Flags().Changed(flag) {
			ways++
		}
	}
	if ways > 1 {
		return misused(usageOf(cmd), "%s: give only one way to seal the file", cmd.CommandPath())
	}
	if path != "-" {
		return fileFlags(backup.Replaceable(path, flags.force))
	}
	if _, person := terminal.Of(p.stdout); person {
		return misused(cmd.CommandPath()+" - >FILE", "%s: a sealed file cannot go to a terminal", cmd.CommandPath())
	}
	return nil
}

// namedRecipients returns a sealer for the recipients of the flags; nil means a passphrase.
func namedRecipients(cmd *cobra.Command, flags exportFlags) (*backup.Sealer, error) {
	switch {
	case len(flags.recipients) > 0:
		sealer, err := backup.ToRecipients(strings.NewReader(strings.Join(flags.recipients, "\n")))
		if err != nil {
			return nil, misused("--recipient age1…, as age-keygen prints it", "%s: that is not an age recipient", cmd.CommandPath())
		}
		return &sealer, nil
	case cmd.Flags().Changed("recipients-file"):
		file, closed, err := byname.Open(cmd.Context(), flags.recipientsFile)
		if err != nil {
			return nil, backupFileError(err, "name a file of recipients, one per line")
		}
		defer closed()
		sealer, err := backup.ToRecipients(file)
		if err != nil {
			return nil, &venuekey.Error{Op: "backup", Class: venuekey.ClassMisconfigured, Reason: flags.recipientsFile + " is not a file of recipients: " + err.Error(), Err: err,
				Remedy: "write age1… there, one per line"}
		}
		return &sealer, nil
	}
	return nil, nil
}

func (p *program) byPassphrase(ctx context.Context, what string) (*backup.Sealer, error) {
	passphrase, err := p.newBackupPassphrase(ctx, what)
	if err != nil {
		return nil, err
	}
	sealer, err := backup.ToPassphraseWith(passphrase, p.work)
	return &sealer, err
}

// exportJSON is the result of an export.
type exportJSON struct {
	File    string `json:"file"`
	Made    string `json:"made"`
	Apps    int    `json:"apps"`
	SignIns int    `json:"sign_ins"`
}

// exported reports the export. If standard output is the backup, nothing else may go
// there.
func (p *program) exported(wrote exportJSON) error {
	if wrote.SignIns > 0 {
		p.tell("note: a refresh token works once: when this machine renews a sign-in, the backup's token for it is used up")
	}
	switch {
	case wrote.File != "-":
		return p.say(wrote, "%s and %s are in %s", several(wrote.Apps, "app"), several(wrote.SignIns, "sign-in"), wrote.File)
	case p.json:
		line, err := jsonLine(wrote)
		p.tell("%s", line)
		return err
	}
	p.tell("%s and %s are written", several(wrote.Apps, "app"), several(wrote.SignIns, "sign-in"))
	return nil
}

// fileFlags adds the flag that helps to an error about the file.
func fileFlags(err error) error {
	known, ok := errors.AsType[*venuekey.Error](err)
	if !ok {
		return err
	}
	failed := *known
	switch {
	case errors.Is(err, backup.ErrNotFile):
		failed.Remedy = "name another file, or - for standard output"
	case failed.Err == fs.ErrExist:
		failed.Remedy = "name another file, or --force to replace it"
	}
	return &failed
}

func backupFileError(err error, remedy string) error {
	return &venuekey.Error{Op: "backup", Class: venuekey.ClassFailed, Err: err, Remedy: remedy}
}
