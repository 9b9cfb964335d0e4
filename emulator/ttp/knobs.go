package ttp

import (
	"cmp"
	"net/http"
	"time"

	"github.com/venuekey/venuekey/emulator"
	"github.com/venuekey/venuekey/emulator/internal/core"
)

// knobs.go owns the knobs: every switch of the emulated TTP and its default.

// Knobs say how the venue behaves. The zero value is plugin version 3.1.x; if the fact
// sheet has several possible answers, the others are switches (TTP facts §5). Section
// numbers are those of the fact sheet.
type Knobs struct {
	// CodeLife is how long an authorization code lives; 0 means 30 s (§2).
	CodeLife time.Duration
	// AccessLife is how long an access token lives; 0 means 86400 s (§2).
	AccessLife time.Duration
	// RefreshLife is how long a refresh token lives, counted from its issue and
	// never extended by use; 0 means 864000 s. Newer versions have 86400 s (§3).
	RefreshLife time.Duration
	// Rotation says what happens to a used refresh token. The zero value, single-use, is
	// that of 3.1.x. Newer versions have [emulator.RotationOldStays]; with the issue
	// filter off it is [emulator.RotationNoNewRefresh] or
	// [emulator.RotationNoNewRefreshOldDies] (§3).
	Rotation emulator.Rotation
	// Grace is the grace period of Rotation; 0 means [emulator.DefaultGrace].
	Grace time.Duration
	// RefuseRefresh answers unsupported_grant_type to every refresh, as the free build of
	// 4.x does (§3).
	RefuseRefresh bool
	// RequestToken calls the refresh token in the answer to a refresh "request_token", as
	// TTP's page does (§2).
	RequestToken bool
	// OmitExpiry omits expires_in from token answers, and ExpiryAsText makes it a string;
	// a client should survive both (§4.8).
	OmitExpiry   bool
	ExpiryAsText bool

	// AllowOptions makes the Allow header of a 405 "POST, OPTIONS". By default it is
	// "POST" (§3).
	AllowOptions bool
	// StripAuthorization drops the Authorization header before the plugin sees it, as
	// FastCGI hosts do (§3).
	StripAuthorization bool
	// ClientStatus is the HTTP status of invalid_client; 0 means 400 (§3).
	ClientStatus int
	// HTMLStatus, unless 0, makes token, me and revoke answer with an HTML page and this
	// status, as WordPress or a firewall in front of it does. 200, 403, 404 and 503 have
	// been seen (§3).
	HTMLStatus int
	// MovedPOST redirects POST requests to token, me and revoke to https with a 301 (§5).
	MovedPOST bool
	// PluginOff makes every endpoint answer 503 (§3).
	PluginOff bool

	// EnforceState refuses authorize requests without state. By default state is
	// optional (§3).
	EnforceState bool
	// PKCE checks the verifier for codes whose authorize request had a challenge, and
	// RejectPKCE refuses authorize requests with a challenge. By default both are ignored
	// (§3).
	PKCE       bool
	RejectPKCE bool
	// Issuer is sent as iss in the redirect (RFC 9207), unless empty. The real venue has
	// not been seen to send one.
	Issuer string
	// Scopes are the scopes that the site's owner has added to "basic", separated by
	// spaces; the plugin grants those of them that are requested. By default there are
	// none (§3).
	Scopes string
	// GrantOnly, unless empty, is the scope of all tokens, whatever was requested: a
	// server may grant less and then says so (RFC 6749 §3.3).
	GrantOnly string
	// RefusePublic refuses apps that are registered without a secret. By default their
	// client ID is enough, as for the plugin's PHP library, whose setting is
	// allow_public_clients (RFC 6749 §2.1).
	RefusePublic bool
	// PublicNeedsPKCE refuses authorize requests of such apps without an S256 challenge
	// (RFC 8252 §8.1, RFC 9700 §2.1.1). The plugin does not.
	PublicNeedsPKCE bool
	// AskConsent shows a consent page after sign-in. By default there is none (§3).
	AskConsent bool
	// SignedIn is the name of a user whose browser already has a session: the authorize
	// page redirects at once (§3). It has no effect together with AskConsent.
	SignedIn string
	// AnyLoopbackRedirect accepts any loopback redirect URI as registered, for tests that
	// listen on a random port. TTP does not (§2).
	AnyLoopbackRedirect bool

	// DeadToken is the error code with which me refuses a token; empty means
	// "invalid_token". "expired_token" and "malformed_token" also have status 401;
	// "invalid_request" has 400 and the text "Invalid token" (§3).
	DeadToken string
	// NeedsScope is a scope that me and the API require. A token without it is refused
	// with 403 insufficient_scope, in the words of the plugin's PHP library. By default
	// every token can do everything (RFC 6750 §3.1).
	NeedsScope string
	// Roles adds user_roles and capabilities to the answer of me, as newer versions do
	// (§3).
	Roles bool
	// RevokeAbsent removes the revoke endpoint (§3).
	RevokeAbsent bool
	// RevokeEndsAll ends the access tokens of a sign-in together with its refresh token,
	// as RFC 7009 §2.1 asks. By default they stay alive: the plugin's PHP library deletes
	// only the token presented.
	RevokeEndsAll bool
	// RevokeOnly, "refresh_token" or "access_token", is the only kind of token that can be
	// revoked; the other is answered with unsupported_token_type (RFC 7009 §2.2.1). By
	// default both can be revoked.
	RevokeOnly string
	// WellKnown adds the two discovery documents of newer versions (§3).
	WellKnown bool

	// TokenPrefix is the prefix of every code and token, so that tests can search output
	// for it.
	TokenPrefix string
}

// filled returns a copy with the defaults filled in.
func (k Knobs) filled() Knobs {
	k.CodeLife = cmp.Or(k.CodeLife, 30*time.Second)
	k.AccessLife = cmp.Or(k.AccessLife, 86400*time.Second)
	k.RefreshLife = cmp.Or(k.RefreshLife, 864000*time.Second)
	k.ClientStatus = cmp.Or(k.ClientStatus, http.StatusBadRequest)
	k.DeadToken = cmp.Or(k.DeadToken, "invalid_token")
	return k
}

// format returns the plugin's token format: 40 lower-case letters and digits (TTP facts
// §1).
func (k Knobs) format() core.TokenFormat {
	return core.TokenFormat{Prefix: k.TokenPrefix, Length: 40, Alphabet: "abcdefghijklmnopqrstuvwxyz0123456789"}
}

func (k Knobs) policy() core.Policy {
	return core.Policy{
		Rotation: k.Rotation, Grace: k.Grace,
		AccessLife: k.AccessLife, RefreshLife: k.RefreshLife, Format: k.format(),
	}
}
