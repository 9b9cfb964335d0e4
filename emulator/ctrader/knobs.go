package ctrader

import (
	"cmp"
	"net/http"
	"time"

	"github.com/venuekey/venuekey/emulator"
	"github.com/venuekey/venuekey/emulator/internal/core"
)

// knobs.go owns the knobs: every switch of the emulated cTrader and its default.

// Knobs say how the venue behaves. The zero value is cTrader as the fact sheet
// has it; where the sheet knows several answers, the zero value is the likeliest
// and the others are switches ("cTrader facts" §1 and §8).
type Knobs struct {
	// CodeLife is how long an authorization code lives; 0 means 60 s (§1.7).
	CodeLife time.Duration
	// AccessLife is how long an access token lives; 0 means 2628000 s (§1.7).
	AccessLife time.Duration
	// RefreshLife is how long a refresh token lives; 0 means forever (§1.7).
	RefreshLife time.Duration
	// Rotation says what becomes of a used refresh token. The zero value is
	// single use (§1.7).
	Rotation emulator.Rotation
	// Grace is for the grace modes of Rotation; 0 means [emulator.DefaultGrace].
	Grace time.Duration
	// OldAccessStays leaves the old access token alive after a refresh. By default
	// it dies at once (§1.7).
	OldAccessStays bool
	// OldRefreshStays leaves earlier refresh tokens alive when the user allows the
	// same app again. By default they die when he presses the button, exchange or
	// not (§1.7).
	OldRefreshStays bool

	// EchoState sends state back on the redirect. By default it is swallowed (§1.3).
	EchoState bool
	// DenyWithoutRedirect shows a page when the user denies. By default the
	// browser is sent back with error=access_denied (§8).
	DenyWithoutRedirect bool
	// AnyLoopbackRedirect takes any loopback redirect URI for a registered one, for
	// tests that listen on a random port. cTrader does not (§1.1).
	AnyLoopbackRedirect bool
	// PlaygroundFirst refuses the first registered redirect URI, which at cTrader
	// belongs to the Playground (§1.1).
	PlaygroundFirst bool
	// RejectPKCE refuses authorize requests with a code_challenge, and PKCE checks the
	// verifier of codes that came with one. By default both are ignored (§8).
	RejectPKCE bool
	PKCE       bool
	// Issuer is sent back as iss (RFC 9207), unless empty. Nobody has seen the real one
	// send any.
	Issuer string
	// RejectBasic refuses token requests with a Basic header. By default the header
	// is ignored (§8).
	RejectBasic bool

	// CamelCaseOnly leaves the snake_case duplicates out of token answers (§1.5).
	CamelCaseOnly bool
	// NullTokens puts the token keys into error answers, as nulls. By default they
	// are absent (§1.6).
	NullTokens bool
	// OmitExpiry leaves the lifetime out of token answers; clients are known that
	// tolerate this (§1.5).
	OmitExpiry bool
	// RefuseGET and RefusePOST answer 405 to token requests with that method. By
	// default both work (§1.4).
	RefuseGET  bool
	RefusePOST bool
	// ErrorStatus is the HTTP status of logical errors; 0 means 200 (§1.6).
	ErrorStatus int
	// ErrorCodes are the codes of logical errors. No source lists the real ones
	// (§1.6), so a client must not depend on these.
	ErrorCodes ErrorCodes
	// Descriptions puts words of this emulator's own beside the codes. By default
	// the description is null, as nobody knows what the real one says (§1.6), and a
	// client has to do without.
	Descriptions bool

	// TokenPrefix stands before every code and token, so that tests can search
	// output for it.
	TokenPrefix string
}

// ErrorCodes are the errorCode strings of the token endpoint; an empty one means
// its default. Third parties have ACCESS_DENIED, INVALID_REQUEST and INVALID_GRANT,
// and none says for what (§1.6). The defaults keep a dead refresh token apart from
// wrong credentials, in the word that RFC 6749 §5.2 has for it; with the same word
// for both a client can only say that it is one of them.
type ErrorCodes struct {
	Request  string // malformed or unknown grant type; "INVALID_REQUEST"
	Client   string // unknown client or wrong secret; "ACCESS_DENIED"
	Redirect string // redirect URI not that of the code; "INVALID_REQUEST"
	Code     string // code unknown, expired or used; "INVALID_GRANT"
	Refresh  string // refresh token unknown, expired, used or revoked; "INVALID_GRANT"
}

// filled is a copy with the defaults filled in.
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
