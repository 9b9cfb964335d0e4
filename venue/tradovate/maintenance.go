package tradovate

import (
	"time"
	_ "time/tzdata" // Windows and small containers have no zones of their own

	"github.com/venuekey/venuekey"
)

// maintenance.go owns Tradovate's maintenance windows.

// Maintenance returns what the official page Maintenance Windows lists (fact sheet Tradovate
// §1.7), by the clock of Chicago: an hour from 16:00 on Monday to Thursday, four on Friday,
// and the night from Saturday 22:00 to Sunday 06:30. Whether renewals fail in them is
// documented nowhere; we assume so.
func Maintenance() venuekey.Maintenance {
	at := func(day time.Weekday, hour, minute int) venuekey.WeekTime {
		return venuekey.WeekTime{Day: day, Hour: hour, Minute: minute}
	}
	m := venuekey.Maintenance{Zone: "America/Chicago"}
	for day := time.Monday; day <= time.Thursday; day++ {
		m.Weekly = append(m.Weekly, venuekey.WeeklyWindow{From: at(day, 16, 0), To: at(day, 17, 0)})
	}
	m.Weekly = append(m.Weekly,
		venuekey.WeeklyWindow{From: at(time.Friday, 16, 0), To: at(time.Friday, 20, 0)},
		venuekey.WeeklyWindow{From: at(time.Saturday, 22, 0), To: at(time.Sunday, 6, 30)},
	)
	return m
}
