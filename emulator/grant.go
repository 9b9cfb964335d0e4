package emulator

import "time"

// grant.go owns what a sign-in leaves behind: a grant, and the pairs of tokens that
// are issued for it.

// Grant is what one user allowed one app, once. Everything issued from it, over
// all refreshes, is its family and shares its ID.
type Grant struct {
	ID       string
	User     string
	Client   string
	Scope    string
	Accounts []int64
	// Redirect is the redirect URI of the authorize request.
	Redirect string
	// Challenge and ChallengeMethod are those of PKCE (RFC 7636), empty without.
	Challenge       string
	ChallengeMethod string
}

// Pair is what one answer of a token endpoint gives.
type Pair struct {
	Access string
	// Refresh is empty where none was issued.
	Refresh        string
	Issued         time.Time
	AccessExpires  time.Time
	RefreshExpires time.Time // zero: never
	// Generation counts from 1 within the family.
	Generation int
	Grant      Grant
}
