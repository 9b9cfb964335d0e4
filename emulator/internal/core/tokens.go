package core

import (
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/venuekey/venuekey/emulator"
)

// tokens.go owns the token store: families of access and refresh tokens, which of them are
// alive, and which end together. Presenting a refresh token is in refresh.go.

// The errors of a token that is presented.
var (
	ErrUnknownToken = errors.New("emulator: token unknown")
	ErrExpiredToken = errors.New("emulator: token expired")
	ErrUsedToken    = errors.New("emulator: refresh token already used")
	ErrRevokedToken = errors.New("emulator: token revoked")
)

// Policy says how a venue issues and refreshes tokens. It is passed with every call, so that
// a changed knob takes effect with the next request.
type Policy struct {
	Rotation emulator.Rotation
	// Grace is for the two grace modes; 0 means [DefaultGrace].
	Grace      time.Duration
	AccessLife time.Duration
	// RefreshLife is how long a refresh token lives after it was issued, however it is
	// used; 0 means forever.
	RefreshLife time.Duration
	// KillOldAccess makes a refresh end the earlier access tokens.
	KillOldAccess bool
	// NoRefresh issues no refresh token at all.
	NoRefresh bool
	// CodeReuseRevokes revokes the family of a code that is presented twice (RFC
	// 6749 §4.1.2).
	CodeReuseRevokes bool
	Format           TokenFormat
}

// Tokens is a store of token families. The zero value is ready to use. It is safe for
// concurrent use.
type Tokens struct {
	mu       sync.Mutex
	families []*family
	access   map[string]*accessToken
	refresh  map[string]*refreshToken
}

type family struct {
	grant       emulator.Grant
	dead        bool
	refreshDead bool // it cannot be refreshed any more; access tokens stay alive
	generation  int
	access      []*accessToken
}

type accessToken struct {
	family  *family
	pair    emulator.Pair
	from    *refreshToken // the refresh token that it was issued for, or nil
	expires time.Time
	dead    bool
}

type refreshToken struct {
	family        *family
	from          *refreshToken
	expires       time.Time // zero: never
	firstUse      time.Time // zero: not used yet
	firstAnswer   *emulator.Pair
	refreshedOn   bool // a refresh token that it was exchanged for was presented
	successorUsed bool // any token that it was exchanged for was used
}

// Issue begins a family for the grant and returns its first pair.
func (t *Tokens) Issue(now time.Time, g emulator.Grant, p Policy) emulator.Pair {
	t.mu.Lock()
	defer t.mu.Unlock()
	if g.ID == "" {
		g.ID = TokenFormat{Length: 16}.Mint()
	}
	f := &family{grant: clone(g)}
	t.families = append(t.families, f)
	return t.mint(now, f, nil, p, !p.NoRefresh)
}

// mint adds the next generation to a family. The caller holds the lock.
func (t *Tokens) mint(now time.Time, f *family, from *refreshToken, p Policy, withRefresh bool) emulator.Pair {
	f.generation++
	pair := emulator.Pair{
		Access: p.Format.Mint(), Issued: now, AccessExpires: now.Add(p.AccessLife),
		Generation: f.generation, Grant: clone(f.grant),
	}
	if withRefresh {
		pair.Refresh = p.Format.Mint()
		if p.RefreshLife > 0 {
			pair.RefreshExpires = now.Add(p.RefreshLife)
		}
		if t.refresh == nil {
			t.refresh = make(map[string]*refreshToken)
		}
		t.refresh[pair.Refresh] = &refreshToken{family: f, from: from, expires: pair.RefreshExpires}
	}
	a := &accessToken{family: f, pair: pair, from: from, expires: pair.AccessExpires}
	f.access = append(f.access, a)
	if t.access == nil {
		t.access = make(map[string]*accessToken)
	}
	t.access[pair.Access] = a
	return pair
}

