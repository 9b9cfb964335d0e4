package venuekey_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/store/memory"
)

// The stage for stories about the Keeper: a scripted venue that remembers every
// refresh token it was shown, and a store that can be told to refuse.

var alice = venuekey.ID{Venue: "stage", Name: "alice"}

const life = time.Hour

// stageVenue rotates single-use refresh tokens. Before and after run around a
// rotation and may fail it, which loses the answer if it is after.
type stageVenue struct {
	policy        venuekey.Policy
	before, after func(context.Context) error
	// probe says why the venue is not seen to answer; nil means that it is.
	probe func() error

	mu        sync.Mutex
	serial    int
	alive     string
	presented map[string]int
	revoked   []venuekey.Secret
}

func (*stageVenue) Name() string              { return "stage" }
func (v *stageVenue) Policy() venuekey.Policy { return v.policy }

func (v *stageVenue) issue() venuekey.Token {
	v.serial++
	v.alive = fmt.Sprintf("refresh-%d", v.serial)
	now := time.Now()
	return venuekey.Token{Access: venuekey.Secret(fmt.Sprintf("access-%d", v.serial)), Refresh: venuekey.Secret(v.alive), Issued: now, Expires: now.Add(life)}
}

func (v *stageVenue) Login(context.Context, venuekey.App, venuekey.UI) (venuekey.Token, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	token := v.issue()
	token.Extras = map[string]venuekey.Secret{"userId": "7"}
	return token, nil
}

func (v *stageVenue) Refresh(ctx context.Context, _ venuekey.App, token venuekey.Token) (venuekey.Token, error) {
	if v.before != nil {
		if err := v.before(ctx); err != nil {
			return venuekey.Token{}, err
		}
	}
	got, err := v.rotate(token)
	if err == nil && v.after != nil {
		err = v.after(ctx)
	}
	return got, err
}

func (v *stageVenue) rotate(token venuekey.Token) (venuekey.Token, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.presented == nil {
		v.presented = map[string]int{}
	}
	v.presented[string(token.Refresh)]++
	if string(token.Refresh) != v.alive {
		return venuekey.Token{}, &venuekey.Error{Class: venuekey.ClassRefused, Code: "invalid_grant", Reason: "the refresh token was used already"}
	}
	return v.issue(), nil
}

func (v *stageVenue) Probe(context.Context, venuekey.App) error {
	if v.probe == nil {
		return nil
	}
	return v.probe()
}

func (v *stageVenue) Revoke(_ context.Context, _ venuekey.App, token venuekey.Token) error {
	v.revoked = append(v.revoked, token.Refresh)
	return nil
}

// shown is how often any one refresh token was presented, at most.
func (v *stageVenue) shown() (most, total int) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, n := range v.presented {
		most, total = max(most, n), total+n
	}
	return most, total
}

// moodyStore is a store that refuses while it is told to.
type moodyStore struct {
	venuekey.Store
	mu     sync.Mutex
	refuse func(record venuekey.Record) error
}

func (s *moodyStore) Put(ctx context.Context, record venuekey.Record) (int64, error) {
	s.mu.Lock()
	refuse := s.refuse
	s.mu.Unlock()
	if refuse != nil {
		if err := refuse(record); err != nil {
			return 0, err
		}
	}
	return s.Store.Put(ctx, record)
}

// Watch tells of changes if the store below does.
func (s *moodyStore) Watch(ctx context.Context, changed func(string)) error {
	if below, ok := s.Store.(venuekey.Watcher); ok {
		return below.Watch(ctx, changed)
	}
	return errors.ErrUnsupported
}

func (s *moodyStore) turn(refuse func(venuekey.Record) error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refuse = refuse
}

var errDiskFull = errors.New("no space left on device")

// silent is a UI for venues that ask nothing.
type silent struct{ venuekey.UI }

// newKeeper makes a Keeper over the store, as one process would.
func newKeeper(t *testing.T, store venuekey.Store, venue venuekey.Venue) *venuekey.Keeper {
	t.Helper()
	keeper := &venuekey.Keeper{
		Vault:  &venuekey.Vault{Store: store, Key: venuekey.SealKey{1, 2, 3}},
		Venues: []venuekey.Venue{venue},
		Apps:   func(context.Context, string) (venuekey.App, error) { return venuekey.App{Venue: "stage"}, nil },
		Log:    slog.New(slog.NewTextHandler(io.Discard, nil)),
	}
	return keeper
}

// signedIn is a Keeper on a fresh store with alice signed in.
func signedIn(t *testing.T, venue *stageVenue) (*venuekey.Keeper, *moodyStore) {
	t.Helper()
	store := &moodyStore{Store: &memory.Store{}}
	keeper := newKeeper(t, store, venue)
	if _, err := keeper.SignIn(t.Context(), alice, silent{}); err != nil {
		t.Fatal(err)
	}
	return keeper, store
}

func mustToken(t *testing.T, keeper *venuekey.Keeper, want string) {
	t.Helper()
	token, err := keeper.Token(t.Context(), alice)
	if err != nil {
		t.Fatalf("token: %v", err)
	}
	if string(token.Access) != want {
		t.Fatalf("got %s, want %s", string(token.Access), want)
	}
	if token.Refresh != "" {
		t.Fatal("a token that was handed out carries its refresh token")
	}
}

func mustState(t *testing.T, keeper *venuekey.Keeper, want venuekey.State, reason string) {
	t.Helper()
	status, err := keeper.Status(t.Context(), alice)
	if err != nil {
		t.Fatal(err)
	}
	if status.State != want || !strings.Contains(status.Reason, reason) {
		t.Fatalf("state %q because %q, want %q because …%q…", status.State, status.Reason, want, reason)
	}
}
