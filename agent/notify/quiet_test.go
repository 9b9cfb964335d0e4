package notify

import (
	"testing"
	"time"
)

func TestQuietHoursAsTheyAreWritten(t *testing.T) {
	for text, want := range map[string]string{
		"22:00-07:00": "22:00-07:00", "22:00 - 07:00": "22:00-07:00", "9:30-17:00": "09:30-17:00",
		"00:00-06:00@UTC": "00:00-06:00@UTC", "22:00-07:00@Europe/Berlin": "22:00-07:00@Europe/Berlin",
		"": "", "22-7": "", "22:00": "", "22:00-22:00": "", "25:00-07:00": "", "22:00-07:60": "", "22:00-07:00@": "",
		"22:00-07:00@Local": "", "22:00-07:00@Nowhere/City": "", "22:00-07:00@../../etc/passwd": "",
	} {
		q, err := ParseQuiet(text)
		if (err == nil) != (want != "") || err == nil && q.String() != want {
			t.Errorf("%q: %q %v", text, q, err)
		}
	}
	if _, quiet := (Quiet{}).Until(time.Now()); quiet || (Quiet{}).String() != "" {
		t.Error("no hours are quiet")
	}
}

// Quiet hours are those of the clock on the wall, over both changes of daylight saving.
func TestQuietHoursOverBothChanges(t *testing.T) {
	const berlin, lordHowe = "Europe/Berlin", "Australia/Lord_Howe"
	for _, row := range []struct {
		quiet, at, end string // the end is "" if it is not quiet
	}{
		{"22:00-07:00@" + berlin, "2026-06-10T19:59:59Z", ""},
		{"22:00-07:00@" + berlin, "2026-06-10T20:00:00Z", "2026-06-11T05:00:00Z"},
		{"22:00-07:00@" + berlin, "2026-06-11T04:59:59Z", "2026-06-11T05:00:00Z"},
		{"22:00-07:00@" + berlin, "2026-06-11T05:00:00Z", ""},
		{"13:00-14:00@" + berlin, "2026-06-11T11:30:00Z", "2026-06-11T12:00:00Z"},
		// The night of 2026-03-29 has eight hours, that of 2026-10-25 ten.
		{"22:00-07:00@" + berlin, "2026-03-28T21:00:00Z", "2026-03-29T05:00:00Z"},
		{"22:00-07:00@" + berlin, "2026-03-29T04:59:00Z", "2026-03-29T05:00:00Z"},
		{"22:00-07:00@" + berlin, "2026-10-24T20:00:00Z", "2026-10-25T06:00:00Z"},
		{"22:00-07:00@" + berlin, "2026-10-25T05:59:00Z", "2026-10-25T06:00:00Z"},
		// An end that the clock leaves out is where it is put forward.
		{"22:00-02:30@" + berlin, "2026-03-29T00:59:00Z", "2026-03-29T01:00:00Z"},
		{"22:00-02:30@" + berlin, "2026-03-29T01:00:00Z", ""},
		// So is a beginning; hours of which nothing is left are none.
		{"02:30-05:00@" + berlin, "2026-03-29T00:59:00Z", ""},
		{"02:30-05:00@" + berlin, "2026-03-29T01:00:00Z", "2026-03-29T03:00:00Z"},
		{"02:10-02:50@" + berlin, "2026-03-29T01:00:00Z", ""},
		// An end that the clock shows twice is the later one, and a beginning the earlier.
		{"22:00-02:30@" + berlin, "2026-10-25T00:29:00Z", "2026-10-25T01:30:00Z"},
		{"22:00-02:30@" + berlin, "2026-10-25T00:45:00Z", "2026-10-25T01:30:00Z"},
		{"22:00-02:30@" + berlin, "2026-10-25T01:30:00Z", ""},
		{"02:30-05:00@" + berlin, "2026-10-25T00:29:00Z", ""},
		{"02:30-05:00@" + berlin, "2026-10-25T00:30:00Z", "2026-10-25T04:00:00Z"},
		{"02:30-05:00@" + berlin, "2026-10-25T01:10:00Z", "2026-10-25T04:00:00Z"},
		// Half an hour is put forward and back at Lord Howe Island.
		{"23:00-01:45@" + lordHowe, "2026-04-04T14:50:00Z", "2026-04-04T15:15:00Z"},
		{"23:00-02:15@" + lordHowe, "2026-10-03T15:29:00Z", "2026-10-03T15:30:00Z"},
		{"23:00-02:15@" + lordHowe, "2026-10-03T15:30:00Z", ""},
		// No clock is put forward in UTC.
		{"22:00-07:00@UTC", "2026-03-29T06:59:59Z", "2026-03-29T07:00:00Z"},
	} {
		q, err := ParseQuiet(row.quiet)
		if err != nil {
			t.Fatal(err)
		}
		at, _ := time.Parse(time.RFC3339, row.at)
		end, quiet := q.Until(at)
		if got := end.UTC().Format(time.RFC3339); quiet != (row.end != "") || quiet && got != row.end {
			t.Errorf("%s at %s: quiet is %v, until %s, want %q", row.quiet, row.at, quiet, got, row.end)
		}
	}
}

// Whatever the zone: as long as the clock shows a time in the hours it is quiet, and the end
// is the first moment that is not.
func TestTheClockOnTheWallAgrees(t *testing.T) {
	for _, name := range []string{"Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe", "Africa/Casablanca", "America/Sao_Paulo", "Pacific/Apia"} {
		for _, hours := range []string{"22:00-07:00", "01:30-03:10", "23:50-00:20", "00:00-23:59"} {
			q, err := ParseQuiet(hours + "@" + name)
			if err != nil {
				t.Fatal(err)
			}
			for _, day := range []string{"2026-02-14", "2026-03-07", "2026-03-21", "2026-03-28", "2026-04-04", "2026-10-03", "2026-10-24", "2026-10-31"} { // before Sundays on which a clock is set
				begin, _ := time.Parse(time.DateOnly, day)
				for at := begin; at.Before(begin.AddDate(0, 0, 2)); at = at.Add(6 * time.Minute) {
					end, quiet := q.Until(at)
					if q.shows(at) && !quiet {
						t.Fatalf("%s: %s is not quiet", q, at.In(q.Zone))
					}
					if _, still := q.Until(end); quiet && (still || !end.After(at) || end.Sub(at) > 26*time.Hour) {
						t.Fatalf("%s: quiet at %s until %s, where it is quiet still", q, at.In(q.Zone), end.In(q.Zone))
					}
				}
			}
		}
	}
}

// shows is the simplest meaning of quiet hours.
func (q Quiet) shows(t time.Time) bool {
	minute := t.In(q.Zone).Hour()*60 + t.In(q.Zone).Minute()
	if q.From < q.To {
		return minute >= q.From && minute < q.To
	}
	return minute >= q.From || minute < q.To
}
