package main

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/venuekey/venuekey"
)

// logout.go owns the end of a sign-in.

func (p *program) logoutCmd() *cobra.Command {
	var revoke bool
	cmd := &cobra.Command{
		Use:     "logout ID",
		GroupID: groupSignIns,
		Short:   "Forget a sign-in, and with --revoke end it at the venue",
		Long: `Forget the token of a sign-in. With --revoke the venue is asked first to end
it, the refresh token and the access token; if it does not confirm the end of both,
nothing is forgotten and the error says which one is ended. A venue that has no way
to revoke says so: take access away on its own page then.`,
		Example: `  venuekey logout ctrader/alice
  venuekey logout ttp/alice --revoke`,
		Args:              oneID,
		ValidArgsFunction: p.completeIDs,
		RunE: func(cmd *cobra.Command, args []string) error {
			id := mustID(args)
			return p.withVault(cmd.Context(), func(v *vault) error {
				if err := v.keeper.SignOut(cmd.Context(), id, revoke); err != nil {
					return signOutError(id, err)
				}
				if revoke {
					return p.say(signedOut{id.String(), true}, "%s is signed out, and the venue confirmed the end of its tokens", id)
				}
				return p.say(signedOut{id.String(), false}, "%s is signed out", id)
			})
		},
	}
	cmd.Flags().BoolVar(&revoke, "revoke", false, "ask the venue to end the token first")
	return cmd
}

type signedOut struct {
	ID      string `json:"id"`
	Revoked bool   `json:"revoked"`
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
	case errors.Is(err, venuekey.ErrNotFound) && told.Class == venuekey.Refused:
		told.Class, told.Remedy = venuekey.Failed, "venuekey list"
	case errors.Is(err, errors.ErrUnsupported):
		told.Remedy = "venuekey logout " + id.String() + ", and take access away on the venue's own page"
	}
	return &told
}
