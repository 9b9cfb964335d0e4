package venues_test

import (
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/venuekey/venuekey/emulator"
	tradovateemu "github.com/venuekey/venuekey/emulator/tradovate"
	"github.com/venuekey/venuekey/internal/needs"
)

// switches_test.go tests that the client copes with every position of every switch of the
// emulated Tradovate: what each operation then gives is in the table of switchtable_test.go.

// An operation of the table, each at a venue of its own.
const (
	opLogin    = "login"    // accessTokenRequest, and again with the ticket of a penalty
	opWrong    = "wrong"    // accessTokenRequest with a wrong password
	opRenew    = "renew"    // renewAccessToken, and again after the wait of a penalty
	opMe       = "me"       // me, and again after that
	opDemo     = "demo"     // me at the demo host
	opExchange = "exchange" // oauthToken with a code
	opRefresh  = "refresh"  // oauthToken with a refresh token
	opReuse    = "reuse"    // oauthToken with a refresh token that was used
	opList     = "list"     // account/list
	opOrder    = "order"    // order/placeorder
	opPassword = "password" // a Keeper's sign-in by password, and its renewal
	opOAuth    = "oauth"    // a Keeper's sign-in by OAuth, and its renewal
)

// asUsual is what the operations give when no switch is thrown.
var asUsual = map[string]string{
	opLogin:    "token for 1h20m0s, md",
	opWrong:    "refused: Tradovate does not accept user name and password",
	opRenew:    "token for 1h20m0s, md, old one lives",
	opMe:       "alice, 1001",
	opDemo:     "misconfigured: only Tradovate's live host answers this",
	opExchange: "token for 1h20m0s, refresh token for 26h0m0s, id",
	opRefresh:  "token for 1h20m0s, refresh token for 26h0m0s, id, old one lives",
	opReuse:    "refused: Tradovate no longer accepts the refresh token",
	opList:     "done",
	opOrder:    "done",
	opPassword: "renewed",
	opOAuth:    "renewed",
}

// setting is one position of a switch, or of several that belong together.
type setting struct {
	name  string
	knobs tradovateemu.Knobs
	// before is what happens once the switch is thrown; the user is signed in by then.
	before func(*stand)
	// gives is what the operations give, where it is not as usual. An error need only begin
	// so.
	gives map[string]string
	// early has the Keeper sign in by OAuth before the switch is thrown: its listener is
	// real, so that no virtual time passes while it waits.
	early bool
}

func TestEveryPositionOfEverySwitch(t *testing.T) {
	ops := slices.Sorted(maps.Keys(asUsual))
	for _, p := range positions() {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			for op := range p.gives {
				if asUsual[op] == "" {
					t.Errorf("there is no operation %s", op)
				}
			}
			for _, op := range ops {
				want, special := p.gives[op]
				if !special && (op == opPassword || op == opOAuth) && !needs.Slow() {
					continue // they take longest
				}
				if !special {
					want = asUsual[op]
				}
				var got string
				synctest.Test(t, func(t *testing.T) { got = openStand(t, p, op == opOAuth).give(op) })
				if got != want && !(strings.Contains(got, ": ") && strings.HasPrefix(got, want)) {
					t.Errorf("%s gives %q, want %q", op, got, want)
				}
			}
		})
	}
}

// A new switch needs a row for each of its positions, and one that is not in the table says
// where else it is tested.
func TestEverySwitchHasARow(t *testing.T) {
	elsewhere := map[string]string{"Socket": "the connections of venue/tradovate/socket have a table of their own"}
	rows := positions()
	for field := range reflect.TypeFor[tradovateemu.Knobs]().Fields() {
		thrown := 0
		for _, p := range rows {
			if !reflect.ValueOf(p.knobs).FieldByIndex(field.Index).IsZero() {
				thrown++
			}
		}
		if (thrown == 0) != (elsewhere[field.Name] != "") {
			t.Errorf("%s is thrown in %d rows", field.Name, thrown)
		}
	}
	for mode := emulator.RotationStrict + 1; !strings.HasPrefix(mode.String(), "Rotation("); mode++ {
		if !slices.ContainsFunc(rows, func(p setting) bool { return p.knobs.Rotation == mode }) {
			t.Errorf("the rotation %s has no row", mode)
		}
	}
}
