package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/internal/environ"
	gate "github.com/venuekey/venuekey/internal/foreign"
	"github.com/venuekey/venuekey/local"
	"github.com/venuekey/venuekey/venue/ctrader/openapi/message"
)

// ctrader_user.go owns whose sign-in one at cTrader is. The token's answer does not
// say, and the redirect carries no state back: who signed in has to see it, because
// somebody else's account could have been slipped in.

const (
	// userPatience is how long a sign-in waits to hear whose it is.
	userPatience = 5 * time.Second
	// mostAccounts is how many are named.
	mostAccounts = 8
)

// owner is who a token is of, as far as the Open API says.
type owner struct {
	user     string
	accounts []message.CtidTraderAccount
}

// ownerOf asks on one connection. There can be accounts although there is an error.
func (o *openAPI) ownerOf(ctx context.Context, access venuekey.Secret) (found owner, err error) {
	err = o.connected(ctx, func(do doing) error {
		profile, err := do(ctx, &message.GetCtidProfileByTokenReq{AccessToken: access})
		if known, ok := profile.(*message.GetCtidProfileByTokenRes); ok && known.Profile.UserID != 0 {
			found.user = number(known.Profile.UserID)
		}
		list, missing := do(ctx, &message.GetAccountListByAccessTokenReq{AccessToken: access})
		if known, ok := list.(*message.GetAccountListByAccessTokenRes); ok {
			found.accounts = known.CtidTraderAccount
		}
		return errors.Join(err, missing)
	})
	return found, err
}

// tellOwner says whose a new sign-in at cTrader is, and keeps it. The sign-in is
// kept already and stands whatever comes of this. before is who it was of until
// now, if that is known.
func (p *program) tellOwner(ctx context.Context, v *local.Vault, id venuekey.ID, token *venuekey.Token, before string) *venuekey.Token {
	if id.Venue != "ctrader" || token.User != "" {
		return token
	}
	o, err := p.openAPIOf(ctx, v, id)
	if app, _, unknown := v.App(ctx, id.Venue); err != nil && unknown == nil && environ.EmulatedAt(app) != "" {
		return token // there is only a page to sign in at
	}
	var found owner
	if err == nil {
		ctx, cancel := context.WithTimeout(ctx, userPatience)
		defer cancel()
		if found, err = o.ownerOf(ctx, token.Access); found.user != "" {
			named := *token
			named.User = found.user
			if missed := v.Keeper.Named(ctx, id, token, found.user); missed != nil {
				p.tell("%s: whose sign-in it is could not be kept: %v", id, missed)
			}
			token = &named
		}
	}
	if err != nil {
		p.tell("%s: the Open API does not say whose sign-in this is; it stands all the same: %s", id, oneLine(err.Error()))
	}
	shown := func(text string) string { return gate.NameWithout(text, o.App.ClientSecret, token.Access) }
	for _, line := range accountLines(found.accounts, shown) {
		p.tell("  %s", line)
	}
	if before != "" && found.user != "" && before != found.user {
		p.tell("%s: this is another account than before: %s, was %s", id, found.user, before)
	}
	return token
}

// nameOwner keeps whose an earlier sign-in is, if nobody knew. It is done beside
// something else, so that it fails without a word.
func (o *openAPI) nameOwner(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, userPatience)
	defer cancel()
	token, err := o.Source.Token(ctx)
	if err != nil || token.User != "" {
		return
	}
	if found, _ := o.ownerOf(ctx, token.Access); found.user != "" {
		_ = o.keeper.Named(ctx, o.id, token, found.user)
	}
}

// accountLines are the accounts of a sign-in, each with the login that the broker
// shows, its environment and the broker.
func accountLines(accounts []message.CtidTraderAccount, shown func(string) string) (lines []string) {
	for _, a := range accounts[:min(mostAccounts, len(accounts))] {
		login := "-"
		if n, ok := a.TraderLogin.Get(); ok {
			login = number(n)
		}
		lines = append(lines, strings.TrimSpace(login+" "+environmentOf(a)+" "+shown(a.BrokerTitleShort.Or(""))))
	}
	if more := len(accounts) - len(lines); more > 0 {
		lines = append(lines, fmt.Sprintf("and %d more", more))
	}
	return lines
}
