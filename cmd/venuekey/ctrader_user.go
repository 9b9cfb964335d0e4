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

// ctrader_user.go owns the user of a sign-in at cTrader. The answer with the token does not
// say who it is, and the redirect has no state. The person has to see it, because an
// attacker's account could have been slipped in.

const (
	// userPatience is how long a sign-in waits for the name of its user.
	userPatience = 5 * time.Second
	// mostAccounts is how many accounts are listed.
	mostAccounts = 8
)

// owner is the user of a token, as far as the Open API says.
type owner struct {
	user     string
	accounts []message.CtidTraderAccount
}

// ownerOf queries both on one connection. There may be accounts even with an error.
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

// tellOwner prints whose a new sign-in at cTrader is, and saves that. The sign-in itself is
// saved already and stays, even if this fails. before is its user until now, if known.
func (p *program) tellOwner(ctx context.Context, v *local.Vault, id venuekey.ID, token *venuekey.Token, before string) *venuekey.Token {
	if id.Venue != "ctrader" || token.User != "" {
		return token
	}
	o, err := p.openAPIOf(ctx, v, id)
	if app, _, unknown := v.App(ctx, id.Venue); err != nil && unknown == nil && environ.EmulatedAt(app) != "" {
		return token // the emulated venue has no Open API
	}
	var found owner
	if err == nil {
		ctx, cancel := context.WithTimeout(ctx, userPatience)
		defer cancel()
		if found, err = o.ownerOf(ctx, token.Access); found.user != "" {
			named := *token
			named.User = found.user
			if missed := v.Keeper.Named(ctx, id, token, found.user); missed != nil {
				p.tell("%s: the user of this sign-in could not be saved: %v", id, missed)
			}
			token = &named
		}
	}
	if err != nil {
		p.tell("%s: signed in, but the Open API does not say whose sign-in this is: %s", id, oneLine(err.Error()))
	}
	shown := func(text string) string { return gate.NameWithout(text, o.App.ClientSecret, token.Access) }
	for _, line := range accountLines(found.accounts, shown) {
		p.tell("  %s", line)
	}
	if before != "" && found.user != "" && before != found.user {
		p.tell("%s: this is a different user than before: %s, was %s", id, found.user, before)
	}
	return token
}

// nameOwner saves the user of an earlier sign-in, if it was not known. It is a side effect
// of another command, so it fails silently.
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

// accountLines lists the accounts of a sign-in, each with the login that the broker shows,
// its environment and the broker.
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
