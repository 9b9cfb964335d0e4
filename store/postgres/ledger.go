package postgres

import "slices"

// ledger.go owns the proof that a watch missed nothing. Every write has a version from
// one sequence. So a version that is taken, whose transaction has ended and that was not
// announced, belongs to a change that was not reported. Transactions that were rolled
// back leave such a version too; the cost is one report that anything may have changed,
// and they are rare.
//
// A ledger keeps a limited number of versions. When it is full it forgets all of them,
// and reports once that anything may have changed.

// reading is what the server reports at one moment: the last version taken, and then the
// oldest running transaction and a number greater than those of all running ones. The
// latter costs the server a transaction, so it is requested only if the last version has
// changed, and is zero otherwise.
type reading struct {
	last         int64
	oldest, next int64
}

// ledger accounts for versions. Its zero value has accounted for none.
type ledger struct {
	floor int64          // everything up to it is accounted for
	heard map[int64]bool // announced versions above it, at most heardMost
	marks []mark         // readings that are not judged yet, at most two
	full  bool           // versions up to floor were forgotten, and no mark records that yet
}

// heardMost is how many versions a ledger keeps. They accumulate for as long as any
// transaction on the server runs.
const heardMost = 1 << 16

// mark is a reading whose transactions have to end before it is judged.
type mark struct {
	reading
	over    bool // they have ended, and their announcements are on the way
	suspect bool // what they wrote may not have been reported
}

// begin starts the account at a reading, just before everything is read. Transactions
// that are running then may later show what was not visible, and their announcements may
// have been sent before this watch listened. So their versions count as missed, unless
// none are running.
func (l *ledger) begin(now reading) {
	*l = ledger{floor: now.last, heard: map[int64]bool{}}
	if now.oldest < now.next {
		l.marks = []mark{{reading: now, suspect: true}}
	}
}

// hear notes an announced version and reports whether it is news. A version that is
// accounted for was reported before, or everything has been read since.
func (l *ledger) hear(version int64) (news bool) {
	switch {
	case l.heard == nil: // before the first reading, after which everything is read
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

// forget makes room. It accounts for all versions up to the last one heard, because
// everything will be read again once the transactions that may have written the others
// have ended.
func (l *ledger) forget() {
	for version := range l.heard {
		l.floor = max(l.floor, version)
	}
	clear(l.heard)
	l.full = true
}

// latest returns the last version of the latest reading, or never if the next one has to
// include the running transactions.
func (l *ledger) latest() int64 {
	if l.full {
		return never
	}
	if n := len(l.marks); n > 0 {
		return l.marks[n-1].last
	}
	return l.floor
}

// judge takes the next reading and reports whether a write was missed. It judges each
// reading two readings later: by the first its transactions have ended, and by the second
// their announcements have arrived.
func (l *ledger) judge(now reading) (missed bool) {
	if now.last < l.latest() { // the sequence was set back, or restored
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
	if len(l.marks) == 2 { // the first one waits for a long transaction
		next.suspect = next.suspect || l.marks[1].suspect
		l.marks = l.marks[:1]
	}
	l.marks, l.full = append(l.marks, next), false
	return missed
}

// settle accounts for all versions up to last and reports whether any was not heard.
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
