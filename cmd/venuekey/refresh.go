package main

import (
	"time"

	"github.com/spf13/cobra"

	"github.com/venuekey/venuekey"
)

// refresh.go owns the renewal by hand.

func (p *program) refreshCmd() *cobra.Command {
	return &cobra.Command{
		Use:     "refresh ID",
		GroupID: groupSignIns,
		Short:   "Renew a token now, whether it is due or not",
		Long: `Renew the token of a sign-in now. Nobody has to: "venuekey token" renews what is
due. It is of use to see whether renewing works. A program whose token the venue
refuses hands it back instead: see --rejected-stdin of "venuekey token".`,
		Example:           `  venuekey refresh ctrader/alice`,
		Args:              oneID,
		ValidArgsFunction: p.completeIDs,
		RunE: func(cmd *cobra.Command, args []string) error {
			id := mustID(args)
			return p.withVault(cmd.Context(), func(v *vault) error {
				token, err := v.keeper.Refresh(cmd.Context(), id)
				token, err = p.settled(cmd.Context(), v, id, token, err)
				if err != nil {
					return err
				}
				return p.say(kept(id, token), "%s is renewed; the token lives %s", id, span(time.Until(token.Expires)))
			})
		},
	}
}

// keptJSON is what a program is told of a token that is now kept.
type keptJSON struct {
	ID      string   `json:"id"`
	User    string   `json:"user,omitempty"`
	Expires string   `json:"expires"`
	Scopes  []string `json:"scopes,omitempty"`
}

func kept(id venuekey.ID, token *venuekey.Token) keptJSON {
	return keptJSON{ID: id.String(), User: token.User, Expires: exactly(token.Expires), Scopes: token.Scopes}
}
