package main

import (
	"github.com/spf13/cobra"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/internal/environ"
	"github.com/venuekey/venuekey/key"
	"github.com/venuekey/venuekey/local"
)

// init.go owns the command init, for choosing how the key is kept.

func (p *program) initCmd() *cobra.Command {
	var choice string
	cmd := &cobra.Command{
		Use:     "init",
		GroupID: groupSetup,
		Short:   "Create the vault and its key, and choose how the key is kept",
		Long: `Create the vault and its key. You only need this to choose how the key is kept;
otherwise the first command that saves something does it.

  keyring      in the operating system's keyring
  file         in a file that only you may read
  passphrase   in a file that a passphrase opens

Without --key it is the keyring if there is one, and a file otherwise. The
choice is remembered. You are asked for the passphrase, or it comes from
VENUEKEY_PASSPHRASE_FILE or VENUEKEY_PASSPHRASE. Opening with it takes a moment,
by design.`,
		Example: `  venuekey init
  venuekey init --key passphrase`,
		Args:              nothing,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE:              func(cmd *cobra.Command, _ []string) error { return p.setUp(cmd, choice) },
	}
	cmd.Flags().StringVar(&choice, "key", "", "`METHOD` to keep the key: keyring, file or passphrase")
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
				Remedy: "leave it; or start with another VENUEKEY_HOME"}
		}
		return p.say(map[string]string{"key": string(v.Key.Choice), "where": v.Key.Where, "id": v.Key.ID},
			"the vault is ready; its key is kept by %s: %s", v.Key.Choice, v.Key.Where)
	})
}
