package main

import (
	"github.com/spf13/cobra"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/internal/environ"
	"github.com/venuekey/venuekey/key"
	"github.com/venuekey/venuekey/local"
)

// init.go owns setting up by hand, for who wants to choose how the key is kept.

func (p *program) initCmd() *cobra.Command {
	var choice string
	cmd := &cobra.Command{
		Use:     "init",
		GroupID: groupSetup,
		Short:   "Make the vault and its key, and choose how the key is kept",
		Long: `Make the vault and its key. Nobody has to: the first command that keeps
something does it. It is for choosing how the key is kept:

  keyring      in the operating system's keyring
  file         in a file of yours that nobody else may read
  passphrase   in a file that a passphrase opens

Without --key it is the keyring where there is one, and a file elsewhere. The
choice is remembered. A passphrase is asked for, or comes from
VENUEKEY_PASSPHRASE_FILE or VENUEKEY_PASSPHRASE; opening with it takes a moment,
on purpose.`,
		Example: `  venuekey init
  venuekey init --key passphrase`,
		Args:              nothing,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE:              func(cmd *cobra.Command, _ []string) error { return p.setUp(cmd, choice) },
	}
	cmd.Flags().StringVar(&choice, "key", "", "keep the key by `CHOICE`: keyring, file or passphrase")
	_ = cmd.RegisterFlagCompletionFunc("key", cobra.FixedCompletions([]string{"keyring", "file", "passphrase"}, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

func (p *program) setUp(cmd *cobra.Command, text string) error {
	wanted, err := environ.KeyChoice(text)
	if err != nil {
		return misused("--key keyring, file or passphrase", "init: a key cannot be kept by %q", text)
	}
	p.choice = wanted
	return p.withNewVault(cmd.Context(), func(v *local.Vault) error {
		if wanted != key.ChoiceAutomatic && wanted != v.Key.Choice {
			return &venuekey.Error{Op: "init", Class: venuekey.ClassMisconfigured, Reason: "the vault has a key already, kept by " + string(v.Key.Choice),
				Remedy: "leave it; or begin anew in another VENUEKEY_HOME"}
		}
		return p.say(map[string]string{"key": string(v.Key.Choice), "where": v.Key.Where, "id": v.Key.ID},
			"the vault is ready; its key is kept by %s: %s", v.Key.Choice, v.Key.Where)
	})
}
