package agent_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/agent"
	"github.com/venuekey/venuekey/internal/keepertest"
	"github.com/venuekey/venuekey/store/memory"
)

// suspend_test.go plays what takes long, in virtual time: a machine that sleeps under a running agent, and
// monitors that ask without end.

// handed is the part of an answer that says which token it is.
type handed struct {
	Access     string    `json:"access_token"`
	Generation int64     `json:"generation"`
	Expires    time.Time `json:"expires_at"`
}

// asks has a server answer a GET, without a connection.
func asks(t *testing.T, server http.Handler, path string) (token handed, status int) {
	t.Helper()
	answer := httptest.NewRecorder()
	server.ServeHTTP(answer, httptest.NewRequest("GET", path, nil).WithContext(t.Context()))
	if answer.Code == http.StatusOK && strings.HasPrefix(path, "/v1/token/") {
		if err := json.Unmarshal(answer.Body.Bytes(), &token); err != nil {
			t.Fatal(err)
		}
	}
	return token, answer.Code
}

// A machine sleeps longer than the token lives. Whoever asks after that gets a token that is good then,
// whoever waited meanwhile too, and the refresh token was presented once for each.
func TestAttackAMachineThatSleepsUnderAnAgent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		venue := &keepertest.Venue{}
		keeper := keepertest.New(t, &memory.Store{}, venue)
		server := &agent.Server{Keeper: keeper}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- server.Serve(ctx) }()
		if _, err := keeper.SignIn(t.Context(), alice, keepertest.NoUI{}); err != nil {
			t.Fatal(err)
		}
		before, status := asks(t, server, "/v1/token/stage/alice")
		if status != http.StatusOK || before.Generation == 0 {
			t.Fatalf("%+v %d", before, status)
		}
		for range 3 {
			waiting := make(chan handed, 1)
			go func() {
				token, _ := asks(t, server, "/v1/token/stage/alice?wait=30s&newer_than="+jsonOf(before.Generation))
				waiting <- token
			}()
			synctest.Wait()
			time.Sleep(5 * keepertest.Life) // and nothing was asked for, or renewed
			after, status := asks(t, server, "/v1/token/stage/alice")
			if status != http.StatusOK || after.Generation != before.Generation+1 || time.Until(after.Expires) < keepertest.Life/2 {
				t.Errorf("after the sleep: %+v %d, before %+v", after, status, before)
			}
			<-waiting // with the newer one, or with nothing after half a minute
			before = after
		}
		if most, total := venue.Shown(); most != 1 || total != 3 {
			t.Errorf("%d presentations, one token up to %d times", total, most)
		}
		events := httptest.NewRecorder()
		listening, stop := context.WithTimeout(t.Context(), time.Second)
		defer stop()
		server.ServeHTTP(events, httptest.NewRequest("GET", "/v1/events", nil).WithContext(listening))
		if !strings.Contains(events.Body.String(), `"generation":`+jsonOf(before.Generation)) {
			t.Error(events.Body)
		}
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

func jsonOf(v any) string { text, _ := json.Marshal(v); return string(text) }

// slowStore takes a second for each list of records, and counts them.
type slowStore struct {
	venuekey.Store
	lists atomic.Int64
}

func (s *slowStore) List(ctx context.Context, prefix, after string, limit int) ([]venuekey.Record, error) {
	s.lists.Add(1)
	time.Sleep(time.Second)
	return s.Store.List(ctx, prefix, after, limit)
}

// Monitors that ask without end cost a large vault a twentieth of the time, and see a state that is that
// much older.
func TestAttackMonitorsThatNeverStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		venue := &keepertest.Venue{}
		below := &memory.Store{}
		if _, err := keepertest.New(t, below, venue).SignIn(t.Context(), alice, keepertest.NoUI{}); err != nil {
			t.Fatal(err)
		}
		store := &slowStore{Store: below}
		server := &agent.Server{Keeper: keepertest.New(t, store, venue)}
		var all sync.WaitGroup
		began := time.Now()
		for range 10 {
			all.Go(func() {
				for time.Since(began) < 5*time.Minute {
					for _, path := range []string{"/readyz", "/metrics"} {
						if _, status := asks(t, server, path); status != http.StatusOK {
							t.Errorf("%s: %d", path, status)
						}
					}
					time.Sleep(time.Second)
				}
			})
		}
		all.Wait()
		if lists := store.lists.Load(); lists > 40 {
			t.Errorf("the vault was read %d times in five minutes", lists)
		}
	})
}

// Rights that are taken away while somebody waits for a token, or listens, are gone when there is one.
func TestAttackRightsThatEndWhileSomebodyWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		keeper, _ := keepertest.SignedIn(t, &keepertest.Venue{})
		var revoked atomic.Bool
		told := make(chan string, 10)
		server := &agent.Server{Keeper: keeper,
			Admit: func(r *http.Request) (*http.Request, error) {
				if revoked.Load() {
					return nil, errors.New("the token is wrong, revoked or expired")
				}
				return r, nil
			},
			Allow: func(*http.Request, venuekey.ID, agent.Verb) error {
				if revoked.Load() {
					return agent.ErrForbidden
				}
				return nil
			},
			Told: func(_ *http.Request, _ venuekey.ID, verb agent.Verb, generation int64, outcome error) error {
				told <- fmt.Sprintf("%s %d %v", verb, generation, outcome)
				return nil
			},
		}
		before, _ := asks(t, server, "/v1/token/stage/alice")
		<-told
		waiting := make(chan int, 1)
		go func() {
			token, status := asks(t, server, "/v1/token/stage/alice?wait=60s&newer_than="+jsonOf(before.Generation))
			if token.Access != "" {
				t.Error("it got a token")
			}
			waiting <- status
		}()
		listening := make(chan string, 1)
		go func() {
			events := httptest.NewRecorder()
			server.ServeHTTP(events, httptest.NewRequest("GET", "/v1/events", nil).WithContext(t.Context()))
			listening <- events.Body.String()
		}()
		synctest.Wait()
		revoked.Store(true)
		if _, err := keeper.Refresh(t.Context(), alice); err != nil {
			t.Fatal(err)
		}
		if status := <-waiting; status != http.StatusNotFound {
			t.Errorf("who waited got %d", status)
		}
		if said := <-told; said != "token 0 forbidden" {
			t.Errorf("told %s", said)
		}
		if heard := <-listening; strings.Contains(heard, `"rotated"`) {
			t.Errorf("who listened heard %s", heard)
		}
	})
}
