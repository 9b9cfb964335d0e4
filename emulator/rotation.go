package emulator

import (
	"fmt"
	"time"
)

// rotation.go owns the names of the ways in which venues treat a refresh token that
// is presented.

// Rotation says what becomes of a refresh token when it is used, and what
// happens when it is used again.
type Rotation int

// The rotation modes. All but the last two give a new refresh token.
const (
	// RotationStrict refuses a used token. It is the zero value.
	RotationStrict Rotation = iota
	// RotationStrictFamilyRevoke refuses a used token and revokes everything that came
	// from the same consent, as RFC 9700 §4.14.2 advises.
	RotationStrictFamilyRevoke
	// RotationGraceNewPair gives another new pair while the grace period since the first
	// use lasts, and refuses after it.
	RotationGraceNewPair
	// RotationGraceSamePair gives the pair of the first use once more while the grace
	// period lasts and that pair has not been refreshed itself, and refuses after it.
	RotationGraceSamePair
	// RotationPreviousUntilSuccessorUsed accepts a used token, each time with a new pair,
	// until a token that came of it was used: its refresh token presented, or its
	// access token accepted.
	RotationPreviousUntilSuccessorUsed
	// RotationOldStays gives a new refresh token and leaves the old one valid until
	// its own expiry.
	RotationOldStays
	// RotationNoNewRefresh gives a new access token only; the refresh token stays.
	RotationNoNewRefresh
	// RotationNoNewRefreshOldDies gives a new access token only, and the refresh token dies
	// of it: after the access token the user has to sign in again.
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

// MarshalText writes the mode's name.
func (r Rotation) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText reads a mode's name.
func (r *Rotation) UnmarshalText(text []byte) error {
	for i, name := range rotationNames() {
		if name == string(text) {
			*r = Rotation(i)
			return nil
		}
	}
	return fmt.Errorf("emulator: unknown rotation %q", text)
}

// DefaultGrace is how long the grace modes wait where nobody says.
const DefaultGrace = 30 * time.Second
