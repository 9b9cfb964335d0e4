package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"syscall"
	"time"

	agefile "filippo.io/age"
	"github.com/spf13/cobra"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/internal/draft"
	"github.com/venuekey/venuekey/terminal"
)

// backup_export.go owns how the vault gets into a backup: all of it or nothing.

// exportFlags is what the command line says of an export.
type exportFlags struct {
	passphrase, force bool
	recipients        []string
	recipientsFile    string
}

func (p *program) backupExportCmd() *cobra.Command {
	var flags exportFlags
	cmd := &cobra.Command{
		Use:   "export FILE",
		Short: "Write all sign-ins and apps into one sealed file",
		Long: `Write all sign-ins and apps of the vault into an age file, or with - to standard
output. What only the environment holds is not in it. The file is there when all
of it is on disk, with mode 0600; one that is there already stays, unless
--force is given.

It is sealed by a passphrase, which is asked for twice or comes from
VENUEKEY_BACKUP_PASSPHRASE_FILE or VENUEKEY_BACKUP_PASSPHRASE; or to recipients
(age1…), so that only who has the identity reads it, and whoever makes backups
cannot. "age-keygen" makes such a pair.

A refresh token works once: as soon as this machine renews a sign-in, the
backup's refresh token for it is used up. To move, stop what runs here first.`,
		Example: `  venuekey backup export sign-ins.age
  venuekey backup export sign-ins.age --recipient age1qx… --force
  venuekey backup export sign-ins.age --recipients-file team.txt
  venuekey backup export - --recipient age1qx… | ssh host 'cat >sign-ins.age'`,
		Args:              oneFile,
		ValidArgsFunction: completeFile,
		RunE:              func(cmd *cobra.Command, args []string) error { return p.backupExport(cmd, args[0], flags) },
	}
	cmd.Flags().BoolVar(&flags.passphrase, "passphrase", false, "seal it by a passphrase, as by default")
	cmd.Flags().StringArrayVar(&flags.recipients, "recipient", nil, "seal it to this `RECIPIENT` of age; repeatable")
	cmd.Flags().StringVar(&flags.recipientsFile, "recipients-file", "", "seal it to the recipients in this `FILE`")
	cmd.Flags().BoolVar(&flags.force, "force", false, "replace a file that is there already")
	_ = cmd.RegisterFlagCompletionFunc("recipient", cobra.NoFileCompletions)
	return cmd
}

func (p *program) backupExport(cmd *cobra.Command, path string, flags exportFlags) error {
	if err := p.exportable(cmd, path, flags); err != nil {
		return err
	}
	recipients, err := namedRecipients(cmd, flags)
	if err != nil {
		return err
	}
	return p.withVault(cmd.Context(), func(v *vault) error {
		// Nobody is asked for a passphrase before it is sure that there is
		// something to seal, and that all of it can be read.
		total, err := countForBackup(cmd.Context(), v)
		if err != nil {
			return err
		}
		if recipients == nil {
			if recipients, err = p.whoKnowsPassphrase(cmd.Context(), "backup"); err != nil {
				return err
			}
		}
		if path == "-" {
			wrote, err := p.sealBackup(cmd.Context(), v, p.stdout, recipients, total)
			if err != nil {
				return err
			}
			return p.exported(path, wrote)
		}
		var wrote exportJSON
		err = writeWhole(path, flags.force, func(to io.Writer) (err error) {
			wrote, err = p.sealBackup(cmd.Context(), v, to, recipients, total)
			return err
		})
		if err != nil {
			return err
		}
		return p.exported(path, wrote)
	})
}

// exportable refuses what can be seen to go wrong before anything is read.
func (p *program) exportable(cmd *cobra.Command, path string, flags exportFlags) error {
	ways := 0
	for _, flag := range []string{"passphrase", "recipient", "recipients-file", "plain"} {
		if cmd.Flags().Changed(flag) {
			ways++
		}
	}
	if ways > 1 {
		return misused(usageOf(cmd), "%s: the ways to seal it exclude each other", cmd.CommandPath())
	}
	if path != "-" {
		return replaceable(path, flags.force)
	}
	if _, person := terminal.Of(p.stdout); person {
		return misused(cmd.CommandPath()+" - >FILE", "%s: the file is nothing for a terminal", cmd.CommandPath())
	}
	return nil
}

