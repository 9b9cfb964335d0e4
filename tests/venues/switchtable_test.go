package venues_test

import (
	"time"

	"github.com/venuekey/venuekey/emulator"
	tradovateemu "github.com/venuekey/venuekey/emulator/tradovate"
)

// switchtable_test.go owns the table of the emulated Tradovate's switches: what each operation
// of the client gives in each position.

type gives = map[string]string

// What the operations say.
const (
	tokens      = "token for 1h20m0s, refresh token for 26h0m0s, id"
	tooMany     = "later for 1h0m0s: too many requests to Tradovate"
	tooMany429  = "later for 1h0m0s: Tradovate answered 429 Too Many Requests"
	lockedOut   = "later for 1h0m0s: Tradovate is about to lock this user out (423)"
	lockedUser  = "later for 1h0m0s: Tradovate has locked this user"
	penalty     = "later for 15s: Tradovate requires a wait"
	captcha     = "later for 1h0m0s: Tradovate demands a captcha"
	elsewhere   = "misconfigured: Tradovate serves this user from another host, and sends requests to an address that is not its own"
	deadRefresh = "refused: Tradovate no longer accepts the refresh token"
	deadAccess  = "refused: Tradovate does not accept the access token"
	// diesLockedOut is what becomes of a password sign-in, see limits.
	diesLockedOut = "renewal " + tooMany + "; another one within the hour extends the block; " +
		"and four hours later refused: the access token expired"
	badPassword = "refused: Tradovate does not accept user name and password"
	deadCode    = "refused: the authorization code is unknown, used or too old"
)

// switchTable collects the rows.
type switchTable []setting

func (t *switchTable) row(name string, k knobs, before func(*stand), gives gives) {
	*t = append(*t, setting{name: name, knobs: k, before: before, gives: gives})
}

// early marks the last row.
func (t *switchTable) early() { (*t)[len(*t)-1].early = true }

type knobs = tradovateemu.Knobs

func positions() []setting {
	var t switchTable
	t.row("none", knobs{}, nil, nil)
	t.lives()
	t.quotas()
	t.limits()
	t.sessions()
	t.failures()
	t.penalties()
	t.fields()
	t.permissions()
	t.maintenance()
	t.pages()
	return t
}

func (t *switchTable) lives() {
	t.row("CodeLife", knobs{CodeLife: time.Second}, func(*stand) { time.Sleep(2 * time.Second) }, gives{
		opExchange: deadCode,
	})
	t.row("AccessLife", knobs{AccessLife: 90 * time.Second}, nil, gives{
		opLogin: "token for 1m30s, md", opRenew: "token for 1m30s, md, old one lives",
		opExchange: "token for 1m30s, refresh token for 26h0m0s, id",
		opRefresh:  "token for 1m30s, refresh token for 26h0m0s, id, old one lives",
	})
	t.row("RefreshLife", knobs{RefreshLife: time.Hour}, nil, gives{
		opExchange: "token for 1h20m0s, refresh token for 1h0m0s, id",
		opRefresh:  "token for 1h20m0s, refresh token for 1h0m0s, id, old one lives",
	})
	t.row("RefreshLife, over", knobs{RefreshLife: 30 * time.Second}, func(*stand) { time.Sleep(40 * time.Second) }, gives{
		opExchange: "token for 1h20m0s, refresh token for 30s, id", opRefresh: deadRefresh,
	})
	t.row("Rotation strict-family-revoke", knobs{Rotation: emulator.RotationStrictFamilyRevoke}, nil, nil)
	t.row("Rotation grace-new-pair", knobs{Rotation: emulator.RotationGraceNewPair}, nil, gives{
		opReuse: tokens,
	})
	t.row("Rotation grace-same-pair", knobs{Rotation: emulator.RotationGraceSamePair}, nil, gives{
		opReuse: "token for 1h19m59s, refresh token for 25h59m59s, id",
	})
	t.row("Rotation previous-until-successor-used", knobs{Rotation: emulator.RotationPreviousUntilSuccessorUsed}, nil, gives{
		opReuse: tokens,
	})
	t.row("Rotation rotate-old-stays", knobs{Rotation: emulator.RotationOldStays}, nil, gives{
		opReuse: tokens,
	})
	t.row("Rotation no-new-refresh", knobs{Rotation: emulator.RotationNoNewRefresh}, nil, gives{
		opRefresh: "token for 1h20m0s, id, old one lives", opReuse: "token for 1h20m0s, id",
	})
	t.row("Rotation no-new-refresh-old-dies", knobs{Rotation: emulator.RotationNoNewRefreshOldDies}, nil, gives{
		opRefresh: "token for 1h20m0s, id, old one lives",
	})
	t.row("Grace", knobs{Rotation: emulator.RotationGraceNewPair, Grace: time.Nanosecond}, nil, nil)
	t.row("OAuthErrorStatus 400", knobs{OAuthErrorStatus: 400}, nil, nil)
	t.row("OAuthErrorStatus 401", knobs{OAuthErrorStatus: 401}, nil, nil)
	t.row("TransientRefusals", knobs{TransientRefusals: 1}, nil, gives{
		opRefresh: deadRefresh, opReuse: tokens,
	})
	t.row("RenewKillsOld", knobs{RenewKillsOld: true}, nil, gives{
		opRenew: "token for 1h20m0s, md, old one is dead",
	})
	t.row("RefreshKillsOld", knobs{RefreshKillsOld: true}, nil, gives{
		opRefresh: tokens + ", old one is dead",
	})
}

