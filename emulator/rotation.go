package emulator

import (
	"fmt"
	"time"
)

// rotation.go owns the ways in which venues rotate refresh tokens.

// Rotation says what happens to a refresh token when it is used, and when it is used
// again.
type Rotation int

// The rotation modes. All but the last two issue a new refresh token.
const (
	// RotationStrict refuses a used token. It is the zero value.
	RotationStrict Rotation = iota
	// RotationStrictFamilyRevoke refuses a used token and revokes all tokens of the same
	// consent, as RFC 9700 §4.14.2 advises.
	RotationStrictFamilyRevoke
	// RotationGraceNewPair issues another new pair during the grace period after the
	// first use, and then refuses the token.
	RotationGraceNewPair
	// RotationGraceSamePair repeats the pair of the first use during the grace period,
	// unless that pair has been refreshed itself, and then refuses the token.
	RotationGraceSamePair
	// RotationPreviousUntilSuccessorUsed accepts a used token, each time with a new pair,
	// until a token issued for it is used: its refresh token presented, or its access
	// token accepted.
	RotationPreviousUntilSuccessorUsed
	// RotationOldStays issues a new refresh token and leaves the old one valid until it
	// expires.
	RotationOldStays
	// RotationNoNewRefresh issues a new access token only; the refresh token stays valid.
	RotationNoNewRefresh
	// RotationNoNewRefreshOldDies issues a new access token only and ends the refresh
	// token: when the access token expires, the user must sign in again.
	RotationNoNewRefreshOldDies
)

func rotationNames() []string {
	return []string{
		"strict", "strict-family-revoke", "grace-new-pair", "grace-same-pair",
		"previous-until-successor-used", "rotate-old-stays", "no-new-refresh", "no-new-refresh-old-dies",
	}
}

func (r Rotation) String() string {
	names := rotationNames()
	if r < 0 || int(r) >= len(names) {
		return fmt.Sprintf("Rotation(%d)", int(r))
	}
	return names[r]
}

// MarshalText returns the mode's name, such as "grace-new-pair".
func (r Rotation) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText parses a mode's name.
func (r *Rotation) UnmarshalText(text []byte) error {
	for i, name := range rotationNames() {
		if name == string(text) {
			*r = Rotation(i)
			return nil
		}
	}
	return fmt.Errorf("emulator: unknown rotation %q", text)
}

// DefaultGrace is the default grace period of the grace modes.
const DefaultGrace = 30 * time.Second
