package openapi

import "time"

// watch.go owns what a place to wait beside a connection can do. There is one on
// Linux (lookout_linux.go).

// watch is a place to wait beside a connection. All but wait and until are for
// whoever has the right to read.
type watch interface {
	// wait returns true when something came and was looked for, or the connection
	// is closed, and false at the time that was set.
	wait() (came bool)
	// until ends waits at a time, at once if it has passed and never if it is zero.
	until(t time.Time) error
	// look has a wait end with whatever comes next, or has come; lookAway takes
	// that back.
	look() error
	lookAway() error
	// single is whether exactly one TLS record was read since the last look.
	single() bool
	// hurry is whether reads return nothing instead of waiting.
	hurry(yes bool)
}

// nothingYet is the error of a hurried read that would have to wait. TLS can go on
// after it, as after a deadline.
type nothingYet struct{}

func (nothingYet) Error() string   { return "nothing has come" }
func (nothingYet) Timeout() bool   { return true }
func (nothingYet) Temporary() bool { return true }
