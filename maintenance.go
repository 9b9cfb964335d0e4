package venuekey

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"
)

// maintenance.go owns the weekly times at which a venue may not answer: renewals come just
// before them, or right after.

const (
	// beforeMaintenance is how long before a window renewals begin that are to carry a
	// token through it, and spreadMaintenance over how long they are spread.
	beforeMaintenance = 8 * time.Minute
	spreadMaintenance = 6 * time.Minute
	// afterMaintenance is how soon after a window renewals begin again; they are spread
	// over spreadAfterwards.
	afterMaintenance = 10 * time.Second
	spreadAfterwards = 2 * time.Minute
	// lateMaintenance is how much longer than announced a window may last: a token must
	// outlive that for its renewal to wait for the end.
	lateMaintenance = 10 * time.Minute
)

// Maintenance lists the weekly times at which a venue is under maintenance, by the clock of
// its zone, daylight saving included. The zero value means that none are known.
type Maintenance struct {
	// Zone is the name of the zone in the IANA database, such as "America/Chicago".
	Zone string `json:"zone,omitzero"`
	// Weekly are the windows.
	Weekly []WeeklyWindow `json:"weekly,omitzero"`
}

// WeeklyWindow is one window of a week. As text it reads "Fri 16:00-20:00", or "Sat 22:00 -
// Sun 06:30" if it ends on another day.
type WeeklyWindow struct {
	From, To WeekTime
}

// WeekTime is a time of the week, by the wall clock.
type WeekTime struct {
	Day          time.Weekday
	Hour, Minute int
}

// Window is one occurrence of a WeeklyWindow. It includes From and excludes To.
type Window struct {
	From, To time.Time
}

// Contains reports whether a time is in the window.
func (w Window) Contains(t time.Time) bool { return !t.Before(w.From) && t.Before(w.To) }

// Next returns the window that contains a time, or the first that begins after it; ok is
// false if there is none.
func (m Maintenance) Next(t time.Time) (next Window, ok bool) {
	zone, err := zoneOf(m.Zone)
	if err != nil {
		return Window{}, false
	}
	local := t.In(zone)
	for _, w := range m.Weekly {
		// From the week before, whose window may still be open, to the next one.
		for days := int(w.From.Day-local.Weekday()) - 7; days <= 7+6; days += 7 {
			at := w.on(local, days, zone)
			if t.Before(at.To) && (!ok || at.From.Before(next.From)) {
				next, ok = at, true
			}
		}
	}
	return next, ok
}

// on returns the window that begins the given number of days after a local time's date.
func (w WeeklyWindow) on(local time.Time, days int, zone *time.Location) Window {
	year, month, day := local.Date()
	lasts := (int(w.To.Day-w.From.Day) + 7) % 7
	return Window{
		From: time.Date(year, month, day+days, w.From.Hour, w.From.Minute, 0, 0, zone),
		To:   time.Date(year, month, day+days+lasts, w.To.Hour, w.To.Minute, 0, 0, zone),
	}
}

// plan moves a planned renewal away from maintenance: just before a window that the token
// would not outlive, and right after one that it does. draw is a random number in [0, 1)
// that spreads the renewals of many sign-ins.
func (m Maintenance) plan(next time.Time, token Token, now time.Time, draw float64) time.Time {
	w, ok := m.Next(now)
	if !ok || next.IsZero() {
		return next
	}
	outlives := token.Expires.After(w.To.Add(lateMaintenance))
	before := w.From.Add(-beforeMaintenance + time.Duration(draw*float64(spreadMaintenance)))
	old := token.Issued.Before(before.Add(-beforeMaintenance))
	if token.Expires.After(before) && !outlives && old && now.Before(before) {
		return earlier(next, before)
	}
	// In a window that the token does not outlive, a last try is all that is left.
	if w.Contains(next) && (outlives || !now.Before(token.Expires)) {
		return w.To.Add(afterMaintenance + time.Duration(draw*float64(spreadAfterwards)))
	}
	return next
}

// noLater moves what is tried again after a window to its end: what failed in one waits no
// longer than that. draw is as in plan.
func (m Maintenance) noLater(next, now time.Time, draw float64) time.Time {
	w, ok := m.Next(now)
	if !ok || !w.Contains(now) || next.IsZero() {
		return next
	}
	return earlier(next, w.To.Add(afterMaintenance+time.Duration(draw*float64(spreadAfterwards))))
}

