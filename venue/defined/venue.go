package defined

import (
	"context"
	"net/http"
	"time"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/venue/defined/definition"
)

// venue.go owns the venue that a definition describes: its policy, and which optional
// interfaces it has.

// New returns the venue that a definition describes. The definition must not be changed
// afterwards. The venue is a venuekey.Registrar, a Signer, Secretless and Proxied, and also an
// Identifier if the definition says who, a Revoker if it says revoke, and a Prober if it
// renews with a refresh token.
func New(d *definition.Definition) venuekey.Venue { return NewOver(nil, d) }

// NewOver is New with a transport in place of a fresh one for each request. It is for tests:
// see oauth.Client for what a transport must not do.
func NewOver(transport http.RoundTripper, d *definition.Definition) venuekey.Venue {
	v := venue{d, transport}
	i, r, p := identifier{v}, revoker{v}, prober{v}
	who, revokes, probes := d.Who != nil, d.Revoke != nil, d.Renew.With == definition.WithRefresh
	switch {
	case who && revokes && probes:
		return struct {
			venue
			identifier
			revoker
			prober
		}{v, i, r, p}
	case who && revokes:
		return struct {
			venue
			identifier
			revoker
		}{v, i, r}
	case who && probes:
		return struct {
			venue
			identifier
			prober
		}{v, i, p}
	case revokes && probes:
		return struct {
			venue
			revoker
			prober
		}{v, r, p}
	case who:
		return struct {
			venue
			identifier
		}{v, i}
	case revokes:
		return struct {
			venue
			revoker
		}{v, r}
	case probes:
		return struct {
			venue
			prober
		}{v, p}
	}
	return v
}

// venue is what every such venue can do.
type venue struct {
	d         *definition.Definition
	transport http.RoundTripper
}

// identifier, revoker and prober are what some can do. They hold the venue in a field, so
// that a struct of several of them has each method once.
type (
	identifier struct{ of venue }
	revoker    struct{ of venue }
	prober     struct{ of venue }
)

// Name implements venuekey.Venue.
func (v venue) Name() string { return v.d.Name }

const (
	// day is the life of a token that ends at a time of the day: at most that.
	day = 24 * time.Hour
	// forever is the life of a token that never expires.
	forever = 10 * 365 * day
)

// life returns the usual life of an access token; zero if it is not known.
func (v venue) life() time.Duration {
	switch {
	case v.d.Life.Never:
		return forever
	case v.d.Life.Access == 0 && v.d.Life.Cutoff != nil:
		return day
	}
	return time.Duration(v.d.Life.Access)
}

// Policy implements venuekey.Venue.
func (v venue) Policy() venuekey.Policy {
	r := v.d.Renew
	policy := venuekey.Policy{
		KillsAccess: r.KillsAccess, RefreshAt: r.At, LeastInterval: time.Duration(r.Least), DefaultLife: v.life(),
		Pace: time.Duration(r.Pace), Burst: r.Burst, MaxSessions: v.d.Sessions.Max,
	}
	if v.d.Authorize != nil {
		policy.CodeLife = time.Duration(v.d.Authorize.CodeLife)
	}
	for _, before := range v.d.Warn {
		policy.Warn = append(policy.Warn, time.Duration(before))
	}
	if v.d.Sessions.LoginEnds == definition.EndsAll {
		policy.MaxSessions = 1
	}
	switch r.With {
	case definition.WithNone:
		if k := v.d.Keepalive; k != nil { // it is a renewal that brings the same token
			policy.RenewsWith, policy.AfterLostAnswer = venuekey.RenewWithAccessToken, venuekey.RetryFreely
			policy.DefaultLife, policy.RefreshAt = time.Duration(v.d.Life.Idle), float64(k.Every)/float64(v.d.Life.Idle)
		}
	case definition.WithAccess:
		policy.RenewsWith, policy.AfterLostAnswer = venuekey.RenewWithAccessToken, venuekey.RetryFreely
		if r.KillsAccess { // a renewal does use up what it presents
			policy.AfterLostAnswer = venuekey.RetryUntilRefused
		}
	case definition.WithApp:
		policy.RenewsWith, policy.AfterLostAnswer = venuekey.RenewWithAppKey, venuekey.RetryFreely
	case definition.WithRefresh:
		policy.AfterLostAnswer = afterLost(r)
		policy.RenewalEnds, policy.RenewalLife = ending(r), time.Duration(r.Life)
	}
	return policy
}

