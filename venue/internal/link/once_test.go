package link_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/stream"
	"github.com/venuekey/venuekey/venue/internal/link"
)

// once_test.go owns who hears of the end of a run, and what its errors are.

func TestAClientRunsOnceAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var once link.Once
		var gate link.Gate
		var ends link.Ends
		var heard []string
		stop, down := make(chan struct{}), errors.New("down")
		run := func() error {
			return once.Run("a.Client", &gate, &ends, func() error { <-stop; return down }, func(err error) { heard = append(heard, "idle "+err.Error()) })
		}
		for range 2 { // and again after its end
			ended := make(chan error)
			go func() { ended <- run() }()
			synctest.Wait()
			ends.Add(func(cause error) { heard = append(heard, "end "+cause.Error()) })
			waits := make(chan error)
			go func() { waits <- gate.Wait(context.Background(), func() (bool, error) { return false, once.Ended }) }()
			if err := run(); err == nil || err.Error() != "a.Client: Run is already running" {
				t.Error(err)
			}
			stop <- struct{}{}
			if err := <-waits; !errors.Is(err, stream.ErrClosed) || !errors.Is(err, down) {
				t.Error(err)
			}
			if err := <-ended; err != down {
				t.Error(err)
			}
		}
		if got := strings.Join(heard, "|"); got != "idle down|end closed by this program: down|idle down|end closed by this program: down" {
			t.Error(got)
		}
	})
}

type classed struct {
	class venuekey.Class
	cause error
}

func (e classed) Error() string              { return "classed" }
func (e classed) Unwrap() error              { return e.cause }
func (e classed) ErrorClass() venuekey.Class { return e.class }

func TestTheOutermostClassCounts(t *testing.T) {
	refused := &venuekey.Error{Class: venuekey.ClassRefused}
	for _, row := range []struct {
		err   error
		class venuekey.Class
		final bool
	}{
		{nil, venuekey.ClassUnknown, false},
		{errors.New("plain"), venuekey.ClassUnknown, false},
		{classed{venuekey.ClassLater, refused}, venuekey.ClassLater, false},
		{fmt.Errorf("while: %w", classed{venuekey.ClassRefused, nil}), venuekey.ClassRefused, true},
		{classed{venuekey.ClassMisconfigured, nil}, venuekey.ClassMisconfigured, true},
		{classed{venuekey.ClassNotSent, classed{venuekey.ClassMisconfigured, nil}}, venuekey.ClassNotSent, false},
	} {
		if got := link.ClassOf(row.err); got != row.class || link.Final(row.err) != row.final {
			t.Errorf("%v: %v, final %t", row.err, got, link.Final(row.err))
		}
	}
}