func (t *switchTable) quotas() {
	t.row("RenewQuota", knobs{RenewQuota: 12}, func(s *stand) { s.renew(12) }, gives{
		opRenew: "after 15s, token for 1h20m0s, md, old one lives", opPassword: "kept, but renewal " + penalty,
		opOAuth: "kept, but renewal " + penalty,
	})
	t.row("RenewQuota, none", knobs{RenewQuota: -1}, func(s *stand) { s.renew(20) }, nil)
	t.row("MeQuota", knobs{MeQuota: 1}, func(s *stand) { s.askWhoNobodyIs(1) }, gives{
		opMe: "after 30s, alice, 1001", opDemo: "later for 30s: Tradovate requires a wait",
	})
	t.row("MeQuota, none", knobs{MeQuota: -1}, func(s *stand) { s.askWhoNobodyIs(12) }, nil)
	t.row("Quota429", knobs{Quota429: true}, func(s *stand) { s.renew(15); s.askWhoNobodyIs(10) }, gives{
		opRenew: tooMany, opMe: tooMany, opDemo: tooMany,
		opPassword: diesLockedOut,
		opOAuth:    "kept, but renewal " + tooMany,
	})
}

// A password sign-in that comes into the lockout of a 429 is lost: its Keeper takes a 429 for
// trouble that may be over soon, asks again before the hour is over, and begins it anew.
// After the warning of a 423 it waits the hour out.
func (t *switchTable) limits() {
	t.row("UserLimit", knobs{UserLimit: 20}, func(s *stand) { s.listAccounts(20) }, gives{
		opRenew: tooMany, opMe: tooMany, opDemo: tooMany, opList: tooMany429, opOrder: tooMany429,
		opPassword: diesLockedOut,
		opOAuth:    "kept, but renewal " + tooMany,
	})
	t.row("UserLimit, none", knobs{UserLimit: -1, UserPerMinute: -1, UserPerSecond: -1}, func(s *stand) { s.listAccounts(10) }, nil)
	t.row("UserWarned", knobs{UserLimit: 20, UserWarned: true}, func(s *stand) { s.listAccounts(20) }, gives{
		opRenew: lockedOut, opMe: lockedOut, opDemo: lockedOut, opList: "later for 1h0m0s: Tradovate answered 423 Locked",
		opOrder: "later for 1h0m0s: Tradovate answered 423 Locked", opPassword: "kept, but renewal " + lockedOut,
		opOAuth: "kept, but renewal " + tooMany,
	})
	t.row("UserPerMinute", knobs{UserPerMinute: 20}, func(s *stand) { s.listAccounts(20) }, gives{
		opRenew: tooMany, opMe: tooMany, opDemo: tooMany, opList: tooMany429, opOrder: tooMany429,
		opPassword: diesLockedOut,
		opOAuth:    "kept, but renewal " + tooMany,
	})
	t.row("UserPerSecond", knobs{UserPerSecond: 20}, func(s *stand) { s.listAccounts(20) }, gives{
		opRenew: tooMany, opMe: tooMany, opDemo: tooMany, opList: tooMany429, opOrder: tooMany429,
		opOAuth: "kept, but renewal " + tooMany,
	})
	t.row("AnonymousLimit", knobs{AnonymousLimit: 3}, func(s *stand) { s.signInWrongly(3) }, gives{
		opLogin: tooMany, opWrong: tooMany, opExchange: tooMany, opRefresh: tooMany, opReuse: tooMany,
		opPassword: "sign-in " + tooMany, opOAuth: "sign-in later: too many requests to localhost:1",
	})
	t.row("AnonymousLimit, none", knobs{
		SessionLimit: -1, AnonymousLimit: -1, AnonymousPerMinute: -1, AnonymousPerSecond: -1,
	}, func(s *stand) { s.signInElsewhere(110) }, nil)
	t.row("AnonymousPerMinute", knobs{AnonymousPerMinute: 3}, func(s *stand) { s.signInWrongly(3) }, gives{
		opLogin: tooMany, opWrong: tooMany, opExchange: tooMany, opRefresh: tooMany, opReuse: tooMany,
		opPassword: "sign-in " + tooMany, opOAuth: "sign-in later: too many requests to localhost:1",
	})
	t.row("AnonymousPerSecond", knobs{AnonymousPerSecond: 3}, func(s *stand) { s.signInWrongly(3) }, gives{
		opLogin: tooMany, opWrong: tooMany, opExchange: tooMany, opRefresh: tooMany, opReuse: tooMany,
		opPassword: "sign-in " + tooMany, opOAuth: "sign-in later: too many requests to localhost:1",
	})
}

