package defined

import (
	"cmp"
	"net/http"
	"time"

	"github.com/venuekey/venuekey/emulator"
	"github.com/venuekey/venuekey/emulator/internal/core"
	"github.com/venuekey/venuekey/venue/defined/definition"
)

// knobs.go owns the switches, and what the definition says in their place.

// Knobs say how the venue behaves where the definition leaves it open, or differently from
// what it says. The zero value is what it says.
type Knobs struct {
	// CodeLife, AccessLife and RefreshLife replace the lives of the definition. Without one
	// there either, a code lives for a minute, an access token for an hour, and a refresh
	// token for ever.
	CodeLife    time.Duration
	AccessLife  time.Duration
	RefreshLife time.Duration
	// Rotation replaces what follows from renew.rotates and renew.after_lost, unless it is
	// the zero value.
	Rotation emulator.Rotation
	// Grace is the grace period of Rotation; 0 means [emulator.DefaultGrace].
	Grace time.Duration
	// OmitRefresh leaves the refresh token out of the answer to a renewal that does not
	// rotate it. By default it is repeated.
	OmitRefresh bool
	// OmitExpiry leaves the life out of every answer.
	OmitExpiry bool
	// ErrorStatus is the status of errors; 0 means 200 if the definition has answer.ok, and
	// 400 otherwise. A row of errors with a status has that one.
	ErrorStatus int
	// HTMLStatus, unless 0, makes every endpoint but the page answer HTML with this status,
	// as a firewall or a page for maintenance does.
	HTMLStatus int
	// AskConsent shows a consent page after sign-in. By default there is none.
	AskConsent bool
	// AnyLoopbackRedirect accepts any loopback redirect URI as registered, for tests that
	// listen on a random port.
	AnyLoopbackRedirect bool
	// TokenPrefix is the prefix of every code and token, so that tests can search output for
	// it.
	TokenPrefix string
}

// rules are a definition with the knobs of this moment.
type rules struct {
	*definition.Definition
	knobs Knobs
}

func (r rules) format() core.TokenFormat { return core.TokenFormat{Prefix: r.knobs.TokenPrefix} }

func (r rules) codeLife() time.Duration {
	life := time.Minute
	if r.Authorize != nil && r.Authorize.CodeLife > 0 {
		life = time.Duration(r.Authorize.CodeLife)
	}
	return cmp.Or(r.knobs.CodeLife, life)
}

// accessLife returns how long a token that is issued now lives.
func (r rules) accessLife(now time.Time) time.Duration {
	life := cmp.Or(r.knobs.AccessLife, time.Duration(r.Life.Access))
	if r.Life.Never || r.Life.Idle > 0 {
		life = cmp.Or(life, 20*365*24*time.Hour)
	}
	if r.Life.Cutoff == nil {
		return cmp.Or(life, time.Hour)
	}
	if end := nextCutoff(*r.Life.Cutoff, now).Sub(now); life == 0 || end < life {
		return end
	}
	return life
}

// nextCutoff walks from minute to minute, which is slow and certain: the client has another
// way to find the same moment.
func nextCutoff(c definition.Cutoff, now time.Time) time.Time {
	zone, err := time.LoadLocation(c.Zone)
	if err != nil {
		return now.Add(24 * time.Hour)
	}
	at := now.Truncate(time.Minute)
	for range 50 * 60 {
		at = at.Add(time.Minute)
		if at.In(zone).Format("15:04") == c.Time {
			return at
		}
	}
	return now.Add(24 * time.Hour) // daylight saving leaves that time out
}

func (r rules) policy(now time.Time) core.Policy {
	return core.Policy{
		Rotation: r.rotation(), Grace: r.knobs.Grace, AccessLife: r.accessLife(now), RefreshLife: cmp.Or(r.knobs.RefreshLife, time.Duration(r.Renew.Life)),
		KillOldAccess: r.Renew.KillsAccess, NoRefresh: r.Renew.With != definition.WithRefresh, Format: r.format(),
	}
}

func (r rules) rotation() emulator.Rotation {
	switch {
	case r.knobs.Rotation != emulator.RotationStrict:
		return r.knobs.Rotation
	case !r.Renew.Rotating():
		return emulator.RotationNoNewRefresh
	case r.Renew.AfterLost == definition.LostFreely:
		return emulator.RotationOldStays
	case r.Renew.AfterLost == definition.LostOnce:
		return emulator.RotationGraceNewPair
	case r.Renew.AfterLost == definition.LostUntilRefused:
		return emulator.RotationStrict
	}
	return emulator.RotationStrictFamilyRevoke
}

func (r rules) errorStatus() int {
	usual := http.StatusBadRequest
	if r.Answer.OK != nil {
		usual = http.StatusOK
	}
	return cmp.Or(r.knobs.ErrorStatus, usual)
}
