package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/agent/consumer"
	"github.com/venuekey/venuekey/local"
)

// consumer_add.go owns the command that adds a consumer and shows its token, once.

func (p *program) consumerAddCmd() *cobra.Command {
	var request consumer.Request
	life := ""
	cmd := &cobra.Command{
		Use:   "add NAME --allow RULE...",
		Short: "Add a consumer, and print its token once",
		Long: `Add a consumer. Its token goes to standard output and is shown this once: the
vault keeps only a hash, from which nobody gets it back. If it is lost, revoke
the consumer and add it again.

--read-only is for consumers of the proxy and the gateway: they may look and not
trade. A token can trade wherever it is, so such a consumer gets none, and a
rule with token, refused, refresh or admin is refused.

--call allows some calls of the proxy only: a method, SOCKET for messages
through a WebSocket or * for any, and the venue's name of the call. A star
stands for letters within a name, ** at the end for all that follows. Such a
consumer gets no token either.

Without --life the token lives until it is revoked.`,
		Example: `  venuekey consumer add bot-7 --allow ctrader/alice:token,refused
  venuekey consumer add grafana --allow '*/*:status' --life 90d
  venuekey consumer add viewer --allow 'ttp/*:status,proxy' --read-only
  venuekey consumer add desk --allow tradovate/bot:proxy --call '* order/**'`,
		Args:              oneConsumer,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			request.Name = args[0]
			if cmd.Flags().Changed("life") {
				request.Life, err = consumer.ParseLife(life)
			}
			if err == nil {
				err = request.Check()
			}
			if err != nil {
				return misusedRule(cmd, err)
			}
			if err := p.knownVenues(cmd, request.Allow); err != nil {
				return err
			}
			return p.withNewVault(cmd.Context(), func(v *local.Vault) error { return p.consumerAdd(cmd, v, request) })
		},
	}
	cmd.Flags().StringArrayVar(&request.Allow, "allow", nil, "a `RULE`, as in ctrader/alice:token; may be repeated")
	cmd.Flags().BoolVar(&request.ReadOnly, "read-only", false, "it may look and not trade")
	cmd.Flags().StringArrayVar(&request.Calls, "call", nil, "a `CALL` of the proxy, as in 'GET account/*'; repeatable")
	cmd.Flags().StringVar(&life, "life", "", "how long the token lives, as in 90d or 12h")
	_ = cmd.RegisterFlagCompletionFunc("allow", p.completeRule)
	_ = cmd.RegisterFlagCompletionFunc("life", cobra.FixedCompletions([]string{"30d", "90d", "365d"}, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

func (p *program) consumerAdd(cmd *cobra.Command, v *local.Vault, request consumer.Request) error {
	token, c, err := consumer.Add(cmd.Context(), v.Vault, request)
	if errors.Is(err, venuekey.ErrConflict) {
		return &venuekey.Error{Class: venuekey.ClassDeclined, Reason: err.Error(),
			Remedy: "another name, or first: venuekey consumer revoke " + request.Name, Err: err}
	}
	if err != nil {
		return err
	}
	if p.json {
		form := consumerForm(c)
		form.Token = string(token)
		return p.writeJSON(form)
	}
	if _, err := fmt.Fprintln(p.stdout, string(token)); err != nil {
		return err
	}
	ends := "until it is revoked"
	if !c.Expires.IsZero() {
		ends = "until " + exactly(c.Expires)
	}
	p.tell("this is the token of the consumer %s, valid %s; it is not shown again", c.Name, ends)
	return nil
}

// knownVenues refuses a rule for a venue that there is none of: it would never allow
// anything, and a slip of the finger is the likely cause.
func (p *program) knownVenues(cmd *cobra.Command, rules []string) error {
	for _, rule := range rules {
		venue, _, _ := strings.Cut(rule, "/")
		if strings.Contains(venue, "*") {
			continue
		}
		if err := p.knownVenue(cmd, venue); err != nil {
			return err
		}
	}
	return nil
}

// misusedRule is the error for a wrong argument that package consumer has found.
func misusedRule(cmd *cobra.Command, err error) error {
	known, ok := errors.AsType[*venuekey.Error](err)
	if !ok || known.Class != venuekey.ClassMisconfigured {
		return err
	}
	return misused(known.Remedy, "%s: %s", cmd.CommandPath()[len("venuekey "):], known.Reason)
}

// oneConsumer accepts one name.
func oneConsumer(cmd *cobra.Command, args []string) error {
	if len(args) != 1 {
		return misused(usageOf(cmd), "%s takes the name of one consumer", cmd.CommandPath())
	}
	return nil
}
