// Package tradovate emulates how Tradovate signs users in: with name, password and API
// key, or with OAuth. It behaves as the fact sheet "Tradovate facts" in this module's
// documentation says; it has not been compared with the real service.
//
// [Server] is the live host, and [Server.Demo] the demo host of the same venue. They share
// users, tokens, clock and knobs, because demo and live are environments of an endpoint,
// not of a sign-in. Both serve, regardless of case and method, with and without the prefix
// /v1,
//
//	/auth/accesstokenrequest   exchanges name, password and API key for a token
//	/auth/renewaccesstoken     exchanges a live access token for a new one
//	/auth/oauthtoken           exchanges a code or refresh token for tokens
//	/auth/me                   whose access token it is, on the live host only
//	/account/list              the user's accounts in the host's environment
//	/contract/…                find, item, items, suggest: three contracts
//	/order/…                   placeorder, modifyorder, cancelorder, liquidateposition, which
//	                           user syncs report; list, item, items
//	/orderversion/list  /fill/list  /position/list  /cashbalance/list
//	/v1/websocket              the WebSocket, with this prefix only
//
// and, since there is no third host for them,
//
//	/oauth  /oauth/authorize   sign-in and consent page
//	/_emulator/                admin endpoint, see package emulator
//
// Without configuration a server knows [emulator.DefaultUsers], the OAuth client
// "demo-client" with secret "demo-secret" ([emulator.DefaultApp]), and the API key with
// cid 42 and sec "demo-sec" ([DefaultKey]), which all users can use.
//
// Behaviour that surprises clients is on by default: most failures have status 200 with
// errorText, error, violations or a p-ticket in the body; after five failed sign-ins every
// further one incurs a penalty, as the sixteenth renewal within an hour does, and every
// breach of a penalty, even with another request, doubles the wait; a third session closes the oldest, whose token is
// then answered with 408; an OAuth refresh token is single-use. A market order is filled at
// once, and any other works until it is cancelled.
//
// # WebSocket
//
// [Server.MarketData] is a third host, with market data on its WebSocket. On every host a
// socket opens with the frame o, sends h every 2.5 s unless market data flows, and sends
// messages as a[…]; requests are "endpoint\nid\nquery\nbody". The users' hosts know
// authorize, user/syncrequest, account/list and the operations above, the third host authorize and md/… in the documented shapes, with made-up prices of three
// contracts. [Server.InjectSocket] orders what goes wrong with a request;
// [Server.ShutDown], [Server.CutSockets] and [Server.MuteSockets] strike all sockets.
// [SocketKnobs] are the switches. [Server.CloseSockets] ends a server's sockets, since an
// http.Server does not know them.
//
// # Switches
//
//	CodeLife, AccessLife, RefreshLife   lifetimes
//	Rotation, Grace                     what happens to a used OAuth refresh token
//	OAuthErrorStatus                    the status of oauthtoken's refusals, which is 200
//	TransientRefusals                   valid refreshes that are refused before one succeeds
//	RenewKillsOld                       a renewal ends the old access token
//	RefreshKillsOld                     a refresh token's use ends it
//	RenewQuota, MeQuota, Quota429       requests per hour before a penalty, or a bare 429
//	UserLimit, UserWarned               a user's requests per hour before 429, and 423 before that
//	UserPerMinute, UserPerSecond        the same for shorter times
//	AnonymousLimit, AnonymousPerMinute, AnonymousPerSecond   an address's requests without a token
//	SessionLimit, OAuthSessions         how many sessions a user can have, and of which kind
//	ClosedStatus                        the status for the token of a closed session
//	PasswordStatus                      the status for a wrong name or password, which is 200
//	PenaltyAfter, PenaltyWait, PenaltyCaptcha   penalty after failed sign-ins
//	SuccessForgives                     a success forgets failed sign-ins
//	RefusesRight, LockAfter             a right password is refused for a while; a user is locked
//	LockedStatus                        the status for a sign-in of a locked user
//	Penalties, PenaltyOn                penalty for the next requests, whatever they are
//	NoMDToken, OAuthMDToken             no mdAccessToken, or also in answers of oauthtoken
//	APIHosts, LiveHost, DemoHost, MDHost   apiHosts in answers with tokens
//	NoIDToken, HIBPHint                 no id_token; hibpHint for who asks by hibpCheck
//	UserStatus, UserIDAfter, MeOnDemo   what the answers say about the user
//	Empty401                            a 401 has no body
//	OrdersDenied                        an order gets 401, as from a device that is not approved
//	UnapprovedDevice, AccountsDenied    a device that may not trade; a key without a permission
//	Maintenance, MaintenanceStatus      the published windows are kept by the clock
//	MovedTo                             all but the pages redirect to another host with 307
//	IgnorePKCE, RejectPKCE, LosePKCE    PKCE is ignored, refused, or lost
//	Issuer                              iss in the redirect
//	Socket                              those of the WebSocket, see [SocketKnobs]
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
