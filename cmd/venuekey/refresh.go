package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/venuekey/venuekey"
)

// refresh.go owns the command refresh, a renewal on request.

func (p *program) refreshCmd() *cobra.Command {
	again := false
	cmd := &cobra.Command{
		Use:     "refresh ID...",
		GroupID: groupSignIns,
		Short:   "Renew a token now, whether it is due or not",
		Long: `Renew the tokens of sign-ins now. You rarely need this: "venuekey token" renews
whatever is due. Use it to see whether renewing works. A program whose token the
venue refuses hands it back instead: see --rejected-stdin of "venuekey token".

A pattern in quotes means all sign-ins that it matches, '*' every one. They are
renewed one after the other, no faster than the venue allows.

A refresh token that the venue refused, or that it may have renewed although the
answer was lost, is not presented again. --again presents it once more, which
helps if the refusal was the venue's mistake. A venue that treats a used refresh
token as stolen may end the access token too, so wait until you no longer need
that.`,
		Example: `  venuekey refresh ctrader/alice
  venuekey refresh 'ctrader/*'
  venuekey refresh ctrader/alice --again`,
		Args:              p.someIDs,
		ValidArgsFunction: p.completeSomeIDs,
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.withSignIns(cmd.Context(), func(from signIns) error {
				turn := turns{}
				return p.eachOf(cmd.Context(), from, args, func(id venuekey.ID) (any, string, error) {
					if err := turn.wait(cmd.Context(), p, id); err != nil {
						return nil, "", err
					}
					token, err := from.Renew(cmd.Context(), id, again)
					if err != nil {
						return nil, "", err
					}
					return kept(id, token), fmt.Sprintf("%s is renewed; the token is valid for %s", id, span(time.Until(token.Expires))), nil
				})
			})
		},
	}
	cmd.Flags().BoolVar(&again, "again", false, "present a refused or perhaps used refresh token once more")
	return cmd
}

// keptJSON describes a saved token for a program.
type keptJSON struct {
	ID      string   `json:"id"`
	User    string   `json:"user,omitempty"`
	Expires string   `json:"expires"`
	Scopes  []string `json:"scopes,omitempty"`
	// ScopesMissing are those that were requested and not granted.
	ScopesMissing []string `json:"scopes_missing,omitempty"`
}

func kept(id venuekey.ID, token *venuekey.Token) keptJSON {
	return keptJSON{ID: id.String(), User: token.User, Expires: exactly(token.Expires), Scopes: token.Scopes, ScopesMissing: token.Missing()}
}
