package main

import (
	"strings"

	"github.com/spf13/cobra"

	"github.com/venuekey/venuekey/agent/consumer"
	"github.com/venuekey/venuekey/local"
)

// consumer.go owns what the commands about consumers share. A consumer is a program with
// rights of its own.

func (p *program) consumerCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "consumer",
		GroupID: groupSetup,
		Short:   "Give programs that are not yours a part of your sign-ins",
		Long: `Your own programs may use every sign-in. A consumer is any other: one of another
user, in a container, on another machine. It gets a token of its own, and rights
by sign-in: what no rule allows is forbidden, and looks as if it did not exist.

A rule is VENUE/NAME:VERB, with more than one verb if need be, as in

  ctrader/alice:token,refused     one sign-in
  ttp/bot-*:status                all whose names begin so
  */*:status                      all

The verbs: status (its state and events), token (get access tokens), refused
(report one that the venue refused, and get a newer one), refresh (have it
renewed now), proxy (call the venue's API without seeing a token), gateway (use
a connection of the agent's), admin (sign it out). None includes another.

The vault keeps the rules and a hash of the token, so machines that share the
vault share its consumers. doc/consumers.md says more.`,
		Example: `  venuekey consumer add grafana --allow '*/*:status'
  venuekey consumer list
  venuekey consumer revoke grafana`,
		Args: p.unknownCommand,
		RunE: p.helpOrVersion,
	}
	cmd.AddCommand(p.consumerAddCmd(), p.consumerListCmd(), p.consumerRevokeCmd())
	return cmd
}

// consumerJSON is a consumer as a program reads it.
type consumerJSON struct {
	Name string `json:"name"`
	// Token is there only when it is added.
	Token    string   `json:"token,omitempty"`
	Allow    []string `json:"allow"`
	ReadOnly bool     `json:"read_only"`
	Calls    []string `json:"calls,omitempty"`
	Created  string   `json:"created_at"`
	Expires  string   `json:"expires_at,omitempty"`
	Expired  bool     `json:"expired"`
}

func consumerForm(c consumer.Consumer) consumerJSON {
	return consumerJSON{
		Name: c.Name, Allow: ruleTexts(c), ReadOnly: c.ReadOnly, Calls: callTexts(c),
		Created: exactly(c.Created), Expires: exactly(c.Expires), Expired: c.Expired(),
	}
}

func ruleTexts(c consumer.Consumer) []string {
	texts := []string{}
	for _, rule := range c.Allow {
		texts = append(texts, rule.String())
	}
	return texts
}

func callTexts(c consumer.Consumer) (texts []string) {
	for _, call := range c.Calls {
		texts = append(texts, call.String())
	}
	return texts
}

// completeRule offers sign-ins, and verbs after the colon.
func (p *program) completeRule(cmd *cobra.Command, _ []string, typed string) ([]string, cobra.ShellCompDirective) {
	const more = cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
	if _, _, ok := strings.Cut(typed, ":"); !ok {
		ids, _ := p.completeIDs(cmd, nil, typed)
		for i := range ids {
			ids[i] += ":"
		}
		return ids, more
	}
	at := strings.LastIndexAny(typed, ":,") + 1
	var offers []string
	for _, verb := range consumer.Verbs() {
		if strings.HasPrefix(string(verb), typed[at:]) {
			offers = append(offers, typed[:at]+string(verb))
		}
	}
	return offers, more
}

// completeConsumers offers the consumers of the vault.
func (p *program) completeConsumers(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
	var names []string
	_ = p.withSealed(cmd.Context(), func(v *local.Vault) error { // without an answer, nothing is offered
		for c := range consumer.All(cmd.Context(), v.Vault) { // by their names, which no key seals
			if c.Name != "" && strings.HasPrefix(c.Name, typed) && len(args) == 0 {
				names = append(names, c.Name)
			}
		}
		return nil
	})
	return names, cobra.ShellCompDirectiveNoFileComp
}
