package venuekey_test

import (
	"testing"

	"github.com/venuekey/venuekey"
)

// A class of a later version, or of nobody's making, is printed like any other.
func TestAClassThatNobodyKnowsHasAName(t *testing.T) {
	for class, want := range map[venuekey.Class]string{
		venuekey.ClassUnknown: "unknown outcome", venuekey.ClassFailed: "failed", venuekey.ClassFailed + 1: "class 7", -1: "class -1",
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
