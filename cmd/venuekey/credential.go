package main

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

// credential.go owns tokens in the forms that tools read from a file, so that no token is among their
// arguments, which every user of a machine can see.

// credentialForms are those of tools that can call a venue's API. doc/clients.md says why there are no
// others.
var credentialForms = map[string]func(name, value string) string{
	"curl": func(name, value string) string { // curl(1), --config
		return `header = "` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(name+": "+value) + `"`
	},
	"wget": func(name, value string) string { return "header = " + name + ": " + value }, // wgetrc
}

func (p *program) credentialCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "credential TOOL ID",
		GroupID: groupUse,
		Short:   "Print a token as curl or wget read it from a file",
		Long: `Print the header fields of a call of the venue's API as the configuration of a
tool: the token, renewed first if it is due, and what else the venue wants. A
shell hands it over as a file, and the token is not among the arguments of the
tool, which every user of this machine can see.

  curl --config <(venuekey credential curl tradovate/bot) URL
  wget --config=<(venuekey credential wget tradovate/bot) URL

A call through an agent needs none of it: see "venuekey agent". git and docker
log in nowhere at a venue, and netrc has no place for a bearer token.`,
		Example: `  venuekey credential curl tradovate/bot
  venuekey credential wget ttp/alice`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) != 2 || credentialForms[args[0]] == nil {
				return misused(usageOf(cmd), "%s takes a tool, curl or wget, and one ID", cmd.CommandPath())
			}
			return p.oneID(cmd, args[1:])
		},
		ValidArgsFunction: func(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
			if len(args) == 0 {
				return slices.Sorted(maps.Keys(credentialForms)), cobra.ShellCompDirectiveNoFileComp
			}
			return p.completeIDs(cmd, args[1:], typed)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			id, form := mustID(args[1:]), credentialForms[args[0]]
			return p.withSignIns(cmd.Context(), func(from signIns) error {
				token, _, err := p.tokenOf(cmd.Context(), from, id)
				if err != nil {
					return err
				}
				call := &http.Request{Header: http.Header{}}
				from.Sign(id, token, call)
				var text strings.Builder
				for _, name := range slices.Sorted(maps.Keys(call.Header)) {
					text.WriteString(form(name, call.Header.Get(name)) + "\n")
				}
				_, err = fmt.Fprint(p.stdout, text.String()) // a secret in plain text: the user asked for it
				return err
			})
		},
	}
	return cmd
}
