package notify

import (
	"fmt"
	"strings"
	"time"
	_ "time/tzdata" // Windows and small containers have no zones of their own
)

// quiet.go owns the hours of a day in which nobody wants to be disturbed, by the clock on
// the wall of a zone, also where that clock is put forward or back.

// Quiet are hours of every day, such as from 22:00 to 07:00. The zero value is none.
type Quiet struct {
	// From and To are minutes since midnight. To is on the next day if it is not later.
	From, To int
	// Zone is where the clock hangs; nil is where this program runs.
	Zone *time.Location
}

// ParseQuiet reads hours such as 22:00-07:00, or 22:00-07:00@Europe/Berlin.
func ParseQuiet(text string) (Quiet, error) {
	hours, name, zoned := strings.Cut(text, "@")
	from, to, _ := strings.Cut(hours, "-")
	begin, errFrom := time.Parse("15:04", strings.TrimSpace(from))
	end, errTo := time.Parse("15:04", strings.TrimSpace(to))
	if errFrom != nil || errTo != nil || begin.Equal(end) {
		return Quiet{}, fmt.Errorf("quiet hours are two different times of a day, as in 22:00-07:00")
	}
	q := Quiet{From: begin.Hour()*60 + begin.Minute(), To: end.Hour()*60 + end.Minute(), Zone: time.Local}
	if zoned {
		zone, err := time.LoadLocation(name)
		if err != nil || name == "" || name == "Local" {
			return Quiet{}, fmt.Errorf("quiet hours name a zone that is not known; one is Europe/Berlin")
		}
		q.Zone = zone
	}
	return q, nil
}

// IsZero reports whether there are no such hours.
func (q Quiet) IsZero() bool { return q.From == q.To }

// String is what ParseQuiet reads.
func (q Quiet) String() string {
	if q.IsZero() {
		return ""
	}
	text := fmt.Sprintf("%02d:%02d-%02d:%02d", q.From/60, q.From%60, q.To/60, q.To%60)
	if q.Zone != nil && q.Zone != time.Local {
		text += "@" + q.Zone.String()
	}
	return text
}

// Until returns when the quiet hours around a time end, and whether it is in any. They
// begin when the clock first shows From and end when it last shows To: an hour that the
// clock shows twice is quiet both times, and one that it leaves out ends them at once.
func (q Quiet) Until(t time.Time) (end time.Time, quiet bool) {
	if q.IsZero() {
		return time.Time{}, false
	}
	zone := q.Zone
	if zone == nil {
		zone = time.Local
	}
	year, month, day := t.In(zone).Date()
	over := 0
	if q.To < q.From {
		over = 1
	}
	for days := -1; days <= 1; days++ {
		from := shown(time.Date(year, month, day+days, 0, q.From, 0, 0, zone), q.From, false)
		to := shown(time.Date(year, month, day+days+over, 0, q.To, 0, 0, zone), q.To, true)
		if !t.Before(from) && t.Before(to) {
			return to, true
		}
	}
	return time.Time{}, false
}

// shown returns when a clock first shows a time of a day, or last: at is one of the moments
// that time.Date gives for it. A time that is left out is shown when the clock is put
// forward.
func shown(at time.Time, minutes int, last bool) time.Time {
	begins, ends := at.ZoneBounds()
	_, offset := at.Zone()
	if at.Hour()*60+at.Minute() != minutes { // time.Date went to either side of the gap
		if before := !ends.IsZero() && ends.Sub(at) < at.Sub(begins); before {
			return ends
		}
		return begins
	}
	other := begins.Add(-time.Second)
	if last {
		other = ends
	}
	if begins.IsZero() && !last || ends.IsZero() && last {
		return at
	}
	_, there := other.Zone()
	twin := at.Add(time.Duration(offset-there) * time.Second)
	if last && !twin.Before(ends) || !last && twin.Before(begins) {
		return twin
	}
	return at
}
