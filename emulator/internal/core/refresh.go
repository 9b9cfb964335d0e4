package core

import (
	"time"

	"github.com/venuekey/venuekey/emulator"
)

// refresh.go owns exchanging a refresh token, or a live access token, for a new pair.

func (r *refreshToken) refusal(now time.Time) error {
	switch {
	case r.family.dead || r.family.refreshDead:
		return ErrRevokedToken
	case !r.expires.IsZero() && !now.Before(r.expires):
		return ErrExpiredToken
	}
	return nil
}

// Refresh presents a refresh token. The check, if not nil, is called with the grant before
// the token is used; its error is returned as is, and nothing has changed then.
func (t *Tokens) Refresh(now time.Time, refresh string, p Policy, check func(emulator.Grant) error) (emulator.Pair, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	r, ok := t.refresh[refresh]
	if !ok {
		return emulator.Pair{}, ErrUnknownToken
	}
	if err := r.refusal(now); err != nil {
		return emulator.Pair{Grant: clone(r.family.grant)}, err
	}
	if check != nil {
		if err := check(clone(r.family.grant)); err != nil {
			return emulator.Pair{Grant: clone(r.family.grant)}, err
		}
	}
	if !r.firstUse.IsZero() {
		switch r.reused(now, p) {
		case reuseRefused:
			if p.Rotation == emulator.RotationStrictFamilyRevoke {
				r.family.dead = true
			}
			return emulator.Pair{Grant: clone(r.family.grant)}, ErrUsedToken
		case reuseSamePair:
			return *r.firstAnswer, nil
		}
	}
	return t.rotate(now, r, p), nil
}

// RefreshAlive reports whether a refresh token would be accepted. It does not count as using
// it.
func (t *Tokens) RefreshAlive(now time.Time, refresh string, p Policy) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	r, ok := t.refresh[refresh]
	if !ok || r.refusal(now) != nil {
		return false
	}
	return r.firstUse.IsZero() || r.reused(now, p) != reuseRefused
}

// reuse is what happens to a refresh token that was used before.
type reuse int

const (
	reuseRefused reuse = iota
	reuseNewPair
	reuseSamePair
)

func (r *refreshToken) reused(now time.Time, p Policy) reuse {
	grace := p.Grace
	if grace <= 0 {
		grace = emulator.DefaultGrace
	}
	inGrace := now.Sub(r.firstUse) <= grace
	switch p.Rotation {
	case emulator.RotationGraceNewPair:
		if inGrace {
			return reuseNewPair
		}
	case emulator.RotationGraceSamePair:
		// Only for the generation before the current one, or the answer would contain a
		// refresh token that is itself used.
		if inGrace && r.firstAnswer != nil && !r.refreshedOn {
			return reuseSamePair
		}
	case emulator.RotationPreviousUntilSuccessorUsed:
		if !r.successorUsed {
			return reuseNewPair
		}
	case emulator.RotationOldStays, emulator.RotationNoNewRefresh:
		return reuseNewPair
	}
	return reuseRefused
}

// rotate issues the next pair for a refresh token. The caller holds the lock.
func (t *Tokens) rotate(now time.Time, r *refreshToken, p Policy) emulator.Pair {
	if r.from != nil {
		r.from.refreshedOn, r.from.successorUsed = true, true
	}
	if p.KillOldAccess {
		r.family.endAccess()
	}
	pair := t.mint(now, r.family, r, p, issuesRefresh(p.Rotation) && !p.NoRefresh)
	if r.firstUse.IsZero() {
		r.firstUse = now
		r.firstAnswer = &pair
	}
	return pair
}

// issuesRefresh reports whether the answer to a refresh contains a new refresh token.
func issuesRefresh(r emulator.Rotation) bool {
	return r != emulator.RotationNoNewRefresh && r != emulator.RotationNoNewRefreshOldDies
}

func (f *family) endAccess() {
	for _, a := range f.access {
		a.dead = true
	}
	f.access = nil // these need not be ended again
}

// Renew issues a new access token for a live one, in the same family and without a refresh
// token. With Policy.KillOldAccess it ends the presented one.
func (t *Tokens) Renew(now time.Time, access string, p Policy) (emulator.Pair, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	a, ok := t.access[access]
	if !ok {
		return emulator.Pair{}, ErrUnknownToken
	}
	if err := a.refusal(now); err != nil {
		return a.pair, err
	}
	if p.KillOldAccess {
		a.dead = true
	}
	return t.mint(now, a.family, a.from, p, false), nil
}
