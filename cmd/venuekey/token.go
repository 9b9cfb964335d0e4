package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/local"
)

// token.go owns the command that every program asks.

func (p *program) tokenCmd() *cobra.Command {
	var header, rejected bool
	cmd := &cobra.Command{
		Use:     "token ID",
		GroupID: groupUse,
		Short:   "Print a good access token and nothing else",
		Long: `Print the access token of a sign-in, and nothing else. It is renewed first where
that is due; while the old one is still good, trouble with renewing it is no
error. Any number of programs may ask at the same time: one of them renews.

If only a human can help although the token has not expired, it depends on the
venue. At cTrader such a token is dead, and the exit code is 3; at a venue that
lets it live it is printed, with a line on standard error.

When the venue refuses a token that venuekey printed, hand it back:
--rejected-stdin reads it from standard input, and prints the newer one that is
there already, or renews it. Do not use "venuekey refresh" for that: where a
renewal ends the old token, two programs that each renew would end each other's
token, over and over. A 403, or insufficient_scope, does not refuse the token:
it lacks the right to that call, as every other one of this sign-in would.

TheTradingParrot's API wants another header field beside the token, "Accept:
application/vnd.thetradingparrot+json;version=1.0".

With --json the token comes with its type, its end, the state of the sign-in,
its scopes and whatever else the venue gave, as in "extras": Tradovate's market
data token is there. The refresh token is never printed: only venuekey may
present it.`,
		Example: `  venuekey token ctrader/alice
  venuekey token tradovate/bot --json | jq -r .extras.mdAccessToken
  echo "$refused" | venuekey token ctrader/alice --rejected-stdin`,
		Args: oneID,
		// A token that is fresh is printed before a signal could be waited for, and
		// to listen for one takes a tenth of the time. Renewals do: see apps.
		PersistentPreRun:  func(*cobra.Command, []string) {},
		ValidArgsFunction: p.completeIDs,
		RunE: func(cmd *cobra.Command, args []string) error {
			id, ask := mustID(args), p.tokenOf
			if rejected {
				ask = p.tokenInPlaceOf
			}
			return p.withVault(cmd.Context(), func(v *local.Vault) error {
				token, state, err := ask(cmd.Context(), v, id)
				if err != nil {
					return err
				}
				return p.printToken(id, token, state, header)
			})
		},
	}
	cmd.Flags().BoolVar(&header, "header", false, `print it as the header field "Authorization: Bearer …"`)
	cmd.Flags().BoolVar(&rejected, "rejected-stdin", false, "hand back the token that the venue refused")
	return cmd
}

// tokenOf is a good token, and how its sign-in stands. Where the sign-in is known
// to be dead, whoever asks is told.
func (p *program) tokenOf(ctx context.Context, v *local.Vault, id venuekey.ID) (*venuekey.Token, venuekey.State, error) {
	token, err := v.Keeper.Token(ctx, id)
	if token, err = p.settled(ctx, v, id, token, err); err != nil {
		return nil, "", err
	}
	return p.unlessDead(ctx, v, id, token)
}

// tokenInPlaceOf is tokenOf for a program that was refused.
func (p *program) tokenInPlaceOf(ctx context.Context, v *local.Vault, id venuekey.ID) (*venuekey.Token, venuekey.State, error) {
	given, err := p.ask(ctx, venuekey.Field{Help: "the access token that was refused", Secret: true})
	if err != nil {
		return nil, "", err
	}
	words := strings.Fields(string(given)) // it may stand in its header field
	if len(words) == 0 {
		return nil, "", misused("echo \"$token\" | venuekey token "+id.String()+" --rejected-stdin", "the access token that was refused: nothing was entered")
	}
	token, err := v.Keeper.Reject(ctx, id, venuekey.Secret(words[len(words)-1]))
	if token, err = p.settled(ctx, v, id, token, err); err != nil {
		return nil, "", err
	}
	return p.unlessDead(ctx, v, id, token)
}

// unlessDead judges a token that has not expired. Where a renewal ends the old
// access token, whatever ended the refresh token ended the access token too: the
// user signed in again, or took access away, or somebody else renewed.
func (p *program) unlessDead(ctx context.Context, v *local.Vault, id venuekey.ID, token *venuekey.Token) (*venuekey.Token, venuekey.State, error) {
	state, err := v.Keeper.State(ctx, id)
	if err != nil || state != venuekey.StateNeedsSignIn {
		return token, state, nil
	}
	status, err := v.Keeper.Status(ctx, id)
	if err != nil {
		return token, state, nil
	}
	if venue, known := venueOf(id.Venue); known && status.AccessEnded(venue.Policy()) {
		return nil, status.State, &venuekey.Error{ID: id, Op: "token", Class: venuekey.ClassRefused,
			Reason: "the venue ended the access token, though it has not expired: " + status.Reason}
	}
	p.tell("venuekey: note: %s: needs sign-in: %s; the access token lives %s", id, oneLine(status.Reason), span(time.Until(token.Expires)))
	p.tell("  try: %s", p.loginCommand(id))
	return token, status.State, nil
}

// printToken is one of the few places where a secret leaves in plain text:
// whoever runs the command asked for it.
func (p *program) printToken(id venuekey.ID, token *venuekey.Token, state venuekey.State, header bool) error {
	access := string(token.Access)
	switch {
	case p.json:
		return p.writeJSON(tokenForm(id, token, state))
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
	State       string                     `json:"state"`
	Expires     string                     `json:"expires"`
	ExpiresIn   int64                      `json:"expires_in"`
	Scopes      []string                   `json:"scopes,omitempty"`
	User        string                     `json:"user,omitempty"`
	Extras      map[string]json.RawMessage `json:"extras,omitempty"`
}

func tokenForm(id venuekey.ID, token *venuekey.Token, state venuekey.State) tokenJSON {
	form := tokenJSON{
		ID: id.String(), AccessToken: string(token.Access), TokenType: token.TypeOrBearer(), State: string(state),
		Expires: exactly(token.Expires), ExpiresIn: int64(time.Until(token.Expires).Seconds()),
		Scopes: token.Scopes, User: token.User,
	}
	for name, value := range token.Extras {
		form.Extras = with(form.Extras, name, json.RawMessage(value))
	}
	return form
}
