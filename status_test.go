package venuekey_test

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/internal/keepertest"
	"github.com/venuekey/venuekey/store/memory"
)

// To tell how thousands of sign-ins stand costs their seals and little beside: no
// look into the spill folder for each. Allocations tell, whatever the machine does.
func TestStatusesOfThousandsCostTheirSeals(t *testing.T) {
	const many = 500
	keeper := keepertest.New(t, &memory.Store{}, &keepertest.Venue{})
	keeper.Spills = []string{filepath.Join(t.TempDir(), "spill")}
	for i := range many {
		if _, err := keeper.SignIn(t.Context(), venuekey.ID{Venue: "stage", Name: fmt.Sprint("user", i)}, keepertest.NoUI{}); err != nil {
			t.Fatal(err)
		}
	}
	seals := testing.AllocsPerRun(3, func() {
		for record, err := range keeper.Vault.Records(t.Context()) {
			if err == nil {
				_, err = keeper.Vault.Open(record)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
	})
	statuses := testing.AllocsPerRun(3, func() {
		for status, err := range keeper.Statuses(t.Context()) {
			if err != nil || status.State != venuekey.StateFresh {
				t.Fatal(status, err)
			}
		}
	})
	if each := (statuses - seals) / many; each > 3 {
		t.Errorf("each status allocates %.1f times beside its seal, which takes %.1f", each, seals/many)
	}
}
