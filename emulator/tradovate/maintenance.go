package tradovate

import (
	"cmp"
	"net/http"
	"time"
	_ "time/tzdata" // Windows and small containers have no zones of their own
)

// maintenance.go owns the maintenance windows, which the venue keeps by its own clock.

// window is one of a week, in minutes from its midnight of Sunday in Chicago.
type window struct{ from, to int }

// windows are those that are published (Tradovate facts §1.7).
func windows() []window {
	at := func(day time.Weekday, hour, minute int) int { return int(day)*24*60 + hour*60 + minute }
	list := []window{{0, at(time.Sunday, 6, 30)}, {at(time.Friday, 16, 0), at(time.Friday, 20, 0)}, {at(time.Saturday, 22, 0), 7 * 24 * 60}}
	for day := time.Monday; day <= time.Thursday; day++ {
		list = append(list, window{at(day, 16, 0), at(day, 17, 0)})
	}
	return list
}

// inMaintenance reports whether a time is in one of the windows.
func inMaintenance(now time.Time) bool {
	zone, err := time.LoadLocation("America/Chicago")
	if err != nil {
		panic(err) // it is embedded
	}
	now = now.In(zone)
	minute := int(now.Weekday())*24*60 + now.Hour()*60 + now.Minute()
	for _, w := range windows() {
		if minute >= w.from && minute < w.to {
			return true
		}
	}
	return false
}

// maintained answers a request in the venue's maintenance, and reports whether it did.
func (s *Server) maintained(w http.ResponseWriter, r *http.Request, k Knobs) bool {
	if !k.Maintenance || !inMaintenance(s.core.Clock.Now()) {
		return false
	}
	if k.MaintenanceStatus < 0 {
		<-r.Context().Done()
		return true
	}
	http.Error(w, "Under maintenance", cmp.Or(k.MaintenanceStatus, http.StatusServiceUnavailable))
	return true
}
