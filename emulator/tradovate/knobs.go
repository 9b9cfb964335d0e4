package tradovate

import (
	"cmp"
	"net/http"
	"time"

	"github.com/venuekey/venuekey/emulator"
	"github.com/venuekey/venuekey/emulator/internal/core"
)

// knobs.go owns the knobs: every switch of the emulated Tradovate and its default.

// Knobs say how the venue behaves. The zero value is Tradovate as the fact sheet
// has it; where the sheet knows several answers, the zero value is the likeliest
// and the others are switches (Tradovate facts §11). A number that limits
// something is off when it is -1.
type Knobs struct {
	// CodeLife is how long an authorization code lives; 0 means 60 s. The real one
	// is nowhere documented (§3.4).
	CodeLife time.Duration
	// AccessLife is how long an access token lives; 0 means 80 min (§2).
	AccessLife time.Duration
	// RefreshLife is how long an OAuth refresh token lives; 0 means 26 h (§3.2).
	RefreshLife time.Duration
	// Rotation says what becomes of a used refresh token. The zero value is single
	// use (§3.2).
	Rotation emulator.Rotation
	// Grace is for the grace modes of Rotation; 0 means [emulator.DefaultGrace].
	Grace time.Duration
	// OAuthErrorStatus is the HTTP status of a refusal by oauthtoken; 0 means 200
	// (§3.2).
	OAuthErrorStatus int
	// TransientRefusals is how many refreshes that should succeed are refused with
	// invalid_token first; the refresh token is none the worse for it (§3.2). Each
	// one counts it down.
	TransientRefusals int

	// RenewKillsOld ends the access token that was renewed. By default it stays
	// until its own expiry (§2).
	RenewKillsOld bool
	// RenewQuota is how many renewals an address has in an hour; 0 means 15 (§1.6).
	RenewQuota int
	// MeQuota is how many refusals by me an address has in an hour; 0 means 10
	// (§1.6).
	MeQuota int

	// SessionLimit is how many sessions a user may have; 0 means 2 (§2).
	SessionLimit int
	// OAuthSessions counts sign-ins by OAuth among the sessions. By default only
	// those by password count, since only of them is it documented (§2).
	OAuthSessions bool
	// ClosedStatus is what the token of a closed session answers; 0 means 408. Seen
	// are also 429 and 500 (§2).
	ClosedStatus int

	// PasswordStatus is the HTTP status for a wrong name or password; 0 means 200
	// with errorText, any other comes with the body of a 401 (§1.3).
	PasswordStatus int
	// PenaltyAfter is how many failed sign-ins a /24 network has in an hour before
	// every further one is penalised; 0 means 5 (§1.3, §1.6).
	PenaltyAfter int
	// PenaltyWait is p-time, in whole seconds; 0 means 15 s (§1.4).
	PenaltyWait time.Duration
	// PenaltyCaptcha sets p-captcha, and no ticket helps for an hour (§1.4).
	PenaltyCaptcha bool
	// Penalties is how many of the next requests to PenaltyOn are penalised without
	// a reason. Each one counts it down.
	Penalties int
	// PenaltyOn is where Penalties strike: [emulator.AtLogin], [emulator.AtToken],
	// [emulator.AtRenew], [emulator.AtMe] or [AccountList]; empty means AtLogin.
	PenaltyOn emulator.Endpoint

	// NoMDToken leaves mdAccessToken out of sign-ins and renewals (§1.2).
	NoMDToken bool
	// OAuthMDToken puts mdAccessToken into the answers of oauthtoken (§3.2).
	OAuthMDToken bool
	// APIHosts puts apiHosts into all answers with tokens (§0). It is off by default
	// because a client that obeys it leaves the emulator.
	APIHosts bool
	// LiveHost and DemoHost are what apiHosts says, as host or host:port; empty
	// means a name that does not exist, as all other entries have.
	LiveHost string
	DemoHost string

	// UserStatus is the userStatus of all users; empty means "Active". It has no
	// effect (§1.2).
	UserStatus string
	// UserIDAfter is how long after its issue a token is answered by me without a
	// userId; seen were about 5 min (§4).
	UserIDAfter time.Duration
	// MeOnDemo lets the demo host answer me (§4).
	MeOnDemo bool
	// Empty401 leaves the body of a 401 empty. By default it is "Access is denied"
	// (§6).
	Empty401 bool
	// MovedTo, unless empty, is the scheme and host to which all endpoints answer a
	// 307 (§0). Pages and the admin endpoint stay.
	MovedTo string

	// IgnorePKCE looks at neither challenge nor verifier, RejectPKCE refuses authorize
	// requests with a challenge, and LosePKCE has the page lose it and the token
	// endpoint refuse the verifier of a code that came without (RFC 9700 §4.8.2). By
	// default both are checked: the schema of the token endpoint names the verifier
	// (§3.1), and nobody has documented what the page does (§3.4).
	IgnorePKCE bool
	RejectPKCE bool
	LosePKCE   bool
	// Issuer is sent back as iss (RFC 9207), unless empty. Nobody has seen the real one
	// send any.
	Issuer string

	// AnyLoopbackRedirect takes any loopback redirect URI for a registered one, for
	// tests that listen on a random port. Tradovate does not (§3.4).
	AnyLoopbackRedirect bool
	// TokenPrefix stands before every code, token and ticket, so that tests can
	// search output for it.
	TokenPrefix string
}

