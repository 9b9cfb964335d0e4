package main

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/local"
)

// logout.go owns the end of a sign-in.

func (p *program) logoutCmd() *cobra.Command {
	var revoke bool
	cmd := &cobra.Command{
		Use:     "logout ID...",
		GroupID: groupSignIns,
		Short:   "Forget a sign-in, and with --revoke end it at the venue",
		Long: `Forget the tokens of sign-ins. With --revoke the venue is asked first to end
them, the refresh token and the access token; if it does not confirm the end of
both, nothing is forgotten and the error says which one is ended. A venue that
has no way to revoke says so: take access away on its own page then. One that
ended the refresh token, and has no way to end an access token, has done what it
can: the sign-in is forgotten, and you are told how long the access token may
live.

A pattern in quotes stands for all sign-ins that it fits, '*' for every one.`,
		Example: `  venuekey logout ctrader/alice
  venuekey logout ttp/alice --revoke
  venuekey logout 'tradovate/*'`,
		Args:              someIDs,
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
						words += ", and the venue confirmed the end of its tokens"
					}
					return signedOut{ID: id.String(), Revoked: revoke}, words, nil
				})
			})
		},
	}
	cmd.Flags().BoolVar(&revoke, "revoke", false, "ask the venue to end the token first")
	return cmd
}

type signedOut struct {
	ID string `json:"id"`
	// Revoked says that the venue confirmed the end of both tokens, and Left what it
	// has no way to end.
	Revoked bool   `json:"revoked"`
	Left    string `json:"left,omitempty"`
}

// signOutError says what helps. That nobody is signed in is no reason to sign
// in, and a venue that cannot revoke is no reason to keep the token.
func signOutError(id venuekey.ID, err error) error {
	known, ok := errors.AsType[*venuekey.Error](err)
	if !ok {
		return err
	}
	told := *known
	switch {
	case errors.Is(err, venuekey.ErrNotFound) && told.Class == venuekey.ClassRefused:
		told.Class, told.Remedy = venuekey.ClassFailed, "venuekey list"
	case errors.Is(err, errors.ErrUnsupported):
		told.Remedy = "venuekey logout " + id.String() + ", and take access away on the venue's own page"
	}
	return &told
}
