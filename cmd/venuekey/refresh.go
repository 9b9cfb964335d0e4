package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/local"
)

// refresh.go owns the renewal by hand.

func (p *program) refreshCmd() *cobra.Command {
	again := false
	cmd := &cobra.Command{
		Use:     "refresh ID...",
		GroupID: groupSignIns,
		Short:   "Renew a token now, whether it is due or not",
		Long: `Renew the tokens of sign-ins now. Nobody has to: "venuekey token" renews what is
due. It is of use to see whether renewing works. A program whose token the venue
refuses hands it back instead: see --rejected-stdin of "venuekey token".

A pattern in quotes stands for all sign-ins that it fits, '*' for every one.
They are renewed one after the other, not faster than the venue wants it.

What the venue refused to renew, or may have renewed without our hearing of it,
is not presented any more. --again presents it all the same, once: of use where
the refusal was a mistake of the venue. Where a venue takes a used refresh token
for stolen, it may end the access token too, so wait until that is of no use.`,
		Example: `  venuekey refresh ctrader/alice
  venuekey refresh 'ctrader/*'
  venuekey refresh ctrader/alice --again`,
		Args:              someIDs,
		ValidArgsFunction: p.completeSomeIDs,
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.withVault(cmd.Context(), func(v *local.Vault) error {
				turn, renew := turns{}, v.Keeper.Refresh
				if again {
					renew = v.Keeper.RefreshAgain
				}
				return p.each(cmd.Context(), v, args, func(id venuekey.ID) (any, string, error) {
					if err := turn.wait(cmd.Context(), p, id); err != nil {
						return nil, "", err
					}
					token, err := renew(cmd.Context(), id)
					if token, err = p.settled(cmd.Context(), v, id, token, err); err != nil {
						return nil, "", err
					}
					return kept(id, token), fmt.Sprintf("%s is renewed; the token lives %s", id, span(time.Until(token.Expires))), nil
				})
			})
		},
	}
	cmd.Flags().BoolVar(&again, "again", false, "present once more what was refused, or may be used up")
	return cmd
}

// keptJSON is what a program is told of a token that is now kept.
type keptJSON struct {
	ID      string   `json:"id"`
	User    string   `json:"user,omitempty"`
	Expires string   `json:"expires"`
	Scopes  []string `json:"scopes,omitempty"`
	// ScopesMissing are those that were asked for and not granted.
	ScopesMissing []string `json:"scopes_missing,omitempty"`
}

func kept(id venuekey.ID, token *venuekey.Token) keptJSON {
	return keptJSON{ID: id.String(), User: token.User, Expires: exactly(token.Expires), Scopes: token.Scopes, ScopesMissing: token.Missing()}
}
