package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/venuekey/venuekey"
)

// token.go owns the command token, which programs call.

func (p *program) tokenCmd() *cobra.Command {
	var header, rejected bool
	cmd := &cobra.Command{
		Use:     "token ID",
		GroupID: groupUse,
		Short:   "Print a valid access token and nothing else",
		Long: `Print the access token of a sign-in, and nothing else. If it is due, it is
renewed first; while the old token is still valid, a failed renewal is not an
error. Any number of programs may ask at the same time: one of them renews.

If a human must sign in although the token has not expired, the outcome depends
on the venue. At cTrader such a token is dead, and the exit code is 3. At a
venue that keeps it valid, it is printed, with a note on standard error.

If the venue refuses a token that venuekey printed, hand it back with
--rejected-stdin, which reads it from standard input. It prints the newer token
if there is one already, or renews it. Tradovate is asked first whether the
token is dead: if it is good, the call was refused for another cause, such as a
device that is not approved, and nothing is renewed. Do not use "venuekey
refresh" for that: if a renewal ends the old token, two programs that each renew
would keep ending each other's token. A 403 or insufficient_scope does not mean
that the token was refused: the sign-in lacks the right to make that call,
whatever its token.

TheTradingParrot's API needs a second header field besides the token, "Accept:
application/vnd.thetradingparrot+json;version=1.0".

With --json the token comes with its type, its expiry, the state of the sign-in,
its scopes and, in "extras", whatever else the venue gave: for example,
Tradovate's market data token. The refresh token is never printed: only venuekey
may present it.`,
		Example: `  venuekey token ctrader/alice
  venuekey token tradovate/bot --json | jq -r .extras.mdAccessToken
  echo "$refused" | venuekey token ctrader/alice --rejected-stdin`,
		Args: p.oneID,
		// A fresh token is printed before a signal could matter, and listening for signals
		// takes a tenth of the time. Renewals do listen: see BeforePresenting.
		PersistentPreRun:  func(*cobra.Command, []string) {},
		ValidArgsFunction: p.completeIDs,
		RunE: func(cmd *cobra.Command, args []string) error {
			id, ask := mustID(args), p.tokenOf
			if rejected {
				ask = p.tokenInPlaceOf
			}
			return p.withSignIns(cmd.Context(), func(from signIns) error {
				token, state, err := ask(cmd.Context(), from, id)
				if err != nil {
					return err
				}
				return p.printToken(id, token, state, header)
			})
		},
	}
	cmd.Flags().BoolVar(&header, "header", false, `print the header field "Authorization: Bearer …"`)
	cmd.Flags().BoolVar(&rejected, "rejected-stdin", false, "read the token that the venue refused from stdin")
	return cmd
}

// tokenOf returns a valid token and the state of its sign-in. It is an error if the sign-in
// is known to be dead, and the token with it.
func (p *program) tokenOf(ctx context.Context, from signIns, id venuekey.ID) (*venuekey.Token, venuekey.State, error) {
	token, state, err := from.Token(ctx, id)
	return p.noted(ctx, from, id, token, state, err)
}

// tokenInPlaceOf is tokenOf for a program whose token was refused.
func (p *program) tokenInPlaceOf(ctx context.Context, from signIns, id venuekey.ID) (*venuekey.Token, venuekey.State, error) {
	refused, err := p.refusedToken(ctx, id)
	if err != nil {
		return nil, "", err
	}
	token, state, err := from.Reject(ctx, id, refused)
	return p.noted(ctx, from, id, token, state, err)
}

// refusedToken reads the token that the venue refused, once for all who are asked.
func (p *program) refusedToken(ctx context.Context, id venuekey.ID) (venuekey.Secret, error) {
	if p.refused != nil {
		return p.refused(), nil
	}
	given, err := p.ask(ctx, venuekey.Field{Help: "the access token that was refused", Secret: true})
	if err != nil {
		return "", err
	}
	words := strings.Fields(string(given)) // it may be a whole header field
	if len(words) == 0 {
		return "", misused("echo \"$token\" | venuekey token "+id.String()+" --rejected-stdin", "the access token that was refused: nothing was entered")
	}
	refused := venuekey.Secret(words[len(words)-1])
	p.refused = func() venuekey.Secret { return refused }
	return refused, nil
}

// noted tells the person that a token which is good belongs to a sign-in that is not.
func (p *program) noted(ctx context.Context, from signIns, id venuekey.ID, token *venuekey.Token, state venuekey.State, err error) (*venuekey.Token, venuekey.State, error) {
	if err != nil || state != venuekey.StateNeedsSignIn {
		return token, state, err
	}
	if status, err := from.Status(ctx, id); err == nil {
		p.tell("venuekey: note: %s: needs sign-in: %s; the access token is valid for %s", id, oneLine(status.Reason), span(time.Until(token.Expires)))
		p.tell("  try: %s", p.loginCommand(id))
	}
	return token, state, nil
}

// printToken is one of the few places that output a secret in plain text: the user asked
// for it.
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
