package notify

import (
	"cmp"
	"context"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/venuekey/venuekey"
)

// teller.go owns what is said, and when: at once, at the end of quiet hours, again, and that
// it is over.

const (
	// tellTick is the longest sleep: laptops sleep too, and clocks jump.
	tellTick = time.Minute
	// queueTick is how long a warning about a whole venue is believed that no event repeats.
	queueTick = 10 * time.Minute
	// leastAgain is how soon after the last word a new process may repeat it, if --repeat
	// says never.
	leastAgain = time.Hour
)

// UsualRepeat is how long after each word on a trouble there is the next one. The last of them
// is repeated.
var UsualRepeat = []time.Duration{time.Hour, 4 * time.Hour, 24 * time.Hour}

// Way carries a notice to a person. It does not wait for anything slow.
type Way func(n Notice, event venuekey.Event)

// Teller says what happens to sign-ins. Its fields do not change once it runs.
type Teller struct {
	Ways []Way
	// Repeat is how long after each word there is the next one while the user is needed; nil
	// is UsualRepeat, and an empty list never.
	Repeat []time.Duration
	Quiet  Quiet
	// Help returns the command or the address that mends what an event tells of; nil is the
	// event's own.
	Help func(venuekey.Event) string
	// Ended reports whether the venue ended an access token that has not expired; nil is
	// never. See venuekey.Status.AccessEnded.
	Ended func(venuekey.Status) bool
	// Gone reports whether a sign-in is no longer in the vault; nil is never. It is asked for
	// what an earlier process spoke of and no event has named since.
	Gone func(context.Context, venuekey.ID) bool
	// Outbox remembers what was said; nil remembers it until the process ends.
	Outbox *Outbox
	// Log hears if that fails; nil is slog.Default.
	Log *slog.Logger

	clock func() time.Time // for tests; nil is time.Now
	once  sync.Once
	wake  chan struct{}

	mu    sync.Mutex
	heard []venuekey.Event

	// What follows belongs to the goroutine of Run.
	matters map[venuekey.ID]*matter
	began   time.Time
	dirty   bool
}

// matter is something that is wrong, or was and nobody was told yet that it is over.
type matter struct {
	told
	id venuekey.ID
	// event says what is wrong, with the status as it is now; it has no kind if only an
	// earlier process knows.
	event venuekey.Event
	waits bool // it is to be said when the quiet hours end
	over  bool // event says that it is mended
}

func (t *Teller) init() {
	t.once.Do(func() {
		t.wake, t.matters = make(chan struct{}, 1), map[venuekey.ID]*matter{}
		t.began = t.now()
		if t.Outbox == nil {
			return
		}
		all, err := t.Outbox.told()
		if err != nil {
			t.log().Warn("it is not known what was said before", "error", err)
		}
		for id, said := range all {
			t.matters[id] = &matter{id: id, told: said}
		}
	})
}

// now is the clock on the wall: a laptop that sleeps stops the other one.
func (t *Teller) now() time.Time {
	if t.clock != nil {
		return t.clock()
	}
	return time.Now().Round(0)
}

func (t *Teller) log() *slog.Logger {
	if t.Log == nil {
		return slog.Default()
	}
	return t.Log
}

// Hear takes an event of a Keeper, of any kind. It returns at once.
func (t *Teller) Hear(event venuekey.Event) {
	t.init()
	t.mu.Lock()
	t.heard = append(t.heard, event)
	t.mu.Unlock()
	select {
	case t.wake <- struct{}{}:
	default:
	}
}

// Run says what is to be said until the context ends. What was heard by then is still said.
func (t *Teller) Run(ctx context.Context) {
	t.init()
	for {
		t.listen()
		t.tick(ctx)
		t.remember()
		if ctx.Err() != nil {
			return
		}
		timer := time.NewTimer(t.sleep())
		select {
		case <-t.wake:
		case <-timer.C:
		case <-ctx.Done():
		}
		timer.Stop()
	}
}

// listen judges what was heard.
func (t *Teller) listen() {
	t.mu.Lock()
	heard := t.heard
	t.heard = nil
	t.mu.Unlock()
	for _, event := range heard {
		t.judge(t.matters[event.Status.ID], event)
	}
}

// judge takes note of an event about a matter, or about none yet.
func (t *Teller) judge(m *matter, e venuekey.Event) {
	switch e.Kind {
	case venuekey.EventTrouble, venuekey.EventWarning:
		t.open(m, e)
	case venuekey.EventRecovered, venuekey.EventSignedOut:
		t.mend(m, e)
	case venuekey.EventFound, venuekey.EventSignedIn:
		if m != nil && m.event.Kind == "" && !m.stands(e.Status) { // it was mended while nobody looked
			e.Kind, e.Reason = venuekey.EventRecovered, "all is well again"
			t.mend(m, e)
			return
		}
		fallthrough
	default:
		if m != nil && !m.over && m.event.Kind != "" {
			m.event.Status = e.Status
			if m.event.Kind == venuekey.EventTrouble {
				m.event.Reason = cmp.Or(e.Status.Reason, m.event.Reason)
			}
		}
	}
}

// stands reports whether a status still has the end that was warned of.
func (m *matter) stands(s venuekey.Status) bool {
	return !m.Ends.IsZero() && s.EndsAnyway && s.SignInEnds.Sub(m.Ends).Abs() < time.Minute
}

