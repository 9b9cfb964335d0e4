package memory_test

import (
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/store/memory"
	"github.com/venuekey/venuekey/store/storetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestStore(t *testing.T) {
	storetest.Run(t, func(*testing.T) venuekey.Store { return &memory.Store{} })
}

// Time in a bubble passes at once, so here a lease really runs out.
func TestBubbleClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &memory.Store{}
		begun := time.Now()
		if _, err := store.Put(t.Context(), venuekey.Record{Key: "k", NextRefresh: begun.Add(time.Minute)}); err != nil {
			t.Fatal(err)
		}
		for _, step := range []struct {
			at    time.Duration
			owner string
			want  int
		}{
			{0, "early", 0},
			{time.Minute - time.Microsecond, "nearly", 0},
			{time.Minute, "first", 1},
			{2 * time.Minute, "second", 0},
			{2*time.Minute + 30*time.Second - time.Microsecond, "second", 0},
			{2*time.Minute + 30*time.Second, "second", 1},
		} {
			time.Sleep(time.Until(begun.Add(step.at)))
			got, err := store.Claim(t.Context(), "", step.owner, 90*time.Second, 10)
			if err != nil || len(got) != step.want {
				t.Fatalf("claim after %v: %d records, want %d (%v)", step.at, len(got), step.want, err)
			}
			for _, record := range got {
				if !record.ReadAt.Equal(time.Now()) || !record.LeaseUntil.Equal(time.Now().Add(90*time.Second)) {
					t.Errorf("claim after %v: lease from %v to %v", step.at, record.ReadAt, record.LeaseUntil)
				}
			}
		}
	})
}
