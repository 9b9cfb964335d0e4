package link

import (
	"errors"
	"fmt"

	"github.com/venuekey/venuekey/stream"
)

// once.go owns that a client runs once at a time, and what its end means to others.

// Once runs a client, at most one run at a time. The zero value is ready to use.
type Once struct {
	// Ended is why the last run ended, and nil while one is under way and before the
	// first. The client's Gate guards it.
	Ended error

	running bool
}

// errRunning is the error of a second run beside the first.
var errRunning = errors.New("Run is already running")

// Run calls run, and when that returns idle, with its error, and then ends what is in ends.
// To those who wait at the gate and to the streams the end is stream.ErrClosed, with that
// error as its cause. It returns the error of run, or one that names the client if it runs
// already.
func (o *Once) Run(client string, gate *Gate, ends *Ends, run func() error, idle func(error)) error {
	gate.Lock()
	if o.running {
		gate.Unlock()
		return fmt.Errorf("%s: %w", client, errRunning)
	}
	o.running, o.Ended = true, nil
	gate.Unlock()
	ends.Begin()
	err := run()
	ended := fmt.Errorf("%w: %w", stream.ErrClosed, err)
	gate.Lock()
	o.running, o.Ended = false, ended
	gate.Changed()
	gate.Unlock()
	idle(err)
	ends.End(ended)
	return err
}
