package venuekey_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/venuekey/venuekey"
)

// A class of a later version, or of nobody's making, is printed like any other.
func TestAClassThatNobodyKnowsHasAName(t *testing.T) {
	for class, want := range map[venuekey.Class]string{
		venuekey.ClassUnknown: "unknown outcome", venuekey.ClassFailed: "failed", venuekey.ClassDeclined: "declined", venuekey.ClassDeclined + 1: "class 8", -1: "class -1",
	} {
		if got := class.String(); got != want {
			t.Errorf("%d is %q, want %q", int(class), got, want)
		}
		if got := (&venuekey.Error{Class: class}).Error(); got != want {
			t.Errorf("the error says %q, want %q", got, want)
		}
	}
}

func TestAVenuesCodeIsToldOnce(t *testing.T) {
	for reason, want := range map[string]string{
		"MARKET_CLOSED: the market is closed": "MARKET_CLOSED: the market is closed",
		"the market is closed":                "the market is closed (MARKET_CLOSED)",
	} {
		if got := (&venuekey.Error{Reason: reason, Code: "MARKET_CLOSED"}).Error(); got != want {
			t.Errorf("%q, and not %q", got, want)
		}
	}
}

// wired is an error of a venue's own wire.
type wired struct {
	class venuekey.Class
	safe  bool
	cause error
}

func (e wired) Error() string              { return "wired" }
func (e wired) Unwrap() error              { return e.cause }
func (e wired) ErrorClass() venuekey.Class { return e.class }
func (e wired) SafeToRetry() bool          { return e.safe }

func TestTheErrorsOfAllWiresAnswerTheSameQuestions(t *testing.T) {
	refused := &venuekey.Error{Class: venuekey.ClassRefused}
	for i, row := range []struct {
		err                                     error
		class                                   venuekey.Class
		needsSignIn, misconfigured, isTemporary bool
	}{
		{nil, venuekey.ClassFailed, false, false, false},
		{errors.New("foreign"), venuekey.ClassFailed, false, false, false},
		{refused, venuekey.ClassRefused, true, false, false},
		{&venuekey.Error{}, venuekey.ClassUnknown, false, false, true},
		{fmt.Errorf("told: %w", wired{class: venuekey.ClassMisconfigured}), venuekey.ClassMisconfigured, false, true, false},
		{wired{class: venuekey.ClassLater, safe: true}, venuekey.ClassLater, false, false, true},
		{wired{class: venuekey.ClassDeclined, safe: true}, venuekey.ClassDeclined, false, false, false},
		// An order whose answer is lost is not simply sent again.
		{wired{class: venuekey.ClassUnknown}, venuekey.ClassUnknown, false, false, false},
		{&venuekey.Error{Class: venuekey.ClassLater, Err: wired{}}, venuekey.ClassLater, false, false, false},
		// A connection that waits for a sign-in says so.
		{wired{class: venuekey.ClassNotSent, safe: true, cause: refused}, venuekey.ClassRefused, true, false, false},
	} {
		if got := venuekey.ClassOf(row.err); got != row.class {
			t.Errorf("%d is %v", i, got)
		}
		if venuekey.NeedsSignIn(row.err) != row.needsSignIn || venuekey.Misconfigured(row.err) != row.misconfigured || venuekey.Temporary(row.err) != row.isTemporary {
			t.Errorf("%d: sign-in %v, misconfigured %v, temporary %v", i, venuekey.NeedsSignIn(row.err), venuekey.Misconfigured(row.err), venuekey.Temporary(row.err))
		}
	}
}