func (t *switchTable) sessions() {
	t.row("SessionLimit", knobs{SessionLimit: 1}, func(s *stand) { s.signInElsewhere(1) }, gives{
		opRenew: "later: localhost:1 answered 408 Request Timeout",
		opMe:    "later: localhost:1 answered 408 Request Timeout", opList: "later: Tradovate answered 408 Request Timeout",
		opOrder: "unknown outcome: Tradovate answered 408 Request Timeout",
	})
	t.row("SessionLimit, none", knobs{SessionLimit: -1}, func(s *stand) { s.signInElsewhere(5) }, nil)
	t.row("OAuthSessions", knobs{SessionLimit: 1, OAuthSessions: true}, func(s *stand) { s.signInElsewhere(1) }, gives{
		opRenew: "later: localhost:1 answered 408 Request Timeout",
		opMe:    "later: localhost:1 answered 408 Request Timeout", opRefresh: deadRefresh,
		opList:  "later: Tradovate answered 408 Request Timeout",
		opOrder: "unknown outcome: Tradovate answered 408 Request Timeout",
	})
	t.row("ClosedStatus 429", knobs{ClosedStatus: 429}, func(s *stand) { s.signInElsewhere(2) }, gives{
		opRenew: tooMany, opMe: tooMany, opList: tooMany429, opOrder: tooMany429,
	})
	t.row("ClosedStatus 500", knobs{ClosedStatus: 500}, func(s *stand) { s.signInElsewhere(2) }, gives{
		opRenew: "later: localhost:1 answered 500 Internal Server Error",
		opMe:    "later: localhost:1 answered 500 Internal Server Error",
		opList:  "later: Tradovate answered 500 Internal Server Error",
		opOrder: "unknown outcome: Tradovate answered 500 Internal Server Error",
	})
}