func (a *accessToken) refusal(now time.Time) error {
	switch {
	case a.dead || a.family.dead:
		return ErrRevokedToken
	case !now.Before(a.expires):
		return ErrExpiredToken
	}
	return nil
}

// Use uses an access token at an endpoint and returns its pair. With [ErrExpiredToken] and
// [ErrRevokedToken] the pair is returned too.
func (t *Tokens) Use(now time.Time, access string) (emulator.Pair, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	a, ok := t.access[access]
	if !ok {
		return emulator.Pair{}, ErrUnknownToken
	}
	err := a.refusal(now)
	if err == nil && a.from != nil {
		a.from.successorUsed = true
	}
	return a.pair, err
}

// Owner returns whose a live access token is. It does not count as using it.
func (t *Tokens) Owner(now time.Time, access string) (emulator.Grant, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	a, ok := t.access[access]
	if !ok || a.refusal(now) != nil {
		return emulator.Grant{}, false
	}
	return a.pair.Grant, true
}

// Alive reports whether an access token would be accepted. It does not count as using it.
func (t *Tokens) Alive(now time.Time, access string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	a, ok := t.access[access]
	return ok && a.refusal(now) == nil
}

// Revoke revokes a token: a refresh token with its whole family, an access token alone (RFC
// 7009 §2.1).
func (t *Tokens) Revoke(token string) (emulator.Grant, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if r, ok := t.refresh[token]; ok {
		r.family.dead = true
		return clone(r.family.grant), true
	}
	if a, ok := t.access[token]; ok {
		a.dead = true
		return clone(a.family.grant), true
	}
	return emulator.Grant{}, false
}

// RevokeAlone revokes only the token: the access tokens of a refresh token's family stay
// alive.
func (t *Tokens) RevokeAlone(token string) (emulator.Grant, bool) {
	t.mu.Lock()
	r, ok := t.refresh[token]
	if ok {
		r.family.refreshDead = true
		defer t.mu.Unlock()
		return clone(r.family.grant), true
	}
	t.mu.Unlock()
	return t.Revoke(token)
}

// RevokeWhere revokes every live family whose grant matches, and returns their grants.
func (t *Tokens) RevokeWhere(match func(emulator.Grant) bool) []emulator.Grant {
	return t.endWhere(match, func(f *family) *bool { return &f.dead })
}

// EndRefreshWhere ends the refresh tokens of every matching family, but not the access
// tokens, and returns the grants.
func (t *Tokens) EndRefreshWhere(match func(emulator.Grant) bool) []emulator.Grant {
	return t.endWhere(match, func(f *family) *bool { return &f.refreshDead })
}

func (t *Tokens) endWhere(match func(emulator.Grant) bool, flag func(*family) *bool) []emulator.Grant {
	t.mu.Lock()
	defer t.mu.Unlock()
	var ended []emulator.Grant
	for _, f := range t.families {
		if end := flag(f); !f.dead && !*end && match(f.grant) {
			*end = true
			ended = append(ended, clone(f.grant))
		}
	}
	return ended
}

// Grants returns the grants of live families that match, oldest first. A family lives until
// it is revoked or its last token has expired.
func (t *Tokens) Grants(now time.Time, match func(emulator.Grant) bool) []emulator.Grant {
	t.mu.Lock()
	defer t.mu.Unlock()
	hasRefresh := make(map[*family]bool)
	for _, r := range t.refresh {
		if r.refusal(now) == nil && r.firstUse.IsZero() {
			hasRefresh[r.family] = true
		}
	}
	var out []emulator.Grant
	for _, f := range t.families {
		lives := !f.dead && (hasRefresh[f] || slices.ContainsFunc(f.access, func(a *accessToken) bool { return a.refusal(now) == nil }))
		if lives && match(f.grant) {
			out = append(out, clone(f.grant))
		}
	}
	return out
}

func (t *Tokens) clear() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.families, t.access, t.refresh = nil, nil, nil
}
