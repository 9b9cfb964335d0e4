package venuekey

// ChallengesIn reads WWW-Authenticate fields, for tests.
func ChallengesIn(fields ...string) []Challenge { return challengesIn(fields) }

// Challenge is a challenge, for tests.
type Challenge = challenge
