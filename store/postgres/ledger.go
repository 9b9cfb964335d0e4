package postgres

import "slices"

// ledger.go owns the proof that a watch missed nothing: every write has a
// version from one sequence, so a version that is taken, and whose transaction
// has ended, and that nobody announced, belongs to a change that was not told.
// Transactions that were undone leave such a version too; that costs a look at
// everything and is rare.
//
// It keeps so many versions and no more. One that is full forgets them all, and
// everything is looked at once instead.

// reading is what the server says at one moment: the last version taken, and
// then the oldest transaction that runs, and a number that is greater than those
// of all that run. The latter costs the server a transaction, so it is asked for
// when the last version moved, and zero otherwise.
type reading struct {
	last         int64
	oldest, next int64
}

// ledger accounts for versions. Its zero value has accounted for none.
type ledger struct {
	floor int64          // everything up to it is accounted for
	heard map[int64]bool // announced versions above it, heardMost at most
	marks []mark         // readings that are not yet judged, two at most
	full  bool           // versions up to floor were forgotten, and no mark says so yet
}

// heardMost is how many versions a ledger keeps. They pile up for as long as a
// transaction runs, which may be anybody's.
const heardMost = 1 << 16

// mark is a reading whose transactions have to end before it is judged.
type mark struct {
	reading
	over    bool // those have ended, and their announcements are on the way
	suspect bool // what they wrote may not have been told of
}

// begin starts the account at a reading, when everything is about to be looked
// at. Transactions that run at that moment may show later what nobody saw, and
// their announcements may have been made before anybody listened, so their
// versions count as missed unless all is quiet.
func (l *ledger) begin(now reading) {
	*l = ledger{floor: now.last, heard: map[int64]bool{}}
	if now.oldest < now.next {
		l.marks = []mark{{reading: now, suspect: true}}
	}
}

// hear notes an announced version and reports whether it is news. What is
// accounted for was told of, or everything was looked at since.
func (l *ledger) hear(version int64) (news bool) {
	switch {
	case l.heard == nil: // before the first reading, after which everything is looked at
		return false
	case version <= l.floor:
		return l.full || slices.ContainsFunc(l.marks, func(m mark) bool { return m.suspect })
	case l.heard[version]:
		return false
	case len(l.heard) >= heardMost:
		l.forget()
	}
	l.heard[version] = true
	return true
}

// forget makes room. What was heard is accounted for, and so is what was not,
// since everything will be looked at when those have ended who may have written it.
func (l *ledger) forget() {
	for version := range l.heard {
		l.floor = max(l.floor, version)
	}
	clear(l.heard)
	l.full = true
}

// latest is the last version of the latest reading, or never where the next one
// has to ask for what runs.
func (l *ledger) latest() int64 {
	if l.full {
		return never
	}
	if n := len(l.marks); n > 0 {
		return l.marks[n-1].last
	}
	return l.floor
}

// judge takes the next reading and reports whether something was written that
// nobody told of. It judges each reading two readings later: after the first its
// transactions have ended, and after the second their announcements came.
func (l *ledger) judge(now reading) (missed bool) {
	if now.last < l.latest() { // somebody set the sequence back, or restored it
		l.begin(now)
		return true
	}
	if len(l.marks) > 0 && l.marks[0].over {
		missed = l.settle(l.marks[0].last) || l.marks[0].suspect
		l.marks = l.marks[1:]
	}
	if len(l.marks) > 0 && now.oldest >= l.marks[0].next {
		l.marks[0].over = true
	}
	if now.last == l.latest() {
		return missed
	}
	next := mark{reading: now, suspect: l.full}
	if len(l.marks) == 2 { // the first one waits for a transaction that takes long
		next.suspect = next.suspect || l.marks[1].suspect
		l.marks = l.marks[:1]
	}
	l.marks, l.full = append(l.marks, next), false
	return missed
}

// settle accounts for all versions up to one and reports whether any was not
// heard of.
func (l *ledger) settle(last int64) (missed bool) {
	known := int64(0)
	for version := range l.heard {
		if version <= last {
			known++
			delete(l.heard, version)
		}
	}
	missed = known < last-l.floor
	l.floor = max(l.floor, last)
	return missed
}
