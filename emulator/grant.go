package emulator

import "time"

// grant.go owns the result of a sign-in: a grant, and the pairs of tokens issued for it.

// Grant is one consent of one user to one app. All tokens issued for it, over all
// refreshes, form its family and share its ID.
type Grant struct {
	ID       string
	User     string
	Client   string
	Scope    string
	Accounts []int64
	// Redirect is the redirect URI of the authorize request.
	Redirect string
	// Challenge and ChallengeMethod are those of PKCE (RFC 7636), or empty.
	Challenge       string
	ChallengeMethod string
}

// Pair is the pair of tokens in one answer of a token endpoint.
type Pair struct {
	Access string
	// Refresh is empty if no refresh token was issued.
	Refresh        string
	Issued         time.Time
	AccessExpires  time.Time
	RefreshExpires time.Time // zero means never
	// Generation counts from 1 within the family.
	Generation int
	Grant      Grant
}
