// Package tradovate emulates how Tradovate signs users in: with name, password
// and API key, or by OAuth. It behaves as the fact sheet "Tradovate facts" in this
// module's documentation says, and nothing in it has met the real service.
//
// [Server] is the live host, [Server.Demo] the demo host of the same venue: users,
// tokens, clock and knobs are shared, because demo and live are the environment of
// an endpoint and not of a sign-in. Both serve, in any case of letters, with and
// without /v1 before, and whatever the method,
//
//	/auth/accesstokenrequest   name, password and API key for a token
//	/auth/renewaccesstoken     live access token for a new one
//	/auth/oauthtoken           code or refresh token for tokens
//	/auth/me                   who the access token belongs to, on the live host only
//	/account/list              the user's accounts of the host's environment
//
// and, since there is no third host for it,
//
//	/oauth  /oauth/authorize   sign-in and consent page
//	/_emulator/                admin, see package emulator
//
// A server that is told nothing knows [emulator.DefaultUsers], the OAuth client
// "demo-client" with secret "demo-secret" ([emulator.DefaultApp]), and the API key
// with cid 42 and sec "demo-sec" ([DefaultKey]), which all users may use.
//
// What surprises clients is on by default: most failures are status 200 with
// errorText, error, violations or a p-ticket inside; after five failed sign-ins
// every further one is penalised; a third session closes the oldest, whose token
// then answers 408; the sixteenth renewal in an hour is a bare 429, and asking
// again prolongs it; an OAuth refresh token works once.
//
// # Switches
//
//	CodeLife, AccessLife, RefreshLife   lifetimes
//	Rotation, Grace                     what becomes of a used OAuth refresh token
//	OAuthErrorStatus                    refusals of oauthtoken are not 200
//	TransientRefusals                   so many good refreshes are refused first
//	RenewKillsOld                       the old access token dies of a renewal
//	RenewQuota, MeQuota                 requests an hour before 429
//	SessionLimit, OAuthSessions         how many sessions a user may have, and of which kind
//	ClosedStatus                        what the token of a closed session answers
//	PasswordStatus                      wrong name or password is 401, not 200
//	PenaltyAfter, PenaltyWait, PenaltyCaptcha   penalty after failed sign-ins
//	Penalties, PenaltyOn                penalty for the next requests, whatever they are
//	NoMDToken, OAuthMDToken             mdAccessToken is absent, or on oauthtoken as well
//	APIHosts, LiveHost, DemoHost        apiHosts in answers with tokens
//	UserStatus, UserIDAfter, MeOnDemo   what the answers say about the user
//	Empty401                            a 401 has no body
//	MovedTo                             all but the pages answers 307 to another host
//	AnyLoopbackRedirect, TokenPrefix    for tests
//
// # By hand
//
//	curl -H 'Content-Type: application/json' -d '{"name":"alice","password":"wonderland","appId":"me","cid":42,"sec":"demo-sec"}' \
//	     http://localhost:9100/v1/auth/accesstokenrequest
//	curl -H 'Authorization: Bearer …' http://localhost:9100/v1/auth/renewaccesstoken
//	curl -H 'Authorization: Bearer …' http://localhost:9100/v1/auth/me
//	curl -d '{"penalties":1,"penaltyWait":"3s"}' http://localhost:9100/_emulator/knobs
package tradovate