// open begins a matter, or says that it got worse.
func (t *Teller) open(m *matter, e venuekey.Event) {
	now, id := t.now(), e.Status.ID
	if m == nil {
		m = &matter{id: id, told: told{ID: id.String(), Since: now}}
		t.matters[id] = m
	}
	same := m.event.Kind == "" && m.Count > 0 && m.Event == e.Kind && m.State == e.Status.State
	m.event, m.over, t.dirty = e, false, true
	if same { // an earlier process has said so: this is a reminder, and not too soon
		if soonest := m.Said.Add(t.leastAgain()); m.Next.IsZero() || m.Next.After(soonest) {
			m.Next = soonest
		}
		return
	}
	if m.Count > 0 && m.Event != e.Kind {
		m.Since = now
	}
	m.waits = true
	t.sayIfDue(m, now)
}

// leastAgain is how soon a new process repeats what an earlier one said.
func (t *Teller) leastAgain() time.Duration {
	if again := t.again(1); again > 0 {
		return again
	}
	return leastAgain
}

// again is how long after so many words there is the next one; 0 is never.
func (t *Teller) again(count int) time.Duration {
	all := t.Repeat
	if all == nil {
		all = UsualRepeat
	}
	if len(all) == 0 {
		return 0
	}
	return all[min(max(count, 1), len(all))-1]
}

// mend ends a matter. What nobody was told of needs no word about its end either.
func (t *Teller) mend(m *matter, e venuekey.Event) {
	if m == nil {
		return
	}
	t.dirty = true
	if e.Kind == venuekey.EventSignedOut {
		e.Kind, e.Status.State = venuekey.EventRecovered, stateSignedOut
	}
	if m.Count == 0 {
		delete(t.matters, m.id)
		return
	}
	m.event, m.over, m.waits, m.Next = e, true, true, time.Time{}
	t.sayIfDue(m, t.now())
}

// tick says what has become due.
func (t *Teller) tick(ctx context.Context) {
	now := t.now()
	for _, id := range slices.SortedFunc(maps.Keys(t.matters), func(a, b venuekey.ID) int { return cmp.Compare(a.String(), b.String()) }) {
		m := t.matters[id]
		switch unheard := m.event.Kind == "" && !m.over; {
		case unheard && id.Name == "" && now.Sub(t.began) >= queueTick: // what concerns a whole venue is said anew by each process
			t.mend(m, venuekey.Event{Kind: venuekey.EventRecovered, At: now, Status: venuekey.Status{ID: id}, Reason: "all is well again"})
		case unheard && id.Name != "" && now.Sub(t.began) >= tellTick && t.Gone != nil && t.Gone(ctx, id):
			t.mend(m, venuekey.Event{Kind: venuekey.EventSignedOut, At: now, Status: venuekey.Status{ID: id}, Reason: "the sign-in was forgotten"})
		default:
			t.sayIfDue(m, now)
		}
	}
}

// sayIfDue says what is to be said of a matter now.
func (t *Teller) sayIfDue(m *matter, now time.Time) {
	until, quiet := t.Quiet.Until(now)
	switch {
	case m.waits && (!quiet || t.urgent(m, now, until)):
		t.say(m, now)
	case m.waits || m.over || m.Next.IsZero() || m.event.Kind == "":
	case m.Next.Sub(now) > max(t.again(m.Count), t.leastAgain()): // the clock was put back
		m.Next, t.dirty = now.Add(t.again(m.Count)), true
	case m.Next.After(now) || quiet:
	case needsUser(m.event):
		t.say(m, now)
	default: // it has eased; it may get worse again
		m.Next, t.dirty = now.Add(t.leastAgain()), true
	}
}

// say tells all ways, and plans the next word.
func (t *Teller) say(m *matter, now time.Time) {
	e := m.event
	e.At, e.Status.Left = now, e.Status.Expires.Sub(now)
	if e.Status.Expires.IsZero() {
		e.Status.Left = m.event.Status.Left
	}
	help := e.Remedy
	if t.Help != nil && e.Remedy != "" {
		help = t.Help(e)
	}
	n := Of(e, help)
	n.Since = whole(m.Since)
	again := !m.waits
	if again {
		n.Repeat = m.Count
	}
	for _, way := range t.Ways {
		way(n, e)
	}
	t.dirty, m.waits = true, false
	if m.over {
		delete(t.matters, m.id)
		if m.stands(e.Status) { // the trouble is over, and the end that was warned of is not
			m.over, m.event.Kind, m.Event, m.State = false, venuekey.EventWarning, venuekey.EventWarning, e.Status.State
			t.matters[m.id] = m
		}
		return
	}
	m.Count++
	if !again {
		m.Count = 1
	}
	m.Event, m.State, m.Said, m.Next = e.Kind, e.Status.State, now, time.Time{}
	if e.Kind == venuekey.EventWarning {
		m.Ends = e.Status.SignInEnds
		return // Keeper.Warn says when there is the next one
	}
	if pause := t.again(m.Count); pause > 0 {
		m.Next = now.Add(pause)
	}
}

// sleep is how long nothing becomes due.
func (t *Teller) sleep() time.Duration {
	wait, now := tellTick, t.now()
	if until, quiet := t.Quiet.Until(now); quiet {
		wait = min(wait, until.Sub(now))
	}
	for _, m := range t.matters {
		if !m.Next.IsZero() && m.Next.After(now) {
			wait = min(wait, m.Next.Sub(now))
		}
	}
	return wait
}

// remember writes down what was said, after it was: a process that is killed in between says
// it twice rather than never.
func (t *Teller) remember() {
	if t.Outbox == nil || !t.dirty {
		return
	}
	all := map[venuekey.ID]told{}
	for id, m := range t.matters {
		if m.Count > 0 {
			all[id] = m.told
		}
	}
	if err := t.Outbox.remember(all); err != nil {
		t.log().Warn("what was said cannot be written down, and the next program says it again", "error", err)
	}
	t.dirty = false
}
