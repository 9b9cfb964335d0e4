// Package ttp emulates how TheTradingParrot signs users in. The real site runs WordPress
// with the plugin "WP OAuth Server", whose version and settings are not known to outsiders.
// So the zero [Server] is plugin version 3.1.x, and switches cover the rest of the range.
// It behaves as the fact sheet "TTP facts" in this module's documentation says; it has not
// been compared with the real service.
//
// It serves, each under both addresses that the plugin registers,
//
//	/oauth/authorize  /?oauth=authorize   sign-in page
//	/oauth/token      /?oauth=token       exchanges a code or refresh token for tokens, POST only
//	/oauth/me         /?oauth=me          whose access token it is
//	/oauth/revoke     /?oauth=revoke      revokes a token, POST only
//
// and also
//
//	/.well-known/openid-configuration     only with the switch WellKnown
//	/.well-known/oauth-authorization-server
//	/v1/ping                              made up, in place of the API host
//	/_emulator/                           admin endpoint, see package emulator
//
// Every other address, such as the /oauth?=token and /oauth?me that TTP's own page
// mentions, is an HTML page of WordPress.
//
// Behaviour that surprises clients is on by default: a code lives 30 seconds; the token
// endpoint accepts parameters in the form body only; a refresh requires the client secret;
// invalid_client has status 400; an invalid client ID or redirect URI shows JSON in the
// user's browser, and the callback never learns of it; and there is no consent page, since
// signing in is consent. The user can still deny, with the Cancel button of the sign-in
// page.
//
// # Switches
//
// The letters are those of TTP facts §4.14.
//
//	CodeLife, AccessLife, RefreshLife   lifetimes (i)
//	Rotation, Grace                     strict (a), rotate-old-stays (b), no-new-refresh (c), and others
//	RefuseRefresh                       refresh answers unsupported_grant_type
//	RequestToken                        a refresh returns request_token, not refresh_token (d)
//	AllowOptions                        the 405 (e) allows "POST, OPTIONS"
//	HTMLStatus                          token, me and revoke answer HTML with this status (f)
//	MovedPOST                           they redirect a POST to https with 301 (g)
//	DeadToken                           the error of me for a dead token (h)
//	Scopes, GrantOnly                   more scopes than basic, and fewer than requested
//	NeedsScope                          me and ping require a scope that tokens may lack
//	ClientStatus                        the status of invalid_client (j)
//	PluginOff                           every endpoint answers 503
//	StripAuthorization                  the web server drops the Authorization header
//	EnforceState, PKCE, RejectPKCE      settings of the authorize page
//	Issuer                              iss in the redirect
//	RefusePublic, PublicNeedsPKCE       apps that are registered without a secret
//	AskConsent, SignedIn                a consent page, or no page at all
//	RevokeEndsAll                       revoking a refresh token also ends its access token
//	RevokeOnly                          one kind of token can be revoked, the other not
//	RevokeAbsent, WellKnown, Roles      what other versions lack or have
//	OmitExpiry, ExpiryAsText            expires_in is absent, or a string
//	AnyLoopbackRedirect, TokenPrefix    for tests
//
// # By hand
//
// Open the first address in a browser, sign in as alice with password wonderland,
// and exchange the code from the address bar within 30 seconds:
//
//	http://localhost:9100/oauth/authorize?response_type=code&client_id=demo-client&redirect_uri=http://localhost:8080/auth/callback&state=x
//
//	curl -d grant_type=authorization_code -d code=… -d redirect_uri=http://localhost:8080/auth/callback \
//	     -d client_id=demo-client -d client_secret=demo-secret http://localhost:9100/oauth/token
//	curl -H 'Authorization: Bearer …' http://localhost:9100/oauth/me
//	curl -d '{"rotation":"rotate-old-stays","refreshLife":"24h"}' http://localhost:9100/_emulator/knobs
package ttp