// outlasts returns when a token dies that only renews itself, because a window is longer than
// its life: at the soonest what a renewal just before the window brings. It looks at a week.
func (m Maintenance) outlasts(token Token) (at time.Time, ok bool) {
	for from := token.Issued; ; {
		w, ok := m.Next(from)
		if !ok || w.From.Sub(token.Issued) > 8*24*time.Hour {
			return time.Time{}, false
		}
		switch carried := token.Life() - beforeMaintenance; {
		case carried >= w.To.Sub(w.From):
		case w.Contains(token.Expires):
			return token.Expires, true
		case token.Expires.Before(w.To):
			return w.From.Add(carried), true
		}
		from = w.To
	}
}

// near reports whether a time is in a window, or shortly before one.
func (m Maintenance) near(t time.Time) bool {
	w, ok := m.Next(t)
	return ok && !t.Before(w.From.Add(-2*beforeMaintenance))
}

// check returns what is wrong with the windows, or "".
func (m Maintenance) check() string {
	if len(m.Weekly) > 0 && m.Zone == "" {
		return "its maintenance has windows and no zone"
	}
	if _, err := zoneOf(m.Zone); err != nil {
		return "the zone of its maintenance is not known: " + m.Zone
	}
	for _, w := range m.Weekly {
		if !w.From.valid() || !w.To.valid() {
			return "a maintenance window has a time that is not one of a week"
		}
		if w.From.Day == w.To.Day && w.To.minutes() <= w.From.minutes() {
			return "the maintenance window " + w.String() + " does not end after it begins"
		}
	}
	return ""
}

func (t WeekTime) valid() bool {
	return t.Day >= time.Sunday && t.Day <= time.Saturday && t.minutes() >= 0 && t.minutes() <= 24*60 && t.Minute >= 0 && t.Minute < 60
}

func (t WeekTime) minutes() int { return t.Hour*60 + t.Minute }

// String returns a window's text, such as "Fri 16:00-20:00".
func (w WeeklyWindow) String() string {
	from, to := w.From.String(), w.To.String()
	if w.From.Day == w.To.Day {
		return from + "-" + to[4:]
	}
	return from + " - " + to
}

// String returns a time's text, such as "Fri 16:00".
func (t WeekTime) String() string {
	return fmt.Sprintf("%.3s %02d:%02d", t.Day, t.Hour, t.Minute)
}

// MarshalText returns the text of a window.
func (w WeeklyWindow) MarshalText() ([]byte, error) { return []byte(w.String()), nil }

// UnmarshalText reads such a text.
func (w *WeeklyWindow) UnmarshalText(text []byte) error {
	begin, end, ok := strings.Cut(string(text), "-")
	begin, end = strings.TrimSpace(begin), strings.TrimSpace(end)
	if ok && len(begin) > 4 && len(end) == len("15:04") {
		end = begin[:4] + end
	}
	from, well := parseWeekTime(begin)
	to, too := parseWeekTime(end)
	read := WeeklyWindow{from, to}
	if !ok || !well || !too || (Maintenance{Zone: "UTC", Weekly: []WeeklyWindow{read}}).check() != "" {
		return fmt.Errorf("a maintenance window is written as in \"Fri 16:00-20:00\" or \"Sat 22:00 - Sun 06:30\", not as in %q", text)
	}
	*w = read
	return nil
}

func parseWeekTime(text string) (t WeekTime, ok bool) {
	day, clock, ok := strings.Cut(text, " ")
	if !ok || len(clock) != len("15:04") {
		return t, false
	}
	for t.Day = time.Sunday; t.Day <= time.Saturday; t.Day++ {
		if day == t.Day.String()[:3] {
			_, err := fmt.Sscanf(clock, "%02d:%02d", &t.Hour, &t.Minute)
			return t, err == nil && t.valid()
		}
	}
	return t, false
}

// zones caches the zones in use: loading one reads a file.
var zones sync.Map

func zoneOf(name string) (*time.Location, error) {
	if zone, ok := zones.Load(name); ok {
		return zone.(*time.Location), nil
	}
	if name == "Local" {
		return nil, errors.New("a venue's zone is not this machine's")
	}
	zone, err := time.LoadLocation(name)
	if err == nil {
		zones.Store(name, zone)
	}
	return zone, err
}