// filled is a copy with the defaults filled in.
func (k Knobs) filled() Knobs {
	k.CodeLife = cmp.Or(k.CodeLife, time.Minute)
	k.AccessLife = cmp.Or(k.AccessLife, 80*time.Minute)
	k.RefreshLife = cmp.Or(k.RefreshLife, 26*time.Hour)
	k.OAuthErrorStatus = cmp.Or(k.OAuthErrorStatus, http.StatusOK)
	k.RenewQuota = cmp.Or(k.RenewQuota, 15)
	k.MeQuota = cmp.Or(k.MeQuota, 10)
	k.SessionLimit = cmp.Or(k.SessionLimit, 2)
	k.ClosedStatus = cmp.Or(k.ClosedStatus, http.StatusRequestTimeout)
	k.PasswordStatus = cmp.Or(k.PasswordStatus, http.StatusOK)
	k.PenaltyAfter = cmp.Or(k.PenaltyAfter, 5)
	k.PenaltyWait = cmp.Or(k.PenaltyWait, 15*time.Second)
	k.PenaltyOn = cmp.Or(k.PenaltyOn, emulator.AtLogin)
	k.LiveHost = cmp.Or(k.LiveHost, nowhere("live"))
	k.DemoHost = cmp.Or(k.DemoHost, nowhere("demo"))
	k.UserStatus = cmp.Or(k.UserStatus, "Active")
	return k
}

func (k Knobs) format() core.TokenFormat { return core.TokenFormat{Prefix: k.TokenPrefix} }

// policy is that of OAuth tokens.
func (k Knobs) policy() core.Policy {
	return core.Policy{
		Rotation: k.Rotation, Grace: k.Grace,
		AccessLife: k.AccessLife, RefreshLife: k.RefreshLife, Format: k.format(),
	}
}

// sessionPolicy is that of sign-ins by password, which give no refresh token, and
// of renewals.
func (k Knobs) sessionPolicy() core.Policy {
	return core.Policy{AccessLife: k.AccessLife, KillOldAccess: k.RenewKillsOld, NoRefresh: true, Format: k.format()}
}

// spend counts down a knob that is a number of times, and tells whether there was
// one left.
func (s *Server) spend(number func(*Knobs) *int) bool {
	left := false
	s.settings.Tune(func(k *Knobs) {
		if n := number(k); *n > 0 {
			*n--
			left = true
		}
	})
	return left
}