func (t *switchTable) failures() {
	t.row("PasswordStatus", knobs{PasswordStatus: 401}, nil, gives{opWrong: badPassword + ", or the API key"})
	t.row("PasswordStatus without a body", knobs{PasswordStatus: 401, Empty401: true}, nil, gives{opWrong: badPassword + ", or the API key"})
	t.row("PenaltyAfter", knobs{PenaltyAfter: 1}, func(s *stand) { s.signInWrongly(1) }, gives{
		opLogin: "after 15s, token for 1h20m0s, md", opWrong: penalty,
	})
	t.row("PenaltyAfter, never", knobs{PenaltyAfter: -1}, func(s *stand) { s.signInWrongly(10) }, nil)
	t.row("PenaltyWait", knobs{PenaltyAfter: 1, PenaltyWait: 3 * time.Second}, func(s *stand) { s.signInWrongly(1) }, gives{
		opLogin: "after 3s, token for 1h20m0s, md", opWrong: "later for 3s: Tradovate requires a wait",
	})
	t.row("PenaltyCaptcha", knobs{PenaltyAfter: 1, PenaltyCaptcha: true}, func(s *stand) { s.signInWrongly(1) }, gives{
		opLogin: captcha, opWrong: captcha, opPassword: "sign-in " + captcha,
	})
	t.row("SuccessForgives", knobs{PenaltyAfter: 2, SuccessForgives: true}, func(s *stand) {
		s.signInWrongly(1)
		s.signInElsewhere(1)
		s.signInWrongly(1)
	}, nil)
	t.row("RefusesRight", knobs{RefusesRight: 10 * time.Minute, PenaltyAfter: 1}, func(s *stand) { s.signInWrongly(1) }, gives{
		opLogin: "after 15s, " + badPassword, opWrong: penalty, opPassword: "sign-in " + badPassword,
	})
	t.row("LockAfter", knobs{LockAfter: 2}, func(s *stand) { s.signInWrongly(2) }, gives{
		opLogin: lockedOut, opWrong: lockedOut, opRenew: "token for 1h20m0s, md, TemporaryLocked, old one lives",
		opPassword: "sign-in " + lockedOut,
	})
	t.row("LockedStatus", knobs{LockAfter: 2, LockedStatus: 200}, func(s *stand) { s.signInWrongly(2) }, gives{
		opLogin: lockedUser, opWrong: lockedUser, opRenew: "token for 1h20m0s, md, TemporaryLocked, old one lives",
		opPassword: "sign-in " + lockedUser,
	})
}

func (t *switchTable) penalties() {
	t.row("Penalties", knobs{Penalties: 1}, nil, gives{
		opLogin: "after 15s, token for 1h20m0s, md", opWrong: penalty,
	})
	t.row("Penalties on token", knobs{Penalties: 1, PenaltyOn: emulator.AtToken}, nil, gives{
		opExchange: penalty, opRefresh: penalty, opReuse: "later for 30s: Tradovate requires a wait",
	})
	t.early()
	t.row("Penalties on renew", knobs{Penalties: 1, PenaltyOn: emulator.AtRenew}, nil, gives{
		opRenew: "after 15s, token for 1h20m0s, md, old one lives", opPassword: "kept, but renewal " + penalty,
		opOAuth: "kept, but renewal " + penalty,
	})
	t.row("Penalties on me", knobs{Penalties: 1, PenaltyOn: emulator.AtMe}, nil, gives{
		opMe: "after 30s, alice, 1001", opDemo: "later for 30s: Tradovate requires a wait",
	})
	t.row("Penalties on account-list", knobs{Penalties: 1, PenaltyOn: tradovateemu.AccountList}, nil, gives{
		opList: penalty,
	})
}

func (t *switchTable) fields() {
	t.row("NoMDToken", knobs{NoMDToken: true}, nil, gives{
		opLogin: "token for 1h20m0s", opRenew: "token for 1h20m0s, old one lives",
	})
	t.row("OAuthMDToken", knobs{OAuthMDToken: true}, nil, gives{
		opExchange: tokens + ", md", opRefresh: tokens + ", md, old one lives",
	})
	t.row("APIHosts", knobs{APIHosts: true}, nil, gives{
		opRenew:    "token for 1h20m0s, md, 10 hosts (live.tradovate.invalid demo.tradovate.invalid md.tradovate.invalid), old one lives",
		opLogin:    "token for 1h20m0s, md, 10 hosts (live.tradovate.invalid demo.tradovate.invalid md.tradovate.invalid)",
		opExchange: tokens + ", 10 hosts",
		opRefresh:  tokens + ", 10 hosts, old one lives",
	})
	t.row("LiveHost, DemoHost and MDHost", knobs{APIHosts: true, LiveHost: liveStand, DemoHost: demoStand, MDHost: "localhost:3"}, nil, gives{
		opRenew: "token for 1h20m0s, md, 10 hosts (localhost:1 localhost:2 localhost:3), old one lives",
		opLogin: "token for 1h20m0s, md, 10 hosts (localhost:1 localhost:2 localhost:3)", opExchange: tokens + ", 10 hosts",
		opRefresh: tokens + ", 10 hosts, old one lives",
	})
	t.row("NoIDToken", knobs{NoIDToken: true}, nil, gives{
		opExchange: "token for 1h20m0s, refresh token for 26h0m0s",
		opRefresh:  "token for 1h20m0s, refresh token for 26h0m0s, old one lives",
	})
	t.row("HIBPHint", knobs{HIBPHint: "PasswordCompromised"}, nil, gives{opLogin: "token for 1h20m0s, md, PasswordCompromised"})
	t.row("UserStatus", knobs{UserStatus: "UnconfirmedEmail"}, nil, gives{
		opLogin: "token for 1h20m0s, md, UnconfirmedEmail", opRenew: "token for 1h20m0s, md, UnconfirmedEmail, old one lives",
	})
	t.row("UserIDAfter", knobs{UserIDAfter: 5 * time.Minute}, nil, gives{
		opMe: "alice, 0",
	})
	t.row("UserIDAfter, later", knobs{UserIDAfter: 50 * time.Second}, func(*stand) { time.Sleep(50 * time.Second) }, nil)
	t.row("MeOnDemo", knobs{MeOnDemo: true}, nil, gives{
		opDemo: "alice, 1001",
	})
}

