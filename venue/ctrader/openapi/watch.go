package openapi

import "time"

// watch.go owns the interface for watching a socket without reading it. Linux has an
// implementation (lookout_linux.go).

// watch waits for a socket to become readable, while another goroutine may read it. All
// methods but wait and until are for the holder of the read lock.
type watch interface {
	// wait returns true if bytes have arrived while the watch was on, or the connection
	// is closed, and false when the deadline has passed.
	wait() (came bool)
	// until sets the deadline of waits, current and future. The zero time means never.
	until(t time.Time) error
	// look switches the watch on: bytes that arrive, or have arrived, end a wait.
	// lookAway switches it off.
	look() error
	lookAway() error
	// single reports whether exactly one TLS record was read since the last look.
	single() bool
	// hurry sets whether reads fail with nothingYet instead of blocking.
	hurry(yes bool)
}

// nothingYet is the error of a hurried read that would block. TLS can continue after it,
// as after a deadline.
type nothingYet struct{}

func (nothingYet) Error() string   { return "nothing has come" }
func (nothingYet) Timeout() bool   { return true }
func (nothingYet) Temporary() bool { return true }
