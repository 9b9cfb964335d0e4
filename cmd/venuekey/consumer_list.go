package main

import (
	"context"
	"errors"
	"strings"

	"github.com/spf13/cobra"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/agent/consumer"
	"github.com/venuekey/venuekey/local"
)

// consumer_list.go owns the list of consumers, and their end.

func (p *program) consumerListCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List the consumers and their rights",
		Long: `List the consumers of the vault, with what each may do and how long. Tokens are
not shown: nobody has them but their owners. An expired consumer stays in the
list until it is revoked.`,
		Example:           "  venuekey consumer list\n  venuekey consumer list --json",
		Args:              nothing,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.withVault(cmd.Context(), func(v *local.Vault) error { return p.consumerList(cmd.Context(), v) })
		},
	}
}

func (p *program) consumerList(ctx context.Context, v *local.Vault) error {
	forms := []consumerJSON{}
	var unreadable error
	shown := table{heading: []string{"NAME", "MAY", "TRADE", "ENDS"}}
	for c, err := range consumer.All(ctx, v.Vault) {
		if err != nil {
			unreadable = errors.Join(unreadable, err)
			if venuekey.ClassOf(err) != venuekey.ClassDamaged || c.Name == "" {
				break
			}
			continue
		}
		forms = append(forms, consumerForm(c))
		trade, ends := text("yes"), text(when(c.Expires))
		if c.ReadOnly {
			trade = cell{"read-only", green}
		}
		if calls := callTexts(c); len(calls) > 0 {
			trade.text += ": " + strings.Join(calls, ", ")
		}
		if c.Expired() {
			ends = cell{"expired " + ends.text, red}
		}
		shown.add(text(c.Name), text(strings.Join(ruleTexts(c), " ")), trade, ends)
	}
	switch {
	case p.json:
		return errors.Join(unreadable, p.writeJSON(forms))
	case len(forms) > 0:
		shown.write(p.stdout, p.style())
	case unreadable == nil && p.interactive():
		p.tell("there is no consumer; try: venuekey consumer add NAME --allow ctrader/alice:token")
	}
	return unreadable
}

func (p *program) consumerRevokeCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "revoke NAME",
		Short: "Revoke a consumer",
		Long: `Revoke a consumer: its token is worth nothing from then on. Agents that share
the vault know within 5 seconds. An access token that it got before is the
venue's: it lives until it expires, or until "venuekey logout" ends the sign-in.`,
		Example:           `  venuekey consumer revoke grafana`,
		Args:              oneConsumer,
		ValidArgsFunction: p.completeConsumers,
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.withVault(cmd.Context(), func(v *local.Vault) error {
				err := v.Vault.RemoveConsumer(cmd.Context(), args[0])
				if errors.Is(err, venuekey.ErrNotFound) {
					return &venuekey.Error{Class: venuekey.ClassDeclined, Reason: err.Error(), Remedy: "venuekey consumer list", Err: err}
				}
				if err != nil {
					return err
				}
				return p.say(map[string]string{"revoked": args[0]}, "the consumer %s is revoked", args[0])
			})
		},
	}
}