func (t *switchTable) permissions() {
	t.row("Empty401, revoked", knobs{Empty401: true}, func(s *stand) { s.server.RevokeUser("alice") }, gives{
		opRenew: deadAccess, opMe: deadAccess, opRefresh: deadRefresh,
		opList: "declined: Tradovate answered 401 Unauthorized", opOrder: "declined: Tradovate answered 401 Unauthorized",
	})
	t.row("revoked", knobs{}, func(s *stand) { s.server.RevokeUser("alice") }, gives{
		opRenew: deadAccess, opMe: deadAccess, opRefresh: deadRefresh,
		opList: "declined: Tradovate answered 401 Unauthorized", opOrder: "declined: Tradovate answered 401 Unauthorized",
	})
	t.row("OrdersDenied", knobs{OrdersDenied: true}, nil, gives{
		opOrder: "declined: Tradovate answered 401 Unauthorized",
	})
	t.row("UnapprovedDevice", knobs{UnapprovedDevice: "d"}, nil, gives{
		opOrder: "declined: Tradovate answered 401 Unauthorized",
	})
	t.row("AccountsDenied", knobs{AccountsDenied: true}, nil, gives{
		opList: "declined: Tradovate answered 401 Unauthorized",
	})
}

func (t *switchTable) maintenance() {
	inWindow := func(*stand) { time.Sleep(22*time.Hour + 30*time.Minute) }
	t.row("Maintenance", knobs{Maintenance: true, AccessLife: 48 * time.Hour}, inWindow, gives{
		opLogin:    "later: localhost:1 answered 503 Service Unavailable",
		opWrong:    "later: localhost:1 answered 503 Service Unavailable",
		opRenew:    "unknown outcome: localhost:1 answered 503 Service Unavailable",
		opMe:       "later: localhost:1 answered 503 Service Unavailable",
		opDemo:     "later: localhost:2 answered 503 Service Unavailable",
		opExchange: "later: localhost:1 answered 503 Service Unavailable",
		opRefresh:  "unknown outcome: localhost:1 answered 503 Service Unavailable",
		opReuse:    "unknown outcome: localhost:1 answered 503 Service Unavailable",
		opList:     "later: Tradovate answered 503 Service Unavailable",
		opOrder:    "unknown outcome: Tradovate answered 503 Service Unavailable",
		opPassword: "sign-in later: localhost:1 answered 503 Service Unavailable",
		opOAuth:    "sign-in failed: no redirected address was pasted",
	})
	t.row("Maintenance, outside", knobs{Maintenance: true, AccessLife: 48 * time.Hour}, nil, gives{
		opExchange: "token for 48h0m0s, refresh token for 26h0m0s, id",
		opRefresh:  "token for 48h0m0s, refresh token for 26h0m0s, id, old one lives",
	})
	t.row("MaintenanceStatus 500", knobs{Maintenance: true, MaintenanceStatus: 500, AccessLife: 48 * time.Hour}, inWindow, gives{
		opLogin:    "later: localhost:1 answered 500 Internal Server Error",
		opWrong:    "later: localhost:1 answered 500 Internal Server Error",
		opRenew:    "later: localhost:1 answered 500 Internal Server Error",
		opMe:       "later: localhost:1 answered 500 Internal Server Error",
		opDemo:     "later: localhost:2 answered 500 Internal Server Error",
		opExchange: "later: localhost:1 answered 500 Internal Server Error",
		opRefresh:  "unknown outcome: localhost:1 answered 500 Internal Server Error",
		opReuse:    "unknown outcome: localhost:1 answered 500 Internal Server Error",
		opList:     "later: Tradovate answered 500 Internal Server Error",
		opOrder:    "unknown outcome: Tradovate answered 500 Internal Server Error",
		opPassword: "sign-in later: localhost:1 answered 500 Internal Server Error",
		opOAuth:    "sign-in failed: no redirected address was pasted",
	})
	t.row("MaintenanceStatus -1", knobs{Maintenance: true, MaintenanceStatus: -1, AccessLife: 48 * time.Hour}, inWindow, gives{
		opLogin:    "unknown outcome: localhost:1 was reached, but no answer could be read",
		opWrong:    "unknown outcome: localhost:1 was reached, but no answer could be read",
		opRenew:    "unknown outcome: localhost:1 was reached, but no answer could be read",
		opMe:       "unknown outcome: localhost:1 was reached, but no answer could be read",
		opDemo:     "unknown outcome: localhost:2 was reached, but no answer could be read",
		opExchange: "unknown outcome: localhost:1 was reached, but no answer could be read",
		opRefresh:  "unknown outcome: localhost:1 was reached, but no answer could be read",
		opReuse:    "unknown outcome: localhost:1 did not answer in time",
		opList:     "later: localhost:1 was reached, but no answer could be read",
		opOrder:    "unknown outcome: localhost:1 was reached, but no answer could be read",
		opPassword: "sign-in unknown outcome: localhost:1 was reached, but no answer could be read",
		opOAuth:    "kept, but renewal unknown outcome: localhost:1 was reached, but no answer could be read",
	})
	t.early()
}

