package tradovate

import (
	"cmp"
	"net/http"
	"time"

	"github.com/venuekey/venuekey/emulator"
	"github.com/venuekey/venuekey/emulator/internal/core"
)

// knobs.go owns the knobs: every switch of the emulated Tradovate and its default.

// Knobs say how the venue behaves. The zero value is Tradovate as the fact sheet describes
// it; if the sheet has several possible answers, the zero value is the likeliest, and the
// others are switches (Tradovate facts §11). A limit of -1 means no limit. Section numbers
// are those of the fact sheet.
type Knobs struct {
	// CodeLife is how long an authorization code lives; 0 means 60 s. The real lifetime
	// is not documented (§3.4).
	CodeLife time.Duration
	// AccessLife is how long an access token lives; 0 means 80 min (§2).
	AccessLife time.Duration
	// RefreshLife is how long an OAuth refresh token lives; 0 means 26 h (§3.2).
	RefreshLife time.Duration
	// Rotation says what happens to a used refresh token. The zero value is single-use
	// (§3.2).
	Rotation emulator.Rotation
	// Grace is the grace period of Rotation; 0 means [emulator.DefaultGrace].
	Grace time.Duration
	// OAuthErrorStatus is the HTTP status of oauthtoken's refusals; 0 means 200 (§3.2).
	OAuthErrorStatus int
	// TransientRefusals is how many of the next valid refreshes are refused with
	// invalid_token; the refresh token stays valid (§3.2). Each one decrements it.
	TransientRefusals int

	// RenewKillsOld makes a renewal end the old access token. By default it stays valid
	// until it expires (§2).
	RenewKillsOld bool
	// RefreshKillsOld makes a refresh token's use end the old access token. By default that
	// stays valid until it expires; no source says (§2).
	RefreshKillsOld bool
	// RenewQuota is how many renewals an address may request per hour; 0 means 15 (§1.6).
	// Each one beyond gets a penalty.
	RenewQuota int
	// MeQuota is how many refusals by me an address may get per hour; 0 means 10 (§1.6).
	MeQuota int
	// Quota429 answers a used-up quota with 429 in place of a penalty, and locks the
	// address out for an hour, which every request restarts. Older pages read that way.
	Quota429 bool
	// UserLimit is how many requests with a token a user may make per hour; 0 means 5000.
	// Beyond it every answer is a 429, for an hour that every request restarts (§6).
	UserLimit int
	// UserPerMinute and UserPerSecond are the same for shorter times; 0 means 5000. Third
	// parties know of 80 a minute (§6).
	UserPerMinute int
	UserPerSecond int
	// AnonymousLimit, AnonymousPerMinute and AnonymousPerSecond limit requests without a
	// good token, sign-ins among them, by address; 0 means 1000, 1000 and 100 (§6).
	AnonymousLimit     int
	AnonymousPerMinute int
	AnonymousPerSecond int
	// UserWarned has the first answer beyond UserLimit be a 423 (§6).
	UserWarned bool

	// SessionLimit is how many sessions a user can have; 0 means 2 (§2).
	SessionLimit int
	// OAuthSessions counts OAuth sign-ins as sessions. By default only password sign-ins
	// count, since the limit is documented for them only (§2).
	OAuthSessions bool
	// ClosedStatus is the HTTP status for the token of a closed session; 0 means 408.
	// 429 and 500 have been seen too (§2).
	ClosedStatus int

	// PasswordStatus is the HTTP status for a wrong name or password. 0 means 200 with
	// errorText; any other status comes with the body of a 401 (§1.3).
	PasswordStatus int
	// PenaltyAfter is how many sign-ins from a /24 network may fail per hour before every
	// further one incurs a penalty; 0 means 5 (§1.3, §1.6).
	PenaltyAfter int
	// PenaltyWait is p-time, in whole seconds; 0 means what the table has for the endpoint,
	// 15 s or 30 s (§1.6). Every breach doubles it (§1.4).
	PenaltyWait time.Duration
	// PenaltyCaptcha sets p-captcha; no ticket helps for an hour then (§1.4).
	PenaltyCaptcha bool
	// SuccessForgives makes a successful sign-in forget those that failed from its network.
	// By default they count for an hour whatever follows: the table names no other end (§1.6).
	SuccessForgives bool
	// Penalties is how many of the next requests to PenaltyOn incur a penalty for no
	// reason. Each one decrements it.
	Penalties int
	// PenaltyOn is where Penalties strike: [emulator.AtLogin], [emulator.AtToken],
	// [emulator.AtRenew], [emulator.AtMe] or [AccountList]; empty means AtLogin.
	PenaltyOn emulator.Endpoint

	// RefusesRight is for how long right passwords are refused too once PenaltyAfter sign-ins
	// have failed; 0 means not at all, and 5 to 10 minutes have been seen (§1.3).
	RefusesRight time.Duration
	// LockAfter is how many failed sign-ins lock a user for an hour: answers are 423 then.
	// 0 means never; a library of Tradovate's warns of three (§1.3). The userStatus of a
	// locked user is TemporaryLocked.
	LockAfter int
	// LockedStatus is the status for a sign-in of a locked user; 0 means 423. With 200 the
	// answer has userStatus and no token. No source says which (§1.2, §6).
	LockedStatus int

	// NoMDToken omits mdAccessToken from sign-ins and renewals (§1.2).
	NoMDToken bool
	// OAuthMDToken adds mdAccessToken to the answers of oauthtoken (§3.2).
	OAuthMDToken bool
	// APIHosts adds apiHosts to all answers with tokens (§0). It is off by default
	// because a client that obeys it leaves the emulator.
	APIHosts bool
	// LiveHost, DemoHost and MDHost are the hosts in apiHosts, as host or host:port, the last
	// for both entries with market data; empty means a name that does not exist, like those
	// of all other entries.
	LiveHost string
	DemoHost string
	MDHost   string
	// NoIDToken omits id_token from the answers of oauthtoken (§3.2).
	NoIDToken bool
	// HIBPHint is the hibpHint for a sign-in that asks by hibpCheck; empty means none (§1.2).
	HIBPHint string

	// UserStatus is the userStatus of all users that are not locked; empty means "Active".
	// It has no effect (§1.2).
	UserStatus string
	// UserIDAfter is how long after a token was issued me answers without a userId; about
	// 5 min has been seen (§4).
	UserIDAfter time.Duration
	// MeOnDemo makes the demo host answer me (§4).
	MeOnDemo bool
	// Empty401 leaves the body of a 401 empty. By default it is "Access is denied" (§6).
	Empty401 bool
	// OrdersDenied answers orders over HTTP with 401 although the token is good, as the
	// live host does to a device that is not approved (§1.5).
	OrdersDenied bool
	// UnapprovedDevice is the device ID whose sessions place no live orders: they get a 401
	// (§1.5).
	UnapprovedDevice string
	// AccountsDenied answers the list of accounts with 401 although the token is good, as
	// for a key without that permission (§3.4).
	AccountsDenied bool
	// Maintenance has the venue keep its published windows by the clock (§1.7): requests get
	// MaintenanceStatus, 0 for 503 and -1 for no answer, and WebSockets are shut down.
	Maintenance       bool
	MaintenanceStatus int
	// MovedTo, unless empty, is the scheme and host to which all endpoints redirect with
	// 307 (§0), except the pages and the admin endpoint.
	MovedTo string

	// IgnorePKCE checks neither challenge nor verifier. RejectPKCE refuses authorize
	// requests with a challenge. LosePKCE makes the page lose the challenge, and the
	// token endpoint refuse a verifier for a code without one (RFC 9700 §4.8.2). By
	// default both are checked: the schema of the token endpoint has the verifier
	// (§3.1), and what the page does is not documented (§3.4).
	IgnorePKCE bool
	RejectPKCE bool
	LosePKCE   bool
	// Issuer is sent as iss in the redirect (RFC 9207), unless empty. The real venue has
	// not been seen to send one.
	Issuer string

	// Socket has the switches of the WebSocket.
	Socket SocketKnobs

	// AnyLoopbackRedirect accepts any loopback redirect URI as registered, for tests that
	// listen on a random port. Tradovate does not (§3.4).
	AnyLoopbackRedirect bool
	// TokenPrefix is the prefix of every code, token and ticket, so that tests can search
	// output for it.
	TokenPrefix string
}

