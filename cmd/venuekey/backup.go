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

// backup.go owns what exports and imports share, of the vault and of its keys: the
// command above them, the file they are about, and how they ask for a passphrase.

// backupPassphrase is the variable in which a service gives the passphrase. It
// is not the vault's: the two lie in different places, for different people.
const backupPassphrase = environ.Prefix + "BACKUP_PASSPHRASE"

func (p *program) backupCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "backup",
		GroupID: groupSetup,
		Short:   "Move or restore all sign-ins and apps: export, import",
		Long: `Write all sign-ins and apps into one file, or take them from one. The file is an
age file (https://age-encryption.org), sealed by a passphrase or to recipients;
the vault's own key is neither in it nor needed to read it.

A refresh token works once. A backup is therefore for moving to another machine,
or for the loss of this one: after an import only one of the two machines may go
on, and of a sign-in that was renewed after the export the backup holds a
refresh token that is used up.`,
		Example: `  venuekey backup export sign-ins.age
  venuekey backup import sign-ins.age`,
		Args: p.unknownCommand,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(p.backupExportCmd(), p.backupImportCmd())
	return cmd
}

// oneFile takes one path, or - for a stream.
func oneFile(cmd *cobra.Command, args []string) error {
	if len(args) != 1 || args[0] == "" {
		return misused(usageOf(cmd), "%s takes one file, or -", cmd.CommandPath())
	}
	return nil
}

// completeFile leaves the one argument to the shell, which knows files best.
func completeFile(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return nil, cobra.ShellCompDirectiveDefault
}

// newBackupPassphrase asks twice, since nobody sees what is typed.
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
		return "", nobodyToAsk(err, what, "--recipient")
	}
	second, err := p.askPassphrase(ctx, "the same once more")
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
	return given, nobodyToAsk(err, what, "--identity")
}

// nobodyToAsk says what to do where a passphrase is wanted and nobody is there.
func nobodyToAsk(err error, what, flag string) error {
	if !errors.Is(err, local.ErrNoPassphrase) {
		return err
	}
	return &venuekey.Error{Op: "backup", Class: venuekey.ClassMisconfigured, Reason: "the " + what + " wants a passphrase, and nobody is there to ask", Err: err,
		Remedy: "set " + backupPassphrase + "_FILE or " + backupPassphrase + ", use " + flag + ", or run it in a terminal"}
}
