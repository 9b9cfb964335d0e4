package main

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/local"
)

// logout.go owns the command logout.

func (p *program) logoutCmd() *cobra.Command {
	var revoke bool
	cmd := &cobra.Command{
		Use:     "logout ID...",
		GroupID: groupSignIns,
		Short:   "Forget a sign-in; with --revoke, end it at the venue too",
		Long: `Forget the tokens of sign-ins. With --revoke the venue is first asked to revoke
both the refresh token and the access token. If it does not confirm both,
nothing is forgotten, and the error says which token is revoked. If a venue
cannot revoke tokens, the error says so: revoke access on the venue's own page.
If a venue revoked the refresh token and cannot revoke an access token, it has
done what it can: the sign-in is forgotten, and you are told how long the access
token may still be valid.

A pattern in quotes means all sign-ins that it matches, '*' every one.`,
		Example: `  venuekey logout ctrader/alice
  venuekey logout ttp/alice --revoke
  venuekey logout 'tradovate/*'`,
		Args:              p.someIDs,
		ValidArgsFunction: p.completeSomeIDs,
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.withVault(cmd.Context(), func(v *local.Vault) error {
				return p.each(cmd.Context(), v, args, func(id venuekey.ID) (any, string, error) {
					err := v.Keeper.SignOut(cmd.Context(), id, revoke)
					words := id.String() + " is signed out"
					switch known, ok := errors.AsType[*venuekey.Error](err); {
					case ok && errors.Is(err, venuekey.ErrAccessLives):
						return signedOut{ID: id.String(), Left: known.Reason}, words + "; " + known.Reason, nil
					case err != nil:
						return nil, "", signOutError(id, err)
					case revoke:
						words += ", and the venue confirmed that its tokens are revoked"
					}
					return signedOut{ID: id.String(), Revoked: revoke}, words, nil
				})
			})
		},
	}
	cmd.Flags().BoolVar(&revoke, "revoke", false, "ask the venue to revoke the tokens first")
	return cmd
}

type signedOut struct {
	ID string `json:"id"`
	// Revoked means that the venue confirmed that both tokens are revoked. Left says what
	// it cannot revoke.
	Revoked bool   `json:"revoked"`
	Left    string `json:"left,omitempty"`
}

// signOutError corrects the remedy of an error: not being signed in is no reason to sign
// in, and a venue that cannot revoke is no reason to keep the token.
func signOutError(id venuekey.ID, err error) error {
	known, ok := errors.AsType[*venuekey.Error](err)
	if !ok {
		return err
	}
	failed := *known
	switch {
	case errors.Is(err, venuekey.ErrNotFound) && failed.Class == venuekey.ClassRefused:
		failed.Class, failed.Remedy = venuekey.ClassFailed, "venuekey list"
	case errors.Is(err, errors.ErrUnsupported):
		failed.Remedy = "venuekey logout " + id.String() + ", and revoke access on the venue's own page"
	}
	return &failed
}
