package venuekey

import "time"

// lane.go owns what one program's renewals at a venue with a quota know of each other. One
// that can wait goes alone, and when it has failed the next one looks at the venue first: if
// all that are due went out at the beginning of an outage, the quota would be used up when it
// ends.

// laneWait is how often a renewal looks whether the one before it is over.
const laneWait = 250 * time.Millisecond

// lane is what is known of one venue.
type lane struct {
	busy    bool // a renewal that can wait is under way
	trouble bool // the last one did not get an answer that is about its token
	// tokens are when the last ones arrived.
	tokens []time.Time
}

const (
	// together is how close in time tokens arrive that count as arriving together, and few
	// how many of them are no crowd.
	together = 10 * time.Minute
	few      = 4
)

// arrived notes that a token arrived, and returns how many have within a while.
func (k *Keeper) arrived(venue string, now time.Time) int {
	k.mu.Lock()
	defer k.mu.Unlock()
	l := k.lanes[venue]
	for len(l.tokens) > 0 && now.Sub(l.tokens[0]) > together {
		l.tokens = l.tokens[1:]
	}
	l.tokens = append(l.tokens, now)
	k.lanes[venue] = l
	return len(l.tokens)
}

// enterLane reports whether a renewal that can wait may go now.
func (k *Keeper) enterLane(venue string) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	l := k.lanes[venue]
	if l.busy {
		return false
	}
	l.busy = true
	k.lanes[venue] = l
	return true
}

// leaveLane lets the next one go.
func (k *Keeper) leaveLane(venue string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	l := k.lanes[venue]
	l.busy = false
	k.lanes[venue] = l
}

// noteTrouble remembers whether the venue is in trouble.
func (k *Keeper) noteTrouble(venue string, is bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	l := k.lanes[venue]
	l.trouble = is
	k.lanes[venue] = l
}

func (k *Keeper) inTrouble(venue string) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.lanes[venue].trouble
}

// isTrouble reports whether a failure may meet the next renewal too. A look is cheap, so one
// that is probably its user's alone counts as well.
func isTrouble(failure *Error) bool {
	return failure.Class == ClassLater || failure.Class == ClassUnknown || failure.Class == ClassNotSent
}
