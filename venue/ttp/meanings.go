package ttp

import (
	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/oauth"
)

// meanings.go owns the errors of the site's plugin.

// meanings are the plugin's errors that differ from the RFC's. Their status differs too:
// an invalid client is a 400.
var meanings = []oauth.Meaning{
	{Text: "state parameter is required", Class: venuekey.ClassMisconfigured, Reason: "the site requires a state and says that it received none", Remedy: "sign in again; if it happens again, report it to TheTradingParrot"},
	{Code: "redirect_uri_mismatch", Class: venuekey.ClassMisconfigured, Reason: "the redirect uri is not the registered one", Remedy: "ask TheTradingParrot which uri is registered, and set exactly that one"},
	{Code: "invalid_uri", Class: venuekey.ClassMisconfigured, Reason: "the site does not accept the redirect uri", Remedy: "ask TheTradingParrot which uri is registered, and set exactly that one"},
	{Text: "authorization code has expired", Class: venuekey.ClassRefused, Reason: "the authorization code was more than 30 seconds old", Remedy: "sign in again and let the code be exchanged at once"},
	{Text: "refresh token has expired", Class: venuekey.ClassRefused, Reason: "the refresh token expired"},
	{Text: "request method must be post", Class: venuekey.ClassMisconfigured, Reason: "the site received a method other than POST", Remedy: "check the token address; a redirect on the way turns POST into GET"},
	{Code: "unsupported_grant_type", Grant: "refresh_token", Class: venuekey.ClassRefused, Reason: "the site does not renew tokens (its plugin's free edition does not)"},
	{Code: "security_risk", Class: venuekey.ClassMisconfigured, Reason: "the site's plugin blocks this client"},
	{Code: "error", Class: venuekey.ClassLater, Reason: "the site's sign-in server is switched off for now"},
}
