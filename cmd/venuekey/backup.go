package main

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/internal/environ"
	"github.com/venuekey/venuekey/key"
	"github.com/venuekey/venuekey/local"
)

// backup.go owns the command backup, and what exports and imports of sign-ins and keys
// share: the file argument and the passphrase.

// backupPassphrase is the variable in which a service gives the passphrase. It is not the
// vault's: a backup is kept elsewhere, often by other people.
const backupPassphrase = environ.Prefix + "BACKUP_PASSPHRASE"

func (p *program) backupCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "backup",
		GroupID: groupSetup,
		Short:   "Move or restore all sign-ins and apps: export, import",
		Long: `Export all sign-ins and apps to one file, or import them from one. The file is
an age file (https://age-encryption.org), sealed with a passphrase or to
recipients; the vault's own key is neither in it nor needed to read it.

A refresh token works once. A backup is therefore for moving to another machine,
or for the loss of this one. After an import, only one of the two machines may
use the sign-ins. If a sign-in was renewed after the export, the backup has a
refresh token that is used up.`,
		Example: `  venuekey backup export sign-ins.age
  venuekey backup import sign-ins.age`,
		Args: p.unknownCommand,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(p.backupExportCmd(), p.backupImportCmd())
	return cmd
}

// oneFile accepts one path, or - for a stream.
func oneFile(cmd *cobra.Command, args []string) error {
	if len(args) != 1 || args[0] == "" {
		return misused(usageOf(cmd), "%s takes one file, or -", cmd.CommandPath())
	}
	return nil
}

// completeFile leaves the file argument to the shell's own completion.
func completeFile(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return nil, cobra.ShellCompDirectiveDefault
}

// newBackupPassphrase asks twice, because the passphrase is not shown while it is typed.
func (p *program) newBackupPassphrase(ctx context.Context, what string) (venuekey.Secret, error) {
	given, err := p.secret(ctx, backupPassphrase)
	if err == nil && given != "" {
		err = notTooShort(given)
	}
	if err != nil || given != "" {
		return given, err
	}
	first, err := p.askPassphrase(ctx, "passphrase for the "+what)
	if err != nil {
		return "", noOneToAsk(err, what, "--recipient")
	}
	second, err := p.askPassphrase(ctx, "repeat the passphrase")
	if err == nil && !first.Equal(second) {
		err = misused("try again", "the two passphrases differ")
	}
	if err == nil {
		err = notTooShort(first)
	}
	return first, err
}

func notTooShort(passphrase venuekey.Secret) error {
	if err := key.CheckPassphrase(string(passphrase)); err != nil {
		return &venuekey.Error{Op: "backup", Class: venuekey.ClassMisconfigured, Err: err, Remedy: "choose a longer one"}
	}
	return nil
}

func (p *program) oldBackupPassphrase(ctx context.Context, what string) (venuekey.Secret, error) {
	given, err := p.secret(ctx, backupPassphrase)
	if err != nil || given != "" {
		return given, err
	}
	given, err = p.askPassphrase(ctx, "passphrase of the "+what)
	return given, noOneToAsk(err, what, "--identity")
}

// noOneToAsk adds a remedy if a passphrase is needed and there is no one to ask.
func noOneToAsk(err error, what, flag string) error {
	if !errors.Is(err, local.ErrNoPassphrase) {
		return err
	}
	return &venuekey.Error{Op: "backup", Class: venuekey.ClassMisconfigured, Reason: "the " + what + " needs a passphrase, and there is no one to ask", Err: err,
		Remedy: "set " + backupPassphrase + "_FILE or " + backupPassphrase + ", use " + flag + ", or run this in a terminal"}
}