func (t *switchTable) pages() {
	t.row("MovedTo a host of Tradovate's", knobs{MovedTo: "https://" + dedicatedTo}, nil, gives{
		opDemo:  "alice, 1001",
		opOrder: "misconfigured: Tradovate serves this user from another host, dedicated.tradovateapi.com; the operation was not carried out",
	})
	t.row("MovedTo a stranger", knobs{MovedTo: "https://stranger.example"}, nil, gives{
		opLogin: elsewhere, opWrong: elsewhere, opRenew: elsewhere, opMe: elsewhere, opDemo: elsewhere,
		opExchange: elsewhere, opRefresh: elsewhere, opReuse: elsewhere,
		opList:     "misconfigured: localhost:1 redirects to stranger.example, which is no host of Tradovate's: the token is not sent there",
		opOrder:    "misconfigured: localhost:1 redirects to stranger.example, which is no host of Tradovate's: the token is not sent there",
		opPassword: "sign-in " + elsewhere,
		opOAuth:    "sign-in misconfigured: localhost:1 redirects token requests to https://stranger.example",
	})
	t.row("MovedTo on and on", knobs{MovedTo: "https://circle.tradovateapi.com"}, nil, gives{
		opLogin: elsewhere, opWrong: elsewhere, opRenew: elsewhere, opMe: elsewhere, opDemo: elsewhere,
		opExchange: elsewhere, opRefresh: elsewhere, opReuse: elsewhere,
		opList:     "misconfigured: Tradovate serves this user from another host, circle.tradovateapi.com; the operation was not carried out",
		opOrder:    "misconfigured: Tradovate serves this user from another host, circle.tradovateapi.com; the operation was not carried out",
		opPassword: "sign-in " + elsewhere,
		opOAuth:    "sign-in misconfigured: circle.tradovateapi.com redirects token requests to https://circle.tradovateapi.com",
	})

	t.row("IgnorePKCE", knobs{IgnorePKCE: true}, nil, nil)
	t.row("RejectPKCE", knobs{RejectPKCE: true}, nil, nil)
	t.row("LosePKCE", knobs{LosePKCE: true}, nil, gives{
		opExchange: deadCode,
	})
	t.row("Issuer", knobs{Issuer: "https://issuer.example"}, nil, gives{
		opOAuth: "sign-in failed: no redirected address was pasted",
	})
	t.row("AnyLoopbackRedirect", knobs{AnyLoopbackRedirect: true}, nil, nil)
	t.row("TokenPrefix", knobs{TokenPrefix: "sentinel-"}, nil, nil)
}