// namedRecipients says whom the backup is sealed to; nil leaves a passphrase.
func namedRecipients(cmd *cobra.Command, flags exportFlags) ([]agefile.Recipient, error) {
	switch {
	case len(flags.recipients) > 0:
		recipients, err := agefile.ParseRecipients(strings.NewReader(strings.Join(flags.recipients, "\n")))
		if err != nil {
			return nil, misused("--recipient age1…, as age-keygen prints it", "%s: no recipient of age is given", cmd.CommandPath())
		}
		return recipients, nil
	case cmd.Flags().Changed("recipients-file"):
		file, closed, err := openNamed(cmd.Context(), flags.recipientsFile)
		if err != nil {
			return nil, backupFileError(err, "name a file of recipients, one a line")
		}
		defer closed()
		recipients, err := agefile.ParseRecipients(file)
		if err != nil {
			return nil, &venuekey.Error{Op: "backup", Class: venuekey.ClassMisconfigured, Reason: flags.recipientsFile + " is no file of recipients: " + err.Error(), Err: err,
				Remedy: "write age1… there, one a line"}
		}
		return recipients, nil
	}
	return nil, nil
}

func (p *program) whoKnowsPassphrase(ctx context.Context, what string) ([]agefile.Recipient, error) {
	passphrase, err := p.newBackupPassphrase(ctx, what)
	if err != nil {
		return nil, err
	}
	recipient, err := agefile.NewScryptRecipient(string(passphrase))
	if err == nil && p.work != 0 {
		recipient.SetWorkFactor(p.work)
	}
	return []agefile.Recipient{recipient}, err
}

// countForBackup counts the sign-ins, and sees that a backup of them would be
// whole: every record opens, and no newer token waits elsewhere for the store.
func countForBackup(ctx context.Context, v *vault) (total int, err error) {
	for status, err := range v.keeper.Statuses(ctx) {
		switch {
		case err != nil:
			return 0, err
		case status.Err != nil:
			return 0, about(status.ID, "backup", status.Err)
		case status.Spilled:
			return 0, &venuekey.Error{ID: status.ID, Op: "backup", Class: venuekey.ClassLater, Reason: "a renewed token waits in a spill file, and the vault holds the used-up one",
				Remedy: "venuekey token " + status.ID.String() + ", which saves it; then again"}
		}
		total++
	}
	for _, err := range v.Apps(ctx) {
		if err != nil {
			return 0, about(venuekey.ID{}, "backup", err)
		}
		total++
	}
	if total == 0 {
		// More likely than not another vault is meant, and an empty backup
		// would be found out when it is needed.
		return 0, &venuekey.Error{Op: "backup", Class: venuekey.ClassMisconfigured, Reason: "there is nothing to back up: no app is kept and nobody is signed in",
			Remedy: "\"venuekey doctor\" shows which vault this is; VENUEKEY_HOME names another"}
	}
	return total, nil
}

// sealBackup writes the backup, sealed, and says what is in it.
func (p *program) sealBackup(ctx context.Context, v *vault, to io.Writer, recipients []agefile.Recipient, total int) (exportJSON, error) {
	sealed, err := agefile.Encrypt(to, recipients...)
	if err != nil {
		return exportJSON{}, fmt.Errorf("backup: %w", err)
	}
	made := time.Now().UTC().Truncate(time.Second)
	lines, err := newBackupWriter(sealed, made)
	if err != nil {
		return exportJSON{}, err
	}
	for app, err := range v.Apps(ctx) {
		if err == nil {
			err = lines.app(app)
		}
		if err != nil {
			return exportJSON{}, err
		}
	}
	defer p.progress("")
	for record, err := range v.Records(ctx) {
		if err == nil {
			record, err = settled(ctx, v, record)
		}
		if errors.Is(err, venuekey.ErrNotFound) {
			continue // signed out meanwhile
		}
		var token venuekey.Token
		if err == nil {
			token, err = v.Open(record)
		}
		if err == nil {
			err = lines.signIn(signIn{ID: record.ID(), Token: token, Record: record})
		}
		if err != nil {
			return exportJSON{}, err
		}
		p.progress("%d of %d records", lines.wrote.Apps+lines.wrote.Tokens, total)
	}
	return exportJSON{Made: exactly(made), Apps: lines.wrote.Apps, SignIns: lines.wrote.Tokens}, errors.Join(lines.end(), sealed.Close())
}