// filled returns a copy with the defaults filled in.
func (k Knobs) filled() Knobs {
	k.CodeLife = cmp.Or(k.CodeLife, time.Minute)
	k.AccessLife = cmp.Or(k.AccessLife, 80*time.Minute)
	k.RefreshLife = cmp.Or(k.RefreshLife, 26*time.Hour)
	k.OAuthErrorStatus = cmp.Or(k.OAuthErrorStatus, http.StatusOK)
	k.RenewQuota = cmp.Or(k.RenewQuota, 15)
	k.MeQuota = cmp.Or(k.MeQuota, 10)
	k.UserLimit = cmp.Or(k.UserLimit, 5000)
	k.UserPerMinute = cmp.Or(k.UserPerMinute, 5000)
	k.UserPerSecond = cmp.Or(k.UserPerSecond, 5000)
	k.AnonymousLimit = cmp.Or(k.AnonymousLimit, 1000)
	k.AnonymousPerMinute = cmp.Or(k.AnonymousPerMinute, 1000)
	k.AnonymousPerSecond = cmp.Or(k.AnonymousPerSecond, 100)
	k.SessionLimit = cmp.Or(k.SessionLimit, 2)
	k.ClosedStatus = cmp.Or(k.ClosedStatus, http.StatusRequestTimeout)
	k.PasswordStatus = cmp.Or(k.PasswordStatus, http.StatusOK)
	k.PenaltyAfter = cmp.Or(k.PenaltyAfter, 5)
	k.LockedStatus = cmp.Or(k.LockedStatus, http.StatusLocked)
	k.PenaltyOn = cmp.Or(k.PenaltyOn, emulator.AtLogin)
	k.LiveHost = cmp.Or(k.LiveHost, nowhere("live"))
	k.DemoHost = cmp.Or(k.DemoHost, nowhere("demo"))
	k.MDHost = cmp.Or(k.MDHost, nowhere("md"))
	k.UserStatus = cmp.Or(k.UserStatus, "Active")
	k.Socket = k.Socket.filled()
	return k
}

func (k Knobs) format() core.TokenFormat { return core.TokenFormat{Prefix: k.TokenPrefix} }

// policy returns the policy for OAuth tokens.
func (k Knobs) policy() core.Policy {
	return core.Policy{
		Rotation: k.Rotation, Grace: k.Grace,
		AccessLife: k.AccessLife, RefreshLife: k.RefreshLife, KillOldAccess: k.RefreshKillsOld, Format: k.format(),
	}
}

// sessionPolicy returns the policy for password sign-ins, which issue no refresh token,
// and for renewals.
func (k Knobs) sessionPolicy() core.Policy {
	return core.Policy{AccessLife: k.AccessLife, KillOldAccess: k.RenewKillsOld, NoRefresh: true, Format: k.format()}
}

// spend decrements a knob that counts down, and reports whether it was above zero.
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
