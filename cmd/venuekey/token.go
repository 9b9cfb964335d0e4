package main

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/venuekey/venuekey"
)

// token.go owns the command that every program asks.

func (p *program) tokenCmd() *cobra.Command {
	var header bool
	cmd := &cobra.Command{
		Use:     "token ID",
		GroupID: groupUse,
		Short:   "Print a good access token and nothing else",
		Long: `Print the access token of a sign-in, and nothing else. It is renewed first where
that is due; while the old one is still good, trouble with renewing it is no
error. Any number of programs may ask at the same time: one of them renews.

With --json the token comes with its type, its end, its scopes and whatever else
the venue gave, as in "extras": Tradovate's market data token is there. The
refresh token is never printed: only venuekey may present it.`,
		Example: `  venuekey token ctrader/alice
  curl -H @<(venuekey token ttp/alice --header) https://api.thetradingparrot.com/v1/ping
  venuekey token tradovate/bot --json | jq -r .extras.mdAccessToken`,
		Args: oneID,
		// A token that is fresh is printed before a signal could be waited for, and
		// to listen for one takes a tenth of the time. Renewals do: see apps.
		PersistentPreRun:  func(*cobra.Command, []string) {},
		ValidArgsFunction: p.completeIDs,
		RunE: func(cmd *cobra.Command, args []string) error {
			id := mustID(args)
			return p.withVault(cmd.Context(), func(v *vault) error {
				token, err := v.keeper.Token(cmd.Context(), id)
				if err != nil {
					return err
				}
				return p.printToken(id, token, header)
			})
		},
	}
	cmd.Flags().BoolVar(&header, "header", false, `print it as the header field "Authorization: Bearer …"`)
	return cmd
}

// printToken is one of the few places where a secret leaves in plain text:
// whoever runs the command asked for it.
func (p *program) printToken(id venuekey.ID, token *venuekey.Token, header bool) error {
	access := string(token.Access)
	switch {
	case p.json:
		return p.writeJSON(tokenForm(id, token))
	case header:
		access = "Authorization: " + token.TypeOrBearer() + " " + access
	}
	_, err := fmt.Fprintln(p.stdout, access)
	return err
}

// tokenJSON is a token as a program reads it.
type tokenJSON struct {
	ID          string                     `json:"id"`
	AccessToken string                     `json:"access_token"`
	TokenType   string                     `json:"token_type"`
	Expires     string                     `json:"expires"`
	ExpiresIn   int64                      `json:"expires_in"`
	Scopes      []string                   `json:"scopes,omitempty"`
	User        string                     `json:"user,omitempty"`
	Extras      map[string]json.RawMessage `json:"extras,omitempty"`
}

func tokenForm(id venuekey.ID, token *venuekey.Token) tokenJSON {
	form := tokenJSON{
		ID: id.String(), AccessToken: string(token.Access), TokenType: token.TypeOrBearer(),
		Expires: exactly(token.Expires), ExpiresIn: int64(time.Until(token.Expires).Seconds()),
		Scopes: token.Scopes, User: token.User,
	}
	for name, value := range token.Extras {
		form.Extras = with(form.Extras, name, json.RawMessage(value))
	}
	return form
}
