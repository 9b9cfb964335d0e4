package main

import (
	"bytes"
	"os"
	"strconv"
	"strings"
	"time"
)

// watch_linux.go owns when a process began: the system gives the number of one that has ended to
// another.

// ticks is the unit of times in /proc, in a second: USER_HZ, which is 100 on every Linux that Go
// runs on (proc(5)).
const ticks = 100

// startOf returns when a process began, by the machine's clock.
func startOf(pid int) (began time.Time, ok bool) {
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return time.Time{}, false
	}
	// The name, in parentheses, may have spaces; behind it the 20th field is the start.
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	uptime, err := os.ReadFile("/proc/uptime")
	if err != nil || len(fields) < 20 {
		return time.Time{}, false
	}
	since, err := strconv.ParseUint(fields[19], 10, 63)
	if err != nil {
		return time.Time{}, false
	}
	text, _, _ := strings.Cut(string(uptime), " ")
	up, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return time.Time{}, false
	}
	ago := time.Duration(up*float64(time.Second)) - time.Duration(since)*(time.Second/ticks)
	return time.Now().Add(-ago), true
}
