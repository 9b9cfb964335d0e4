package ttp

import (
	"cmp"
	"net/http"
	"time"

	"github.com/venuekey/venuekey/emulator"
	"github.com/venuekey/venuekey/emulator/internal/core"
)

// knobs.go owns the knobs: every switch of the emulated TTP and its default.

// Knobs say how the venue behaves. The zero value is plugin version 3.1.x; where
// the sheet knows several answers the others are switches (TTP facts §5).
type Knobs struct {
	// CodeLife is how long an authorization code lives; 0 means 30 s (§2).
	CodeLife time.Duration
	// AccessLife is how long an access token lives; 0 means 86400 s (§2).
	AccessLife time.Duration
	// RefreshLife is how long a refresh token lives, counted from its issue and
	// never extended by use; 0 means 864000 s. Newer versions have 86400 s (§3).
	RefreshLife time.Duration
	// Rotation says what becomes of a used refresh token. The zero value, single
	// use, is 3.1.x; newer versions are [emulator.RotationOldStays]; with the issue
	// filter off it is [emulator.RotationNoNewRefresh] or [emulator.RotationNoNewRefreshOldDies] (§3).
	Rotation emulator.Rotation
	// Grace is for the grace modes of Rotation; 0 means [emulator.DefaultGrace].
	Grace time.Duration
	// RefuseRefresh answers unsupported_grant_type to every refresh, as the free
	// build of 4.x does (§3).
	RefuseRefresh bool
	// RequestToken names the refresh token in the answer to a refresh
	// "request_token", as TTP's page has it (§2).
	RequestToken bool
	// OmitExpiry leaves expires_in out of token answers, ExpiryAsText makes it a
	// string; a client should survive both (§4.8).
	OmitExpiry   bool
	ExpiryAsText bool

	// AllowOptions makes the Allow header of a 405 "POST, OPTIONS". By default it is
	// "POST" (§3).
	AllowOptions bool
	// StripAuthorization swallows the Authorization header before the plugin sees
	// it, as FastCGI hosts do (§3).
	StripAuthorization bool
	// ClientStatus is the HTTP status of invalid_client; 0 means 400 (§3).
	ClientStatus int
	// HTMLStatus, unless 0, makes token, me and revoke answer with an HTML page and
	// this status, as WordPress or a firewall before it does; seen are 200, 403,
	// 404 and 503 (§3).
	HTMLStatus int
	// MovedPOST answers POST requests to token, me and revoke with a 301 to https (§5).
	MovedPOST bool
	// PluginOff makes every endpoint answer 503 (§3).
	PluginOff bool

	// EnforceState refuses authorize requests without state. By default state is
	// optional (§3).
	EnforceState bool
	// PKCE checks the verifier of codes that came with a challenge, and RejectPKCE
	// refuses authorize requests with one. By default both are ignored (§3).
	PKCE       bool
	RejectPKCE bool
	// Issuer is sent back as iss (RFC 9207), unless empty. Nobody has seen the real one
	// send any.
	Issuer string
	// Scopes are what the site's owner added to "basic", separated by spaces; the
	// plugin grants what is asked for of them. By default there are none (§3).
	Scopes string
	// GrantOnly, unless empty, is what tokens may do, whatever was asked for: a server
	// may grant less and says so (RFC 6749 §3.3).
	GrantOnly string
	// RefusePublic refuses apps that are registered without a secret. By default they
	// are let in by their client id alone, as by the plugin's PHP library, whose
	// setting is allow_public_clients (RFC 6749 §2.1).
	RefusePublic bool
	// PublicNeedsPKCE refuses authorize requests of such apps that bring no S256
	// challenge (RFC 8252 §8.1, RFC 9700 §2.1.1). The plugin does not.
	PublicNeedsPKCE bool
	// AskConsent shows a consent page after sign-in. By default there is none (§3).
	AskConsent bool
	// SignedIn names a user whose browser has a session already: the authorize page
	// redirects at once (§3). It does nothing together with AskConsent.
	SignedIn string
	// AnyLoopbackRedirect takes any loopback redirect URI for a registered one, for
	// tests that listen on a random port. TTP does not (§2).
	AnyLoopbackRedirect bool

	// DeadToken is the error code with which me refuses a token; empty means
	// "invalid_token". "expired_token" and "malformed_token" come with 401 as well,
	// "invalid_request" with 400 and the text "Invalid token" (§3).
	DeadToken string
	// NeedsScope is a scope that me and the API want. A token without it is refused
	// with 403 insufficient_scope, in the words of the plugin's PHP library. By default
	// every token may do everything (RFC 6750 §3.1).
	NeedsScope string
	// Roles adds user_roles and capabilities to the answer of me, as newer versions
	// do (§3).
	Roles bool
	// RevokeAbsent takes the revoke endpoint away (§3).
	RevokeAbsent bool
	// RevokeEndsAll ends the access tokens of a sign-in together with its refresh
	// token, as RFC 7009 §2.1 asks. By default they live on: the plugin's PHP
	// library deletes the one token that it is shown.
	RevokeEndsAll bool
	// RevokeOnly, "refresh_token" or "access_token", is the one kind of token that the
	// revoke endpoint ends; the other is answered unsupported_token_type (RFC 7009
	// §2.2.1). By default both are ended.
	RevokeOnly string
	// WellKnown adds the two discovery documents of newer versions (§3).
	WellKnown bool

	// TokenPrefix stands before every code and token, so that tests can search
	// output for it.
	TokenPrefix string
}

// filled is a copy with the defaults filled in.
func (k Knobs) filled() Knobs {
	k.CodeLife = cmp.Or(k.CodeLife, 30*time.Second)
	k.AccessLife = cmp.Or(k.AccessLife, 86400*time.Second)
	k.RefreshLife = cmp.Or(k.RefreshLife, 864000*time.Second)
	k.ClientStatus = cmp.Or(k.ClientStatus, http.StatusBadRequest)
	k.DeadToken = cmp.Or(k.DeadToken, "invalid_token")
	return k
}

// format is that of the plugin: 40 lower-case letters and digits (TTP facts §1).
func (k Knobs) format() core.TokenFormat {
	return core.TokenFormat{Prefix: k.TokenPrefix, Length: 40, Alphabet: "abcdefghijklmnopqrstuvwxyz0123456789"}
}

func (k Knobs) policy() core.Policy {
	return core.Policy{
		Rotation: k.Rotation, Grace: k.Grace,
		AccessLife: k.AccessLife, RefreshLife: k.RefreshLife, Format: k.format(),
	}
}