// settled waits for a renewal that is under way: the token that it presents is
// used up, and the one that it brings is the one to keep. A lease whose holder
// is gone ends by itself; then the open intent goes into the backup as well.
func settled(ctx context.Context, v *vault, record venuekey.Record) (venuekey.Record, error) {
	for record.Leased() && record.LeaseUntil.Sub(record.ReadAt) <= venuekey.LongestLease {
		select {
		case <-time.After(50 * time.Millisecond):
		case <-ctx.Done():
			return record, context.Cause(ctx)
		}
		var err error
		if record, err = v.Store.Get(ctx, record.Key); err != nil {
			return record, err
		}
	}
	return record, nil
}

// exportJSON is what an export wrote.
type exportJSON struct {
	File    string `json:"file"`
	Made    string `json:"made"`
	Apps    int    `json:"apps"`
	SignIns int    `json:"sign_ins"`
}

// exported tells of the export. Where standard output is the backup, nothing
// else may go there.
func (p *program) exported(path string, wrote exportJSON) error {
	wrote.File = path
	if wrote.SignIns > 0 {
		p.tell("note: a refresh token works once: when this machine renews a sign-in, the backup's token for it is used up")
	}
	switch {
	case path != "-":
		return p.say(wrote, "%s and %s are in %s", several(wrote.Apps, "app"), several(wrote.SignIns, "sign-in"), path)
	case p.json:
		line, err := jsonLine(wrote)
		p.tell("%s", line)
		return err
	}
	p.tell("%s and %s are written", several(wrote.Apps, "app"), several(wrote.SignIns, "sign-in"))
	return nil
}

// replaceable is whether a backup may be put there. A device or a pipe would be
// replaced by a file, which nobody means.
func replaceable(path string, force bool) error {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return backupFileError(err, "name another file")
	case !info.Mode().IsRegular():
		return &venuekey.Error{Op: "backup", Class: venuekey.ClassFailed, Reason: path + " is there and is no ordinary file", Remedy: "name another file, or - for standard output"}
	case !force:
		return &venuekey.Error{Op: "backup", Class: venuekey.ClassFailed, Reason: path + " is there already", Err: fs.ErrExist, Remedy: "name another file, or --force to replace it"}
	}
	return nil
}

// writeWhole writes a private file under another name and renames it when it is
// on disk: whatever happens on the way, an older backup stays whole.
func writeWhole(path string, force bool, write func(io.Writer) error) error {
	name := func(from, to string) error {
		if err := replaceable(path, force); err != nil { // it may have come meanwhile
			return err
		}
		return backupFileError(os.Rename(from, to), "name another file")
	}
	var unwritten error
	err := draft.Write(path, "venuekey-backup", name, func(file *os.File) error {
		unwritten = write(file)
		return unwritten
	})
	if unwritten != nil {
		return unwritten
	}
	if _, told := errors.AsType[*venuekey.Error](err); told || err == nil {
		return err
	}
	if errors.Is(err, syscall.ENOSPC) {
		return backupFileError(err, "free some space")
	}
	return backupFileError(err, "name a file in a folder that is there and yours")
}

func backupFileError(err error, remedy string) error {
	if err == nil {
		return nil
	}
	return &venuekey.Error{Op: "backup", Class: venuekey.ClassFailed, Err: err, Remedy: remedy}
}
