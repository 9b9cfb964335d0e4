package venuekey

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
	_ "time/tzdata" // a test machine may have no zones
)

// maintenance_test.go tests the weekly windows, over changes of daylight saving too.

// chicago has Tradovate's windows (fact sheet Tradovate §1.7).
var chicago = maintenanceOf("America/Chicago", "Mon 16:00-17:00", "Tue 16:00-17:00", "Wed 16:00-17:00", "Thu 16:00-17:00", "Fri 16:00-20:00", "Sat 22:00 - Sun 06:30")

func maintenanceOf(zone string, windows ...string) Maintenance {
	m := Maintenance{Zone: zone}
	for _, text := range windows {
		var w WeeklyWindow
		if err := w.UnmarshalText([]byte(text)); err != nil {
			panic(err)
		}
		m.Weekly = append(m.Weekly, w)
	}
	return m
}

func TestTheNextMaintenance(t *testing.T) {
	for _, row := range []struct{ now, from, to string }{
		{"2026-11-23T12:00:00-06:00", "2026-11-23T16:00:00-06:00", "2026-11-23T17:00:00-06:00"},
		{"2026-11-23T16:00:00-06:00", "2026-11-23T16:00:00-06:00", "2026-11-23T17:00:00-06:00"},
		{"2026-11-23T17:00:00-06:00", "2026-11-24T16:00:00-06:00", "2026-11-24T17:00:00-06:00"},
		{"2026-11-27T19:59:59-06:00", "2026-11-27T16:00:00-06:00", "2026-11-27T20:00:00-06:00"},
		{"2026-11-27T20:00:00-06:00", "2026-11-28T22:00:00-06:00", "2026-11-29T06:30:00-06:00"},
		{"2026-11-29T06:00:00-06:00", "2026-11-28T22:00:00-06:00", "2026-11-29T06:30:00-06:00"},
		{"2026-11-29T07:00:00-06:00", "2026-11-30T16:00:00-06:00", "2026-11-30T17:00:00-06:00"},
		// The clock is put forward, and back, on a Sunday at two.
		{"2026-03-07T23:00:00-06:00", "2026-03-07T22:00:00-06:00", "2026-03-08T06:30:00-05:00"},
		{"2026-10-31T23:00:00-05:00", "2026-10-31T22:00:00-05:00", "2026-11-01T06:30:00-06:00"},
		{"2026-03-09T00:00:00-05:00", "2026-03-09T16:00:00-05:00", "2026-03-09T17:00:00-05:00"},
	} {
		got, ok := chicago.Next(at(t, row.now))
		if !ok || !got.From.Equal(at(t, row.from)) || !got.To.Equal(at(t, row.to)) {
			t.Errorf("%s: %s to %s", row.now, got.From, got.To)
		}
	}
	if _, ok := (Maintenance{}).Next(time.Now()); ok {
		t.Error("a venue without maintenance has one")
	}
}

func TestRenewalsAroundMaintenance(t *testing.T) {
	for _, row := range []struct{ name, issued, next, now, want string }{
		{"far from a window", "10:00", "10:48", "10:00", "10:48"},
		{"a token that would die in the window is renewed before it", "15:10", "15:58", "15:10", "15:52"},
		{"due before that anyway", "15:10", "15:40", "15:10", "15:40"},
		{"one that outlives the window waits for its end", "15:52", "16:40", "15:52", "17:00:10"},
		{"one that dies just after the window may not", "15:45", "16:33", "15:45", "16:33"},
		{"a dead one waits for the end", "14:00", "16:05", "16:05", "17:00:10"},
		{"after the window", "16:30", "17:18", "17:01", "17:18"},
	} {
		token := Token{Issued: monday(t, row.issued), Expires: monday(t, row.issued).Add(80 * time.Minute)}
		if got := chicago.plan(monday(t, row.next), token, monday(t, row.now), 0); !got.Equal(monday(t, row.want)) {
			t.Errorf("%s: %s, want %s", row.name, got, row.want)
		}
		if got := chicago.plan(monday(t, row.next), token, monday(t, row.now), 0.999); chicago.Weekly[0].String() == "" || got.Sub(monday(t, row.want)) > spreadMaintenance {
			t.Errorf("%s: spread to %s", row.name, got)
		}
	}
}

func TestTheTextOfAWindow(t *testing.T) {
	text, err := json.Marshal(chicago)
	if err != nil {
		t.Fatal(err)
	}
	want := `{"zone":"America/Chicago","weekly":["Mon 16:00-17:00","Tue 16:00-17:00","Wed 16:00-17:00","Thu 16:00-17:00","Fri 16:00-20:00","Sat 22:00 - Sun 06:30"]}`
	var back Maintenance
	if string(text) != want || json.Unmarshal(text, &back) != nil || len(back.Weekly) != 6 || back.Weekly[5] != chicago.Weekly[5] {
		t.Errorf("%s %v", text, back)
	}
	for _, bad := range []string{"", "Fri", "Fri 16:00", "Fri 16:00-15:00", "Fri 16:00-16:00", "Fry 16:00-17:00", "Fri 16:60-17:00", "Fri 25:00-26:00", "Fri 16-17", "fri 16:00-17:00", "Fri 16:00 - Sat"} {
		if err := new(WeeklyWindow).UnmarshalText([]byte(bad)); err == nil || !strings.Contains(err.Error(), "Sun 06:30") {
			t.Errorf("%q: %v", bad, err)
		}
	}
	for reason, bad := range map[string]Maintenance{
		"no zone":      {Weekly: chicago.Weekly},
		"is not known": {Zone: "America/Chikago"},
		"not known":    {Zone: "Local"},
		"not end":      {Zone: "UTC", Weekly: []WeeklyWindow{{}}},
		"of a week":    {Zone: "UTC", Weekly: []WeeklyWindow{{From: WeekTime{Day: 7}}}},
	} {
		if err := (Policy{Maintenance: bad}).check("v"); err == nil || !strings.Contains(err.Error(), reason) {
			t.Errorf("%s: %v", reason, err)
		}
	}
}

func at(t *testing.T, text string) time.Time {
	t.Helper()
	read, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatal(err)
	}
	return read
}

// monday returns a time of a Monday in Chicago.
func monday(t *testing.T, clock string) time.Time {
	t.Helper()
	if len(clock) == len("15:04") {
		clock += ":00"
	}
	return at(t, "2026-11-23T"+clock+"-06:00")
}
