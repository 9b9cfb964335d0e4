package ctrader

import (
	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/oauth"
)

// meanings.go owns the field names and error codes of cTrader's answers.

// names are the fields of token answers: always in camelCase, sometimes in snake_case
// too.
var names = oauth.Names{
	Access:      []string{"accessToken", "access_token"},
	Refresh:     []string{"refreshToken", "refresh_token"},
	Type:        []string{"tokenType", "token_type"},
	ExpiresIn:   []string{"expiresIn", "expires_in"},
	Error:       []string{"errorCode", "error"},
	Description: []string{"description", "error_description"},
}

const checkApp = "compare them with the app's credentials at https://openapi.ctrader.com/apps, and check that the app is Active there"

// checkAppOrSignIn is for a refusal that may concern the app or the token. In doubt it
// counts as the app's: fixing the app may revive the sign-in, while treating it as final
// would lose one that is good.
const checkAppOrSignIn = checkApp + "; if they are right, sign in again"

// meanings are the errors of the authorization and token endpoints. cTrader documents
// neither their codes nor their descriptions. A description is tried first; the codes are
// those of the protocol and those seen by third parties.
var meanings = []oauth.Meaning{
	{Text: "invalid redirect uri", Class: venuekey.ClassMisconfigured, Reason: "cTrader does not know the redirect uri for this app",
		Remedy: "register exactly the same uri at https://openapi.ctrader.com/apps, with scheme, host, port, path, case and slash; the first one there is the Playground's and does not count"},
	{Text: "invalid authorization code", Class: venuekey.ClassRefused, Reason: "cTrader does not accept the authorization code: it is unknown, used, or more than a minute old",
		Remedy: "sign in again and let the code be exchanged at once"},
	{Text: "invalid client", Class: venuekey.ClassMisconfigured, Reason: "cTrader does not accept the client id and secret", Remedy: checkApp},
	{Text: "invalid refresh token", Class: venuekey.ClassRefused, Reason: "cTrader does not accept the refresh token: it was used already, or the user signed in again or took access away"},
	{Code: "ACCESS_DENIED", Grant: "authorization_code", Class: venuekey.ClassMisconfigured, Reason: "cTrader denies access: it does not accept the client id and secret, or the app is not active", Remedy: checkApp},
	{Code: "ACCESS_DENIED", Grant: "refresh_token", Class: venuekey.ClassMisconfigured, Reason: "cTrader denies access, and does not say whether to the client id and secret or to the refresh token", Remedy: checkAppOrSignIn},
	{Code: "INVALID_GRANT", Grant: "authorization_code", Class: venuekey.ClassRefused, Reason: "cTrader does not accept the authorization code: it is unknown, used, or more than a minute old",
		Remedy: "sign in again and let the code be exchanged at once"},
	{Code: "INVALID_GRANT", Grant: "refresh_token", Class: venuekey.ClassRefused, Reason: "cTrader does not accept the refresh token: it was used already, or the user signed in again or took access away"},
	{Code: "INVALID_CLIENT", Class: venuekey.ClassMisconfigured, Reason: "cTrader does not accept the client id and secret", Remedy: checkApp},
	{Code: "CH_CLIENT_AUTH_FAILURE", Class: venuekey.ClassMisconfigured, Reason: "cTrader does not accept the client id and secret, or the app is not activated", Remedy: checkApp},
	{Code: "CH_OA_CLIENT_NOT_FOUND", Class: venuekey.ClassMisconfigured, Reason: "cTrader does not know the client id", Remedy: checkApp},
	{Code: "CH_ACCESS_TOKEN_INVALID", Class: venuekey.ClassRefused, Reason: "cTrader does not accept the token"},
	{Code: "OA_AUTH_TOKEN_EXPIRED", Class: venuekey.ClassRefused, Reason: "cTrader says that the token expired"},
	{Code: "INVALID_REQUEST", Grant: "refresh_token", Class: venuekey.ClassMisconfigured, Reason: "cTrader does not accept the request, and does not say whether for the client id and secret or for the refresh token", Remedy: checkAppOrSignIn},
	{Code: "INVALID_REQUEST", Class: venuekey.ClassMisconfigured, Reason: "cTrader does not accept the request: its redirect uri, client id or secret is not the registered one",
		Remedy: "register exactly the same uri at https://openapi.ctrader.com/apps, with scheme, host, port, path, case and slash, and compare client id and secret; the first uri there is the Playground's and does not count"},
	{Code: "SERVER_IS_UNDER_MAINTENANCE", Class: venuekey.ClassLater, Reason: "cTrader is under maintenance"},
	{Code: "CH_SERVER_NOT_REACHABLE", Class: venuekey.ClassLater, Reason: "a server behind cTrader's API is not reachable"},
	{Code: "CANT_ROUTE_REQUEST", Class: venuekey.ClassLater, Reason: "cTrader cannot route the request, as during maintenance"},
	{Code: "TIMEOUT_ERROR", Class: venuekey.ClassUnknown, Reason: "cTrader reports a time-out on its side"},
	{Code: "REQUEST_FREQUENCY_EXCEEDED", Class: venuekey.ClassLater, Reason: "cTrader was asked too often"},
	{Code: "BLOCKED_PAYLOAD_TYPE", Class: venuekey.ClassLater, Reason: "cTrader was asked too often"},
}
