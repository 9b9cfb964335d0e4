package venuekey

import (
	"cmp"
	"container/heap"
	"context"
	"fmt"
	"slices"
	"time"
)

// compare.go owns which event the difference between two observations of a sign-in
// is, and when time alone will make one although no record changes.

// compare reports how a record differs from what was known, and remembers it. It
// returns false if the reader wants no more.
func (o *observer) compare(ctx context.Context, g *inputs, record Record, yield func(Event) bool) bool {
	now := time.Now()
	was, seen := o.known[record.Key]
	if seen && was.version == record.Version && (was.next.IsZero() || now.Before(was.next)) {
		was.lookNo = o.lookNo
		o.known[record.Key] = was
		return true
	}
	status := o.keeper.statusOfRecord(ctx, g, record)
	is := o.assess(was, status, now)
	is.version, is.lookNo = record.Version, o.lookNo
	is.next = o.next(record, status, now)
	o.known[record.Key] = is
	if !is.next.IsZero() {
		heap.Push(&o.alarms, alarm{is.next, record.Key})
	}
	kind := kindOf(was, is, seen, !o.foundAll)
	if kind != "" {
		event := eventOf(kind, status, was.state, now)
		if kind == EventRenewed && is.missing > was.missing {
			event.Reason += status.missingNote()
		}
		if !yield(event) {
			return false
		}
	}
	if is.warnings > was.warnings && kind != EventTrouble {
		return yield(eventOf(EventWarning, status, was.state, now))
	}
	return true
}

// assess returns what is known after an observation. A renewal in flight leaves open
// whether the trouble is over, and trouble that eases is not over.
func (o *observer) assess(was known, status Status, now time.Time) known {
	if was.generation != status.Generation {
		was.severity = untroubled
	}
	grave := severityOf(status, !now.Before(o.overdue(status)))
	if status.State == StateRefreshing || grave > untroubled {
		grave = max(grave, was.severity)
	}
	return known{
		generation: status.Generation, state: status.State, reason: status.Reason, severity: grave,
		warnings: o.keeper.warnings(status, now), failures: status.Failures, signedIn: status.SignedIn,
		missing: len(status.ScopesMissing),
	}
}

// kindOf returns the event between one observation and the next, or "" if there is
// none.
func kindOf(was, is known, seen, first bool) EventKind {
	switch {
	case is.severity > was.severity, is.severity > untroubled && is.generation != was.generation:
		return EventTrouble
	case !seen && first:
		return EventFound
	case is.severity == untroubled && (was.severity > untroubled || was.warnings > 0 && is.warnings == 0):
		return EventRecovered
	case !seen || !is.signedIn.Equal(was.signedIn):
		return EventSignedIn
	case is.generation != was.generation:
		return EventRenewed
	case is.state != was.state || is.reason != was.reason || is.failures != was.failures:
		return EventChanged
	}
	return ""
}

// overdue returns when an expired token that no program tried to renew becomes
// trouble. A token that had expired before the observer began gets the same time.
func (o *observer) overdue(s Status) time.Time {
	since := s.Expires
	if since.Before(o.began) {
		since = o.began
	}
	return since.Add(overdueAfter)
}

// next returns when time alone changes the status of a sign-in, or what is reported
// about it.
func (o *observer) next(record Record, s Status, now time.Time) (next time.Time) {
	moments := []time.Time{s.NextRefresh, s.Expires, o.overdue(s)}
	if record.Leased() {
		moments = append(moments, now.Add(record.LeaseUntil.Sub(record.ReadAt)))
	}
	if s.EndsAnyway && !s.SignInEnds.IsZero() {
		for _, before := range o.keeper.warnBefore(s) {
			moments = append(moments, s.SignInEnds.Add(-before))
		}
	}
	for _, moment := range moments {
		if moment.After(now) && (next.IsZero() || moment.Before(next)) {
			next = moment
		}
	}
	return next
}

// warnBefore returns how long before the end of a sign-in there are warnings, the
// longest first; the last one is at the end itself. A sign-in that lives for less is
// warned about when half of its life is over, not as soon as it begins.
func (k *Keeper) warnBefore(s Status) []time.Duration {
	warn := k.Warn
	if warn == nil {
		warn = k.policy(s.ID.Venue).Warn
	}
	if warn == nil {
		warn = []time.Duration{48 * time.Hour, 24 * time.Hour, 2 * time.Hour}
	}
	life := s.SignInEnds.Sub(orAt(s.SignedIn, s.Issued))
	before := make([]time.Duration, 0, len(warn)+1)
	for _, d := range warn {
		if d >= life {
			d = life / 2
		}
		if d > 0 {
			before = append(before, d)
		}
	}
	if len(before) > 0 {
		before = append(before, 0)
	}
	slices.SortFunc(before, func(a, b time.Duration) int { return cmp.Compare(b, a) })
	return slices.Compact(before)
}

// warnings returns how many warnings before the end of a sign-in are due. There is no
// warning of an end that a renewal moves.
func (k *Keeper) warnings(s Status, now time.Time) (due int) {
	if !s.EndsAnyway || s.SignInEnds.IsZero() {
		return 0
	}
	for _, before := range k.warnBefore(s) {
		if s.SignInEnds.Sub(now) <= before {
			due++
		}
	}
	return due
}

// eventOf builds an event, with its reason and remedy in words.
func eventOf(kind EventKind, s Status, before State, now time.Time) Event {
	e := Event{Kind: kind, At: now, Status: s, Before: before}
	switch kind {
	case EventTrouble:
		e.Reason, e.Remedy = cmp.Or(s.Reason, "the token has expired and no program renewed it"), s.remedy()
	case EventWarning:
		e.Reason, e.Remedy = endsIn(s, now), "venuekey login "+s.ID.String()
	case EventChanged:
		e.Reason = cmp.Or(s.Reason, string(s.State))
	case EventRecovered:
		e.Reason = "all is well again"
	case EventSignedIn:
		e.Reason = "a user signed in" + s.missingNote()
	case EventRenewed:
		e.Reason = "there is a new token"
	}
	return e
}

// endsIn says in words that the sign-in ends unless the user signs in again.
func endsIn(s Status, now time.Time) string {
	at := s.SignInEnds.UTC().Format("2006-01-02 15:04 MST")
	switch left := s.SignInEnds.Sub(now); {
	case left > 0 && s.Ending == EndAfterUse:
		return fmt.Sprintf("the sign-in ends in %s, at %s: the venue's maintenance outlasts the token, and nothing else renews it. Sign in after it, or have the password kept", roughly(left), at)
	case left > 0:
		return fmt.Sprintf("the sign-in ends in %s, at %s, and no renewal extends it", roughly(left), at)
	case s.Left > 0:
		return fmt.Sprintf("the sign-in ended at %s; its last token is good for another %s", at, roughly(s.Left))
	}
	return "the sign-in ended at " + at + ", and its last token has expired"
}

// roughly formats a duration in hours, or in minutes below two hours.
func roughly(d time.Duration) string {
	if d < 2*time.Hour {
		return fmt.Sprintf("%d min", int(max(d, 0).Minutes()+0.5))
	}
	return fmt.Sprintf("%d h", int(d.Hours()+0.5))
}
