package venuekey

import (
	"context"
	"errors"

	"github.com/venuekey/venuekey/internal/foreign"
)

// signin.go owns the beginning and the end of a sign-in.

// SignIn signs a user in at the ID's venue and saves the token, replacing any sign-in of
// that ID. It first checks that the store accepts writes, so that no user is sent to a
// venue for a token that cannot be saved. When the error is nil, the token is durable.
// The returned token carries no refresh token.
func (k *Keeper) SignIn(ctx context.Context, id ID, ui UI) (*Token, error) {
	return k.SignInWith(ctx, id, ui, SignInOptions{})
}

// SignInOptions are what a user may decide about a sign-in. The zero value is what SignIn
// does.
type SignInOptions struct {
	// KeepPassword keeps the name and password with which the user signs in, sealed with
	// the token, for a venue that is a Repeater. When nothing else renews the sign-in, as
	// after a weekend, the Keeper signs the user in again with them: only inside
	// Policy.FailedSignIns, outside of maintenance, at most once an hour if the venue ends
	// the sessions, and never again once the venue has refused them. Whoever can open the
	// vault has the password then, which is why RFC 9700 §2.4 wants clients to have none.
	KeepPassword bool
	// EndOldest signs in even if the venue then ends another sign-in of this vault, because
	// it allows the user only so many (Policy.MaxSessions). Otherwise a UI that is a
	// Confirmer is asked, and without a yes the error matches ErrEndsOldest. It is known
	// beforehand only at venues that ask for a name (Field.User).
	EndOldest bool
}

// SignInWith is SignIn with the user's decisions.
func (k *Keeper) SignInWith(ctx context.Context, id ID, ui UI, options SignInOptions) (*Token, error) {
	k.init()
	venue, app, err := k.venueAndApp(ctx, id.Venue)
	if err != nil {
		return nil, annotate(err, id, "sign in")
	}
	first, err := k.Vault.probe(ctx, id)
	if err != nil {
		return nil, annotate(err, id, "sign in")
	}
	k.reserve()
	live := k.liveAt(ctx, venue)
	person := &cautious{UI: ui, by: id, most: venue.Policy().MaxSessions, Live: live, allowed: options.EndOldest}
	token, err := k.login(ctx, venue, app, person)
	if err != nil {
		return nil, annotate(err, id, "sign in")
	}
	token.SignedIn, token.typed = token.Issued, person.name
	switch _, can := venue.(Repeater); {
	case !options.KeepPassword:
		token.Password = ""
	case !can || token.Password == "":
		ui.Tell("There is no password to keep: " + id.Venue + " signed the user in without one.")
	}
	// From here on neither the caller's context nor the UI may cost the token.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), k.saveBudget())
	defer cancel()
	record, err := k.adopt(ctx, id, first, token, k.early(ctx, venue, token))
	if err != nil {
		return nil, annotate(err, id, "sign in")
	}
	k.forgetVerdict(ctx, id)
	k.logAnswer(id, token)
	k.keepLearned(ctx, venue.Name(), token.Learned)
	if named := k.identify(ctx, venue, app, token); named != token.User {
		token.User = named
		// If that fails, only the name is missing.
		if saved, err := k.Vault.save(ctx, record, token); err == nil {
			record = saved
		}
	}
	token.Generation = record.Generation
	k.publish(id, token, record)
	k.log().Info("signed in", "id", id, "expires", token.Expires, "next", record.NextRefresh)
	if warning := clockWarning(token); warning != "" {
		ui.Tell(warning)
	}
	k.reportShortcomings(id, token, ui)
	k.suspectOldest(ctx, venue, live, id, token, ui)
	return token.handedOut(), nil
}

// login is the sign-in itself. A token that can be renewed but not used is renewed when a
// caller first asks for it.
func (k *Keeper) login(ctx context.Context, venue Venue, app App, ui UI) (Token, error) {
	end, err := k.mayFail(ctx, venue, countsForUser)
	if err != nil {
		return Token{}, err
	}
	token, err := venue.Login(k.withTickets(ctx, venue), app, ui)
	end(err)
	if err != nil {
		return Token{}, venueError(err, venue, app)
	}
	token, why := receivedToken(token, secretsOf(venue, app)...)
	switch {
	case why != "" && token.Refresh == "":
		return Token{}, &Error{Class: ClassUnknown, Reason: why + ", and cannot be used", Remedy: "sign in again"}
	case why != "":
		token.Notes = append(token.Notes, why)
	}
	return expiredIfBare(withDefaults(token, venue.Policy())), nil
}

