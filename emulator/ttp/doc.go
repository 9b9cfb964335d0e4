// Package ttp emulates how TheTradingParrot signs users in. The real site runs
// WordPress with the plugin "WP OAuth Server", in a version and with settings that
// nobody outside knows, so the zero [Server] is plugin 3.1.x and the rest of the
// range is switches. It behaves as the fact sheet "TTP facts" in this module's
// documentation says, and nothing in it has met the real service.
//
// It serves, each under both addresses that the plugin registers,
//
//	/oauth/authorize  /?oauth=authorize   sign-in page
//	/oauth/token      /?oauth=token       code or refresh token for tokens, POST only
//	/oauth/me         /?oauth=me          who the access token belongs to
//	/oauth/revoke     /?oauth=revoke      ends a token, POST only
//
// and besides
//
//	/.well-known/openid-configuration     only with the switch WellKnown
//	/.well-known/oauth-authorization-server
//	/v1/ping                              made up, stands for the API host
//	/_emulator/                           admin, see package emulator
//
// Every other address, such as the /oauth?=token and /oauth?me that TTP's own
// page prints, is an HTML page of WordPress.
//
// What surprises clients is on by default: a code lives 30 seconds, the token
// endpoint takes parameters from the form body only, the client secret is needed
// for a refresh, invalid_client comes with status 400, a bad client id or redirect
// URI shows JSON in the user's browser and never reaches the callback, and there
// is no consent page: signing in is consent. A person can still deny, with the
// Cancel button of the sign-in page.
//
// # Switches
//
// The letters are those of TTP facts §4.14.
//
//	CodeLife, AccessLife, RefreshLife   lifetimes (i)
//	Rotation, Grace                     strict (a), rotate-old-stays (b), no-new-refresh (c), and others
//	RefuseRefresh                       refresh answers unsupported_grant_type
//	RequestToken                        a refresh answers request_token, not refresh_token (d)
//	AllowOptions                        the 405 (e) allows "POST, OPTIONS"
//	HTMLStatus                          token, me and revoke answer HTML with this status (f)
//	MovedPOST                           they answer a POST with 301 to https (g)
//	DeadToken                           the error of me for a dead token (h)
//	Scopes, GrantOnly                   more scopes than basic, and fewer than asked for
//	NeedsScope                          me and ping want a scope that tokens may lack
//	ClientStatus                        the status of invalid_client (j)
//	PluginOff                           everything answers 503
//	StripAuthorization                  the web server swallows the Authorization header
//	EnforceState, PKCE                  settings of the authorize page
//	RefusePublic, PublicNeedsPKCE       apps that are registered without a secret
//	AskConsent, SignedIn                a consent page, or no page at all
//	RevokeEndsAll                       a refresh token takes its access token with it
//	RevokeOnly                          one kind of token is revoked, the other refused
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
