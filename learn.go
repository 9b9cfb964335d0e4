package venuekey

import (
	"context"
	"errors"
	"maps"
)

// learn.go owns what a venue's answer says besides its token: oddities, and parameters
// found out about the app. It also reconsiders refused sign-ins when the app changes.

// logAnswer logs what was odd about a token's answer, once the token is saved.
func (k *Keeper) logAnswer(id ID, token Token) {
	if warning := clockWarning(token); warning != "" {
		k.log().Warn(warning, "id", id)
	}
	for _, line := range token.Notes {
		k.log().Warn("the venue's answer was odd: "+line, "id", id)
	}
}

// keepLearned saves what a sign-in or a renewal found out about the app, so that it
// need not be found out again. If the vault does not hold the app, it is only logged.
func (k *Keeper) keepLearned(ctx context.Context, venue string, learned map[string]string) {
	if len(learned) == 0 {
		return
	}
	err := k.Vault.changeApp(ctx, venue, func(record Record) (App, bool, error) {
		if record.Version == 0 {
			return App{}, false, ErrNotFound
		}
		app, err := k.Vault.openApp(record)
		if err != nil {
			return App{}, false, err
		}
		params := maps.Clone(app.Params)
		if params == nil {
			params = map[string]Secret{}
		}
		for name, value := range learned {
			params[name] = Secret(value)
		}
		changed := !maps.Equal(params, app.Params)
		app.Params = params
		return app, changed, nil
	})
	if errors.Is(err, ErrNotFound) {
		k.log().Info("these parameters should be set for the app", "venue", venue, "params", learned)
		return
	}
	if err != nil {
		k.log().Warn("what was found out about the app could not be saved", "venue", venue, "error", systemError(err))
	}
}

// changedSince reports whether the app's credentials differ from those under which the
// venue refused to renew a token.
func (k *Keeper) changedSince(ctx context.Context, id ID, token Token) bool {
	if token.refusedUnder == "" {
		return false
	}
	app, err := k.app(ctx, id.Venue)
	return err == nil && app.credentials() != token.refusedUnder
}

// reconsider makes due the sign-ins that the venue refused under other credentials than
// the app has now.
func (k *Keeper) reconsider(ctx context.Context, venue string) {
	for record, err := range k.Vault.all(ctx, tokenPrefix+venue+"/") {
		if err != nil {
			return // another look reports the store
		}
		if !record.NextRefresh.IsZero() || record.Condition == ConditionGood {
			continue
		}
		token, err := k.Vault.openToken(record)
		if err != nil || !k.changedSince(ctx, record.ID(), token) {
			continue
		}
		record.NextRefresh = record.ReadAt
		if _, err := k.Vault.Store.Put(ctx, record); err == nil {
			k.log().Info("the app's credentials changed: a sign-in that was refused is tried again", "id", record.ID())
		}
	}
}
