package ctrader

import (
	"cmp"
	"net/http"
	"time"

	"github.com/venuekey/venuekey/emulator"
	"github.com/venuekey/venuekey/emulator/internal/core"
)

// knobs.go owns the knobs: every switch of the emulated cTrader and its default.

// Knobs say how the venue behaves. The zero value is cTrader as the fact sheet describes
// it; if the sheet has several possible answers, the zero value is the likeliest, and the
// others are switches ("cTrader facts" §1 and §8). Section numbers are those of the fact
// sheet.
type Knobs struct {
	// CodeLife is how long an authorization code lives; 0 means 60 s (§1.7).
	CodeLife time.Duration
	// AccessLife is how long an access token lives; 0 means 2628000 s (§1.7).
	AccessLife time.Duration
	// RefreshLife is how long a refresh token lives; 0 means forever (§1.7).
	RefreshLife time.Duration
	// Rotation says what happens to a used refresh token. The zero value is single-use
	// (§1.7).
	Rotation emulator.Rotation
	// Grace is the grace period of Rotation; 0 means [emulator.DefaultGrace].
	Grace time.Duration
	// OldAccessStays keeps the old access token alive after a refresh. By default it is
	// ended at once (§1.7).
	OldAccessStays bool
	// OldRefreshStays keeps earlier refresh tokens alive when the user allows the same
	// app again. By default they are ended when the user presses the button, even if the
	// code is never exchanged (§1.7).
	OldRefreshStays bool

	// EchoState sends state back in the redirect. By default it is dropped (§1.3).
	EchoState bool
	// DenyWithoutRedirect shows a page when the user denies. By default the browser is
	// sent back with error=access_denied (§8).
	DenyWithoutRedirect bool
	// AnyLoopbackRedirect accepts any loopback redirect URI as registered, for tests that
	// listen on a random port. cTrader does not (§1.1).
	AnyLoopbackRedirect bool
	// PlaygroundFirst refuses the first registered redirect URI, which at cTrader belongs
	// to the Playground (§1.1).
	PlaygroundFirst bool
	// RejectPKCE refuses authorize requests with a code_challenge, and PKCE checks the
	// verifier for codes whose request had one. By default both are ignored (§8).
	RejectPKCE bool
	PKCE       bool
	// Issuer is sent as iss in the redirect (RFC 9207), unless empty. The real venue has
	// not been seen to send one.
	Issuer string
	// RejectBasic refuses token requests with a Basic header. By default the header is
	// ignored (§8).
	RejectBasic bool

	// CamelCaseOnly omits the snake_case duplicates from token answers (§1.5).
	CamelCaseOnly bool
	// NullTokens adds the token keys to error answers, as nulls. By default they are
	// absent (§1.6).
	NullTokens bool
	// OmitExpiry omits the lifetime from token answers, which some known clients tolerate
	// (§1.5).
	OmitExpiry bool
	// RefuseGET and RefusePOST answer token requests with that method with 405. By
	// default both work (§1.4).
	RefuseGET  bool
	RefusePOST bool
	// ErrorStatus is the HTTP status of logical errors; 0 means 200 (§1.6).
	ErrorStatus int
	// ErrorCodes are the codes of logical errors. No source lists the real ones (§1.6),
	// so a client must not depend on these.
	ErrorCodes ErrorCodes
	// Descriptions adds descriptions that are made up to the codes. By default the
	// description is null, since the real ones are not known (§1.6), and a client must do
	// without.
	Descriptions bool

	// TokenPrefix is the prefix of every code and token, so that tests can search output
	// for it.
	TokenPrefix string
}

// ErrorCodes are the errorCode strings of the token endpoint; an empty one means its
// default. Third-party code has ACCESS_DENIED, INVALID_REQUEST and INVALID_GRANT, but does
// not say what for (§1.6). The defaults distinguish a dead refresh token, by the word of RFC
// 6749 §5.2, from wrong credentials; if both codes are the same, a client can only tell that
// it is one of the two.
type ErrorCodes struct {
	Request  string // malformed or unknown grant type; "INVALID_REQUEST"
	Client   string // unknown client or wrong secret; "ACCESS_DENIED"
	Redirect string // another redirect URI than the code's; "INVALID_REQUEST"
	Code     string // code unknown, expired or used; "INVALID_GRANT"
	Refresh  string // refresh token unknown, expired, used or revoked; "INVALID_GRANT"
}

// filled returns a copy with the defaults filled in.
func (k Knobs) filled() Knobs {
	k.CodeLife = cmp.Or(k.CodeLife, time.Minute)
	k.AccessLife = cmp.Or(k.AccessLife, 2628000*time.Second)
	k.ErrorStatus = cmp.Or(k.ErrorStatus, http.StatusOK)
	k.ErrorCodes.Request = cmp.Or(k.ErrorCodes.Request, "INVALID_REQUEST")
	k.ErrorCodes.Client = cmp.Or(k.ErrorCodes.Client, "ACCESS_DENIED")
	k.ErrorCodes.Redirect = cmp.Or(k.ErrorCodes.Redirect, "INVALID_REQUEST")
	k.ErrorCodes.Code = cmp.Or(k.ErrorCodes.Code, "INVALID_GRANT")
	k.ErrorCodes.Refresh = cmp.Or(k.ErrorCodes.Refresh, "INVALID_GRANT")
	return k
}

func (k Knobs) format() core.TokenFormat { return core.TokenFormat{Prefix: k.TokenPrefix} }

func (k Knobs) policy() core.Policy {
	return core.Policy{
		Rotation: k.Rotation, Grace: k.Grace,
		AccessLife: k.AccessLife, RefreshLife: k.RefreshLife,
		KillOldAccess: !k.OldAccessStays, Format: k.format(),
	}
}
