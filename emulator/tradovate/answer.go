package tradovate

import (
	"slices"
	"time"

	"github.com/venuekey/venuekey/emulator"
)

// answer.go owns the answer with a token that sign-in and renewal share, and its other
// fields.

// timeFormat is RFC 3339 with milliseconds, always in UTC (Tradovate facts §1.2).
const timeFormat = "2006-01-02T15:04:05.000Z"

// passwordLife is made up: the field is for passwords with a limited life and says nothing
// about the token (Tradovate facts §1.2).
const passwordLife = 90 * 24 * time.Hour

// signedIn returns an AccessTokenResponse, with declared and undeclared fields (Tradovate
// facts §1.2). A user with live accounts is funded; that all users have market data, and none
// has SimPlus or is shown key information documents, is made up.
func (s *Server) signedIn(k Knobs, p emulator.Pair, u emulator.User) map[string]any {
	hasLive := slices.ContainsFunc(u.Accounts, func(a emulator.Account) bool { return a.Live })
	out := map[string]any{
		"accessToken":               p.Access,
		"expirationTime":            p.AccessExpires.UTC().Format(timeFormat),
		"passwordExpirationTime":    p.Issued.Add(passwordLife).UTC().Format(timeFormat),
		"userStatus":                s.userStatus(k, u.Name),
		"userId":                    u.ID,
		"name":                      u.Name,
		"hasLive":                   hasLive,
		"hasFunded":                 hasLive,
		"hasMarketData":             true,
		"hasSimPlus":                false,
		"showKIDs":                  false,
		"outdatedTaC":               false,
		"outdatedLiquidationPolicy": false,
	}
	if !k.NoMDToken {
		out["mdAccessToken"] = s.mdToken(k, p.Access)
	}
	if k.APIHosts {
		out["apiHosts"] = k.apiHosts()
	}
	return out
}

// temporaryLocked is the userStatus of a locked user (Tradovate facts §1.2).
const temporaryLocked = "TemporaryLocked"

// userStatus returns what the answers say of a user.
func (s *Server) userStatus(k Knobs, user string) string {
	if s.isLocked(k, user) {
		return temporaryLocked
	}
	return k.UserStatus
}

// isLocked reports whether failed sign-ins have locked a user.
func (s *Server) isLocked(k Knobs, user string) bool {
	return k.LockAfter > 0 && s.wrong.isSpent(s.core.Clock.Now(), user, k.LockAfter)
}

// apiHosts returns bare host names: those of the documentation, and three that have been seen
// (Tradovate facts §0). Only those that a knob names can exist, so that no client is led to a
// real host.
func (k Knobs) apiHosts() map[string]string {
	out := map[string]string{"live": k.LiveHost, "demo": k.DemoHost, "mdLive": k.MDHost, "mdDemo": k.MDHost}
	for _, name := range []string{"replay", "reportingLive", "reportingDemo", "riskMonitorLive", "riskMonitorDemo", "userContext"} {
		out[name] = nowhere(name)
	}
	return out
}

// nowhere returns a host name that can never resolve (RFC 2606 §2).
func nowhere(name string) string { return name + ".tradovate.invalid" }
