package defined_test

import (
	"context"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/emulator"
	emu "github.com/venuekey/venuekey/emulator/ttp"
	"github.com/venuekey/venuekey/internal/keepertest"
	"github.com/venuekey/venuekey/store/memory"
	"github.com/venuekey/venuekey/venue/defined"
	"github.com/venuekey/venuekey/venue/ttp"
)

// BenchmarkRenewal compares a renewal at TTP by its definition with one by the venue in Go: through a
// Keeper, against the emulated site in the same process. Both alternate.
func BenchmarkRenewal(b *testing.B) {
	file, text, err := defined.Text("ttp")
	if err != nil {
		b.Fatal(err)
	}
	d, err := defined.Parse(file, text)
	if err != nil {
		b.Fatal(err)
	}
	open := func(over func(keepertest.InProcess) venuekey.Venue) func() time.Duration {
		way := keepertest.InProcess{Handler: &emu.Server{Apps: []emulator.App{{ClientID: "demo-client", ClientSecret: "demo-secret", RedirectURIs: []string{"https://app.example/cb"}}}}}
		keeper := keepertest.New(b, &memory.Store{}, over(way))
		keeper.Apps = func(context.Context, string) (venuekey.App, error) {
			return venuekey.App{Venue: "ttp", ClientID: "demo-client", ClientSecret: "demo-secret", RedirectURI: "https://app.example/cb", URLs: map[string]string{"base": "http://localhost:1"}}, nil
		}
		id := venuekey.ID{Venue: "ttp", Name: "alice"}
		person := emulator.Person{Name: "alice", Password: "wonderland", Client: &http.Client{Transport: way}}
		if _, err := keeper.SignIn(b.Context(), id, keepertest.Paster{Person: person, URL: make(chan string, 1)}); err != nil {
			b.Fatal(err)
		}
		return func() time.Duration {
			began := time.Now()
			if _, err := keeper.Refresh(b.Context(), id); err != nil {
				b.Fatal(err)
			}
			return time.Since(began)
		}
	}
	written := open(func(way keepertest.InProcess) venuekey.Venue { return ttp.Venue{Transport: way} })
	described := open(func(way keepertest.InProcess) venuekey.Venue { return defined.NewOver(way, d) })
	var theirs, ours []time.Duration
	for b.Loop() {
		theirs, ours = append(theirs, written()), append(ours, described())
	}
	slices.Sort(theirs)
	slices.Sort(ours)
	b.ReportMetric(float64(ours[len(ours)/2])/float64(theirs[len(theirs)/2]), "of-go")
}
