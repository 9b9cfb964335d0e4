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
// facts §1.2). A user with live accounts is funded; that all users have market data is
// made up.
func (s *Server) signedIn(k Knobs, p emulator.Pair, u emulator.User) map[string]any {
	hasLive := slices.ContainsFunc(u.Accounts, func(a emulator.Account) bool { return a.Live })
	out := map[string]any{
		"accessToken":               p.Access,
		"expirationTime":            p.AccessExpires.UTC().Format(timeFormat),
		"passwordExpirationTime":    p.Issued.Add(passwordLife).UTC().Format(timeFormat),
		"userStatus":                k.UserStatus,
		"userId":                    u.ID,
		"name":                      u.Name,
		"hasLive":                   hasLive,
		"hasFunded":                 hasLive,
		"hasMarketData":             true,
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

// apiHosts returns bare host names (Tradovate facts §0). Only the first two can exist, so
// that no client is led to a real host.
func (k Knobs) apiHosts() map[string]string {
	out := map[string]string{"live": k.LiveHost, "demo": k.DemoHost}
	for _, name := range []string{"mdLive", "mdDemo", "replay", "reportingLive", "reportingDemo"} {
		out[name] = nowhere(name)
	}
	return out
}

// nowhere returns a host name that can never resolve (RFC 2606 §2).
func nowhere(name string) string { return name + ".tradovate.invalid" }
