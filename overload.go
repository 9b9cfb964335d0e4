package venuekey

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"time"
)

// overload.go owns what happens when more is due at a venue than its pace can renew in
// time: it orders the queue so that as few tokens as possible expire, and warns a human
// who can change the pace.

const (
	// queueIsLong is how long renewing everything due may take before the order
	// matters. A claim takes the longest due first, which expires first among tokens
	// of one lifetime that never failed.
	queueIsLong = 30 * time.Second
	// resurvey is how often a long queue is surveyed again, since records may have
	// come due that expire sooner. A survey reads all records of its venue, so the
	// next one also waits surveyShare times as long as it took.
	resurvey    = time.Minute
	surveyShare = 20
	// longestTurn bounds how long a record claimed by the order waits for its turn.
	longestTurn = 10 * time.Second
	// longestOrder bounds the order that is kept.
	longestOrder = 10_000
	// reportAgain is how often an overload is reported while it lasts.
	reportAgain = 10 * time.Minute
)

// backlog is the queue of due records at one venue.
type backlog struct {
	keeper *Keeper
	venue  string

	full     time.Time   // since when every claim has found as much as it asked for
	putOff   atomic.Bool // a renewal's turn did not come
	surveyed time.Time
	rests    time.Duration // how long no survey follows
	order    []string      // keys, in the order in which to renew them
	pace     time.Duration // the pace at the last survey
	reported time.Time     // when the overload was reported; zero means there is none
}

// waiting is a due record and the time before which it has to be renewed; zero if its
// token has already expired.
type waiting struct {
	key      string
	deadline time.Time
}

// claim leases up to limit due records, in the best order for the queue, and reports
// whether there are more.
func (b *backlog) claim(ctx context.Context, limit int) (claimed []Record, more bool, err error) {
	long := !b.full.IsZero() && time.Since(b.full) >= runTick
	if (long || b.putOff.Load() || !b.reported.IsZero()) && time.Since(b.surveyed) >= b.rests {
		b.survey(ctx)
	}
	if len(b.order) > 0 {
		// Renewals in flight take turns as they come: few at a time keep the order.
		few := max(int(longestTurn/b.pace), 1)
		if limit = min(limit, few-(runParallel-limit)); limit <= 0 {
			return nil, true, pause(ctx, min(b.pace/2, time.Second))
		}
	}
	// Records that are claimed, or due in a moment, keep their place until they are
	// renewed: one whose turn did not come would be lost until the next survey.
	var waits []string
	for len(b.order) > 0 && len(claimed) < limit && len(waits) < runParallel {
		record, turn, err := b.lease(ctx, b.order[0])
		if err != nil {
			b.order = append(waits, b.order...)
			return claimed, false, err
		}
		switch turn {
		case turnTaken:
			claimed = append(claimed, record)
			fallthrough
		case turnNear:
			waits = append(waits, b.order[0])
		}
		b.order = b.order[1:]
	}
	b.order = append(waits, b.order...)
	if len(claimed) > 0 {
		return claimed, true, nil
	}
	claimed, err = b.keeper.Vault.Store.Claim(ctx, tokenPrefix+b.venue+"/", b.keeper.owner(), b.keeper.lease(), limit)
	switch more = len(claimed) == limit; {
	case err != nil:
	case !more:
		b.full = time.Time{}
	case b.full.IsZero():
		b.full = time.Now()
	}
	return claimed, more, err
}

// turnOutcome is what became of a record's turn.
type turnOutcome int

const (
	turnGone  turnOutcome = iota // it is not due any more
	turnNear                     // another program holds it, or it is due in a moment
	turnTaken                    // it is claimed
)

// lease claims one record, unless another program holds it by now.
func (b *backlog) lease(ctx context.Context, key string) (record Record, _ turnOutcome, err error) {
	record, err = b.keeper.Vault.Store.Get(ctx, key)
	switch {
	case errors.Is(err, ErrNotFound):
		return Record{}, turnGone, nil
	case err != nil:
		return Record{}, turnGone, err
	case record.Leased():
		return Record{}, turnNear, nil
	case !isDue(record, record.ReadAt.Add(longestQueue)):
		return Record{}, turnGone, nil
	case !isDue(record, record.ReadAt.Add(nearlyDue(b.pace))):
		return Record{}, turnNear, nil
	}
	record.LeaseOwner, record.LeaseUntil = b.keeper.owner(), record.ReadAt.Add(b.keeper.lease())
	record.Version, err = b.keeper.Vault.Store.Put(ctx, record)
	if errors.Is(err, ErrConflict) {
		return Record{}, turnNear, nil
	}
	return record, turnTaken, err
}

