package socket

import (
	"testing"
	"time"
)

// maintenance_test.go tests the ends of the windows that the venue's page lists.

func TestMaintenanceWindows(t *testing.T) {
	there, err := time.LoadLocation("America/Chicago")
	if err != nil {
		t.Fatal(err)
	}
	for at, want := range map[string]string{
		"Mon 2026-07-06 15:59": "", "Mon 2026-07-06 16:00": "Mon 2026-07-06 17:00", "Thu 2026-01-08 16:59": "Thu 2026-01-08 17:00", "Thu 2026-01-08 17:00": "",
		"Fri 2026-07-10 15:59": "", "Fri 2026-07-10 16:00": "Fri 2026-07-10 20:00", "Fri 2026-07-10 19:59": "Fri 2026-07-10 20:00", "Fri 2026-07-10 20:00": "",
		"Sat 2026-07-11 16:30": "", "Sat 2026-07-11 22:00": "Sun 2026-07-12 06:30", "Sun 2026-07-12 06:29": "Sun 2026-07-12 06:30", "Sun 2026-07-12 06:30": "", "Sun 2026-07-12 16:30": "",
		"Sat 2026-03-07 23:00": "Sun 2026-03-08 06:30", "Sun 2026-03-08 01:59": "Sun 2026-03-08 06:30", "Sun 2026-03-08 03:00": "Sun 2026-03-08 06:30", // the clocks go forward
		"Sat 2026-10-31 22:30": "Sun 2026-11-01 06:30", "Sun 2026-11-01 00:30": "Sun 2026-11-01 06:30", "Sun 2026-11-01 03:00": "Sun 2026-11-01 06:30", // and back
		"Sat 2022-12-31 22:00": "Sun 2023-01-01 06:30",
	} {
		const form = "Mon 2006-01-02 15:04"
		moment, err := time.ParseInLocation(form, at, there)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		if end := windowEnd(moment.UTC()); !end.IsZero() {
			got = end.In(there).Format(form)
		}
		if got != want {
			t.Errorf("%s: got %q, want %q", at, got, want)
		}
	}
	for hour := time.Date(2025, 1, 1, 0, 30, 0, 0, time.UTC); hour.Year() < 2029; hour = hour.Add(time.Hour) {
		if end := windowEnd(hour); !end.IsZero() && (end.Before(hour) || end.Sub(hour) > 10*time.Hour) {
			t.Fatalf("%v: the end is %v", hour, end)
		}
	}
}