// adopt saves a token from a sign-in. It replaces any token of the ID, and a renewal of
// the old one finds that the generation has moved. If the store refuses now, although it
// accepted the probe, the token goes to a spill file.
func (k *Keeper) adopt(ctx context.Context, id ID, first int64, token Token, policy Policy) (Record, error) {
	for {
		record, err := k.Vault.Store.Get(ctx, tokenPrefix+id.String())
		if errors.Is(err, ErrNotFound) {
			record, err = Record{Key: tokenPrefix + id.String(), Generation: first}, nil
		}
		if err != nil {
			return Record{}, storeError(id, "read", err)
		}
		replaces := record.Generation
		record.Generation = max(plausible(replaces), k.highestSeen(record.Key))
		if plausible(replaces) != replaces {
			record.Generation = max(record.Generation, plausible(first))
		}
		r, err := k.rotate(record, token, policy, RenewWithRefreshToken)
		if err != nil {
			return Record{}, err
		}
		r.from = replaces
		saved, err := k.Vault.write(ctx, r.record)
		if errors.Is(err, ErrConflict) {
			continue
		}
		if err != nil {
			return r.record, k.keepElsewhere(id, r, err)
		}
		k.mark(saved.Key, token, saved.Generation)
		return saved, nil
	}
}

// identify asks the venue who signed in. Not knowing is no reason to fail.
func (k *Keeper) identify(ctx context.Context, venue Venue, app App, token Token) string {
	who, ok := venue.(Identifier)
	if !ok || token.User != "" || token.Access == "" {
		return token.User
	}
	user, err := who.Identify(ctx, app, token)
	if err != nil {
		k.log().Debug("account identity unknown", "venue", venue.Name(), "error", venueError(err, venue, app, token))
	}
	return foreign.NameWithout(user, secretsOf(venue, app, token)...)
}

// SignOut deletes the token of an ID. With revoke it first asks the venue to revoke the
// token (RFC 7009); if that fails, nothing is deleted. If the venue cannot revoke, the
// error matches errors.ErrUnsupported and nothing is deleted either: the caller may sign
// out again without revoke. If the venue revoked the refresh token but cannot revoke the
// access token, the error matches ErrAccessLives and the token is deleted: nothing more
// can be done.
func (k *Keeper) SignOut(ctx context.Context, id ID, revoke bool) error {
	k.init()
	var left error
	for {
		token, record, err := k.Vault.load(ctx, id)
		// A record that cannot be opened can still be forgotten.
		if err != nil && (ClassOf(err) != ClassDamaged || revoke) {
			return annotate(err, id, "sign out")
		}
		if revoke {
			if err := k.revoke(ctx, id, token); err != nil {
				if left = annotate(err, id, "revoke"); !errors.Is(err, ErrAccessLives) {
					return left
				}
			}
			revoke = false
		}
		if record.Key == "" {
			record.Key = tokenPrefix + id.String()
		}
		err = k.Vault.Store.Delete(ctx, record.Key, record.Version)
		if errors.Is(err, ErrConflict) {
			continue
		}
		if err != nil && !errors.Is(err, ErrNotFound) {
			return annotate(storeError(id, "delete", err), id, "sign out")
		}
		k.unmark(record.Key, nil)
		k.forget(id)
		k.log().Info("signed out", "id", id)
		return left
	}
}

func (k *Keeper) revoke(ctx context.Context, id ID, token Token) error {
	venue, app, err := k.venueAndApp(ctx, id.Venue)
	if err != nil {
		return err
	}
	revoker, ok := venue.(Revoker)
	if !ok {
		return &Error{Class: ClassFailed, Reason: id.Venue + " has no way to revoke a token", Err: errors.ErrUnsupported}
	}
	return venueError(revoker.Revoke(ctx, app, token), venue, app, token)
}