// survey reads everything due, orders it, and reports whether tokens will expire in the
// queue. What fails is left to the next survey.
func (b *backlog) survey(ctx context.Context) {
	begun := time.Now()
	b.putOff.Store(false)
	defer func() {
		b.surveyed = time.Now()
		b.rests = max(resurvey, surveyShare*b.surveyed.Sub(begun))
	}()
	venue, app, err := b.keeper.venueAndApp(ctx, b.venue)
	if err != nil {
		return // every renewal says so
	}
	policy, pace := venue.Policy(), app.pace(venue.Policy())
	var due []waiting
	for record, err := range b.keeper.Vault.all(ctx, tokenPrefix+b.venue+"/") {
		if err != nil {
			return
		}
		if !isDue(record, begun.Add(nearlyDue(pace))) {
			continue
		}
		token, err := b.keeper.Vault.openToken(record)
		if err == nil && (isDue(record, begun) || record.Failures == 0 && !begun.Before(nextRefresh(token, policy, token.Issued, 0))) {
			due = append(due, waiting{record.Key, deadline(token, endOf(token, record, policy, begun), begun)})
		}
	}
	f := triage(due, begun, pace)
	b.order, b.pace = nil, pace
	if f.takes() > queueIsLong {
		for _, w := range f.order[:min(len(f.order), longestOrder)] {
			b.order = append(b.order, w.key)
		}
	}
	b.report(f, app)
}

// nearlyDue is how far ahead a record counts as due: one that was put off because its
// turn did not come is due again a little more than one pace later, and keeps its place.
func nearlyDue(pace time.Duration) time.Duration { return pace * 3 / 2 }

// deadline returns when it is too late to renew a token: when it, or its refresh token,
// expires.
func deadline(token Token, ends end, now time.Time) time.Time {
	dies := token.Expires
	if !now.Before(dies) {
		dies = time.Time{}
	}
	if now.Before(ends.at) {
		dies = earliest(dies, ends.at)
	}
	return dies
}

// forecast predicts what will become of a queue.
type forecast struct {
	pace  time.Duration
	order []waiting // in the order in which to renew them
	dying int       // how many expire before their turn
	dead  int       // how many have expired
	// enough is a pace at which none would expire; zero if there is none.
	enough time.Duration
}

func (f forecast) takes() time.Duration { return time.Duration(len(f.order)) * f.pace }

// triage orders a queue so that as few tokens as possible expire: first those whose turn
// comes in time, by earliest deadline, and then those that are too late anyway. For turns
// of equal length no other order saves more.
func triage(due []waiting, now time.Time, pace time.Duration) forecast {
	f := forecast{pace: pace, enough: pace}
	slices.SortFunc(due, func(a, b waiting) int { return cmp.Or(a.deadline.Compare(b.deadline), cmp.Compare(a.key, b.key)) })
	var saved, late []waiting
	alive := time.Duration(0)
	for _, w := range due {
		turn := now.Add(time.Duration(len(saved)+1) * pace)
		switch {
		case w.deadline.IsZero():
			f.dead++
			late = append(late, w)
			continue
		case turn.After(w.deadline):
			f.dying++
			late = append(late, w)
		default:
			saved = append(saved, w)
		}
		alive++
		f.enough = min(f.enough, w.deadline.Sub(now)/alive)
	}
	f.order = append(saved, late...)
	return f
}

// report warns that tokens will expire in the queue, or that this is over.
func (b *backlog) report(f forecast, app App) {
	if f.dying == 0 && (f.dead == 0 || f.takes() <= queueIsLong) {
		b.recovered()
		return
	}
	if !b.reported.IsZero() && time.Since(b.reported) < reportAgain {
		return
	}
	b.reported = time.Now()
	event := Event{Kind: EventWarning, At: b.reported, Status: Status{ID: ID{Venue: b.venue}}, Reason: f.String(), Remedy: f.remedy(app)}
	b.keeper.log().Warn("renewing what is due takes longer than tokens live: "+event.Reason, "venue", b.venue, "try", event.Remedy)
	b.keeper.announce(event)
}

// recovered reports that an overload is over.
func (b *backlog) recovered() {
	if b.reported.IsZero() {
		return
	}
	b.reported = time.Time{}
	b.keeper.announce(Event{Kind: EventRecovered, At: time.Now(), Status: Status{ID: ID{Venue: b.venue}}, Reason: "renewals are on time again"})
}

// String returns the numbers, in a sentence.
func (f forecast) String() string {
	text := fmt.Sprintf("%d sign-ins are due and %s, which takes %s", len(f.order), rate(f.pace), roughly(f.takes()))
	if f.dying > 0 {
		text += fmt.Sprintf("; %d tokens will expire before their turn", f.dying)
	}
	if f.dead > 0 {
		text += fmt.Sprintf("; %d have already expired", f.dead)
	}
	return text
}

// remedy returns the command that changes the pace.
func (f forecast) remedy(app App) string {
	faster := f.enough
	if f.dying == 0 || faster >= f.pace {
		faster = f.pace / 2 // all have expired, and are back sooner
	}
	if faster > time.Second {
		faster = faster.Truncate(time.Second)
	} else {
		faster = max(faster.Truncate(time.Millisecond), time.Millisecond)
	}
	return fmt.Sprintf("venuekey app add %s --pace %s, if the venue allows your app that much", app.Venue, withoutZeros(faster))
}

// withoutZeros formats a duration without trailing zeros: 5m for 5m0s.
func withoutZeros(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	return text
}

// rate says in words how fast a pace is.
func rate(pace time.Duration) string {
	if pace > time.Second {
		return "one is renewed every " + withoutZeros(pace)
	}
	return fmt.Sprintf("%.3g a second are renewed", float64(time.Second)/float64(pace))
}