func afterLost(r definition.Renew) venuekey.LostAnswer {
	switch {
	case r.AfterLost == definition.LostFreely || !r.Rotating():
		return venuekey.RetryFreely
	case r.AfterLost == definition.LostUntilRefused:
		return venuekey.RetryUntilRefused
	case r.AfterLost == definition.LostOnce:
		return venuekey.RetryOnce
	}
	return venuekey.RetryNever
}

func ending(r definition.Renew) venuekey.Ending {
	switch r.LifeFrom {
	case definition.FromLogin:
		return venuekey.EndAfterLogin
	case definition.FromIssue:
		return venuekey.EndAfterIssue
	case definition.FromUse:
		return venuekey.EndAfterUse
	}
	return venuekey.EndUnknown
}

// Refresh implements venuekey.Venue.
func (v venue) Refresh(ctx context.Context, app venuekey.App, token venuekey.Token) (venuekey.Token, error) {
	switch v.d.Renew.With {
	case definition.WithNone:
		if v.d.Keepalive != nil {
			return v.keepAlive(ctx, app, token)
		}
		return venuekey.Token{}, &venuekey.Error{Class: venuekey.ClassRefused, Reason: v.d.Name + " renews no token", Remedy: "sign in again"}
	case definition.WithAccess:
		return v.renewWithAccess(ctx, app, token)
	case definition.WithApp:
		return v.renewWithKey(ctx, app, token)
	}
	client, app, err := v.client(app, v.renewal(), renewing)
	if err != nil {
		return venuekey.Token{}, err
	}
	if client.Shape != nil {
		client.Shape = v.withExtras(client.Shape, token)
	}
	got, err := client.Refresh(ctx, app, token.Refresh)
	return v.finished(app, got, err)
}

// renewWithAccess presents the access token, which a renewal does not use up.
func (v venue) renewWithAccess(ctx context.Context, app venuekey.App, token venuekey.Token) (venuekey.Token, error) {
	client, app, err := v.client(app, v.d.Renew.Request, renewing)
	if err != nil {
		return venuekey.Token{}, err
	}
	if !token.Valid(time.Now()) {
		return venuekey.Token{}, &venuekey.Error{Class: venuekey.ClassRefused, Reason: "the access token expired, and nothing else renews it", Remedy: "sign in again"}
	}
	client.Shape = v.withExtras(client.Shape, token)
	got, err := client.Grant(ctx, app, renewalForm(token))
	return v.finished(app, got, err)
}

// renewWithKey signs in again with the app's own key. If the definition has a request that
// renews a live token, that is sent instead, and the key only if it is refused: neither is
// used up.
func (v venue) renewWithKey(ctx context.Context, app venuekey.App, token venuekey.Token) (venuekey.Token, error) {
	if v.d.Renew.Request != nil && token.Valid(time.Now()) {
		got, err := v.renewWithAccess(ctx, app, token)
		if !venuekey.NeedsSignIn(err) {
			return got, err
		}
	}
	client, app, err := v.client(app, v.d.Exchange, renewing)
	if err != nil {
		return venuekey.Token{}, err
	}
	got, err := client.Grant(ctx, app, keyForm())
	return v.finished(app, got, err)
}

// Probe implements venuekey.Prober.
func (p prober) Probe(ctx context.Context, app venuekey.App) error {
	client, _, err := p.of.client(app, p.of.renewal(), renewing)
	if err != nil {
		return err
	}
	return client.Probe(ctx)
}

// renewal returns the request that presents a refresh token.
func (v venue) renewal() *definition.Request {
	if v.d.Renew.Request != nil {
		return v.d.Renew.Request
	}
	return v.d.Exchange
}
