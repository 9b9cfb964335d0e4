package load_test

import (
	"bytes"
	"context"
	"log/slog"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/internal/keepertest"
	"github.com/venuekey/venuekey/store/memory"
)

// crowded is a venue whose tokens live as long as it is told, and which counts
// those that were dead when their renewal came.
type crowded struct {
	keepertest.Metered
	life time.Duration
	late atomic.Int64
}

func (v *crowded) Login(ctx context.Context, app venuekey.App, ui venuekey.UI) (venuekey.Token, error) {
	token, err := v.Metered.Login(ctx, app, ui)
	token.Expires = token.Issued.Add(v.life)
	return token, err
}

func (v *crowded) Refresh(ctx context.Context, app venuekey.App, token venuekey.Token) (venuekey.Token, error) {
	if !token.Valid(time.Now()) {
		v.late.Add(1)
	}
	got, err := v.Metered.Refresh(ctx, app, token)
	got.Expires = got.Issued.Add(100 * 24 * time.Hour)
	return got, err
}

func crowdOf(t *testing.T, keeper *venuekey.Keeper, name string, n int) {
	t.Helper()
	for i := range n {
		if _, err := keeper.SignIn(t.Context(), venuekey.ID{Venue: "stage", Name: name + strconv.Itoa(i)}, keepertest.NoUI{}); err != nil {
			t.Fatal(err)
		}
	}
}

// Six hundred sign-ins are due, which takes twenty minutes. Those that have
// been due the longest live for hours yet, the others for twelve minutes.
func TestWhatDiesFirstIsRenewedFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		venue := &crowded{Metered: keepertest.Metered{Venue: keepertest.Venue{Terms: venuekey.Policy{Pace: 2 * time.Second}}}, life: 20 * time.Hour}
		keeper := keepertest.New(t, &memory.Store{}, venue)
		crowdOf(t, keeper, "long", 300)
		time.Sleep(16 * time.Hour)
		venue.life = time.Hour
		crowdOf(t, keeper, "short", 300)
		time.Sleep(48 * time.Minute)
		ctx, stop := context.WithTimeout(t.Context(), 25*time.Minute)
		defer stop()
		_ = keeper.Run(ctx)
		if n := len(venue.Asked); n != 600 {
			t.Errorf("%d renewals, want 600", n)
		}
		if late := venue.late.Load(); late > 0 {
			t.Errorf("%d tokens died in a queue that could have saved them", late)
		}
	})
}

// Three thousand sign-ins are due and die in twelve minutes, in which three
// hundred and sixty can be renewed. Somebody is told the numbers and what to
// change, once, and when he has changed it that it is over.
func TestAnOverloadSpeaks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		venue := &crowded{Metered: keepertest.Metered{Venue: keepertest.Venue{Terms: venuekey.Policy{Pace: 2 * time.Second}}}, life: keepertest.Life}
		store := &memory.Store{}
		keeper := keepertest.New(t, store, venue)
		keeper.Apps = nil
		app := venuekey.App{Venue: "stage"}
		if err := keeper.Vault.SaveApp(t.Context(), app); err != nil {
			t.Fatal(err)
		}
		crowdOf(t, keeper, "user", 3000)
		time.Sleep(48 * time.Minute)
		var log bytes.Buffer
		keeper.Log = slog.New(slog.NewTextHandler(&log, nil))
		events := keepertest.Listen(t, keeper)
		events.Take()
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- keeper.Run(ctx) }()
		time.Sleep(10 * time.Second)
		told := about(events.Take(), "stage")
		if len(told) != 1 || told[0].Kind != venuekey.EventWarning {
			t.Fatalf("told %v", told)
		}
		if want := regexp.MustCompile(`^29\d\d sign-ins are due and one is renewed every 2s, which takes (99|100) min; 26\d\d tokens will expire before their turn$`); !want.MatchString(told[0].Reason) {
			t.Errorf("%q", told[0].Reason)
		}
		if want := regexp.MustCompile(`^venuekey app add stage --pace 2[34]\dms, if the venue allows `); !want.MatchString(told[0].Remedy) {
			t.Errorf("%q", told[0].Remedy)
		}
		// A new listener is told too, and none is told repeatedly.
		if late := about(keepertest.Listen(t, keeper).Take(), "stage"); len(late) != 1 {
			t.Errorf("told %v", late)
		}
		time.Sleep(time.Minute)
		if again := about(events.Take(), "stage"); len(again) > 0 {
			t.Errorf("told %v again", again)
		}
		app.Pace = 200 * time.Millisecond
		if err := keeper.Vault.SaveApp(t.Context(), app); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Minute)
		if over := about(events.Take(), "stage"); len(over) != 1 || over[0].Kind != venuekey.EventRecovered {
			t.Errorf("told %v", over)
		}
		stop()
		<-ended
		if !strings.Contains(log.String(), "tokens will expire before their turn") {
			t.Error("the log says nothing")
		}
	})
}

// about keeps what was told of a venue.
func about(events []venuekey.Event, venue string) (kept []venuekey.Event) {
	for _, event := range events {
		if event.Status.ID == (venuekey.ID{Venue: venue}) {
			kept = append(kept, event)
		}
	}
	return kept
}

// Where too many have to die, as many live as can.
func TestAnOverloadSavesAsManyAsItCan(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		venue := &crowded{Metered: keepertest.Metered{Venue: keepertest.Venue{Terms: venuekey.Policy{Pace: 4 * time.Second}}}, life: keepertest.Life}
		keeper := keepertest.New(t, &memory.Store{}, venue)
		crowdOf(t, keeper, "user", 300)
		time.Sleep(keepertest.Life) // those are dead
		crowdOf(t, keeper, "second", 300)
		time.Sleep(50 * time.Minute)
		ctx, stop := context.WithTimeout(t.Context(), time.Hour)
		defer stop()
		_ = keeper.Run(ctx)
		if n := len(venue.Asked); n != 600 {
			t.Errorf("%d renewals, want all 600", n)
		}
		// A hundred and fifty turns fit into the ten minutes that the living have.
		if living := 600 - venue.late.Load(); living < 130 {
			t.Errorf("%d were renewed before they died", living)
		}
	})
}

// A venue with one renewal every five minutes delays almost every sign-in.
func TestAnOverloadOfASlowPaceSpeaks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		policy := venuekey.Policy{Pace: 5 * time.Minute, Burst: 3}
		venue := &crowded{Metered: keepertest.Metered{Venue: keepertest.Venue{Terms: policy}}, life: 80 * time.Minute}
		keeper := keepertest.New(t, &memory.Store{}, venue)
		crowdOf(t, keeper, "user", 40)
		time.Sleep(64 * time.Minute)
		events := keepertest.Listen(t, keeper)
		events.Take()
		go func() { _ = keeper.Run(t.Context()) }()
		time.Sleep(9 * time.Minute)
		told := about(events.Take(), "stage")
		if len(told) != 1 || !strings.Contains(told[0].Reason, "one is renewed every 5m, which takes") {
			t.Fatalf("told %v", told)
		}
	})
}
