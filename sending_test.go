package venuekey_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/internal/keepertest"
	"github.com/venuekey/venuekey/venue/ctrader"
)

// sending_test.go owns programs that are told to end, or fall asleep, before a renewal
// presents anything.

// ends sees that a program which is told to end does so at once, and has presented
// nothing.
func ends(t *testing.T, keeper *venuekey.Keeper, store *keepertest.Store, venue *keepertest.Venue) {
	t.Helper()
	ctx, told := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		_, err := keeper.Refresh(ctx, keepertest.Alice)
		done <- err
	}()
	time.Sleep(time.Second)
	synctest.Wait()
	before, _ := store.Get(t.Context(), "token/"+keepertest.Alice.String())
	told()
	begun := time.Now()
	keeper.Leave()
	if err := keeper.Close(); err != nil {
		t.Error(err)
	}
	if took := time.Since(begun); took > time.Second {
		t.Errorf("it takes %s to end", took)
	}
	if err := <-done; venuekey.ClassOf(err) != venuekey.ClassLater {
		t.Errorf("the caller is told: %v", err)
	}
	if _, total := venue.Shown(); total != 0 {
		t.Errorf("%d presentations", total)
	}
	if after, err := store.Get(t.Context(), "token/"+keepertest.Alice.String()); err != nil || after.Version != before.Version {
		t.Errorf("the record was written to: version %d, then %d (%v)", before.Version, after.Version, err)
	}
}

func TestAProgramThatWaitsForAnotherEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		venue := &keepertest.Venue{}
		keeper, store := keepertest.SignedIn(t, venue)
		record, err := store.Get(t.Context(), "token/"+keepertest.Alice.String())
		if err != nil {
			t.Fatal(err)
		}
		record.LeaseOwner, record.LeaseUntil = "another", time.Now().Add(time.Minute)
		if _, err := store.Put(t.Context(), record); err != nil {
			t.Fatal(err)
		}
		ends(t, keeper, store, venue)
		// It is good for more afterwards.
		if _, err := keeper.Refresh(t.Context(), keepertest.Alice); err != nil {
			t.Error(err)
		}
	})
}

// What says who the app is may be a pipe that nobody writes to.
func TestAProgramThatWaitsForItsAppEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		venue := &keepertest.Venue{}
		keeper, store := keepertest.SignedIn(t, venue)
		keeper.Apps = func(ctx context.Context, _ string) (venuekey.App, error) {
			<-ctx.Done()
			return venuekey.App{}, ctx.Err()
		}
		ends(t, keeper, store, venue)
	})
}

// What was begun is not given up.
func TestAProgramThatHasPresentedDoesNotLeave(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		venue := &keepertest.Venue{Before: func(ctx context.Context) error { time.Sleep(3 * time.Second); return ctx.Err() }}
		keeper, _ := keepertest.SignedIn(t, venue)
		ctx, told := context.WithCancel(t.Context())
		go func() { _, _ = keeper.Refresh(ctx, keepertest.Alice) }()
		time.Sleep(time.Second)
		told()
		keeper.Leave()
		if err := keeper.Close(); err != nil {
			t.Error(err)
		}
		keepertest.WantToken(t, keeper, "access-2")
		if most, total := venue.Shown(); most != 1 || total != 1 {
			t.Errorf("%d presentations, one token up to %d times", total, most)
		}
	})
}

// A program that is told to end may have asked for nothing yet. The race detector
// is who sees this fail.
func TestAProgramThatDidNothingLeaves(t *testing.T) {
	for range 100 {
		keeper := &venuekey.Keeper{}
		var both sync.WaitGroup
		both.Go(keeper.Leave)
		both.Go(func() { keeper.Held() })
		if err := keeper.Close(); err != nil {
			t.Error(err)
		}
		both.Wait()
	}
}

// A machine that sleeps after its claim, in the middle of the TLS handshake, sends
// nothing when it wakes: somebody else may have renewed the token by now.
func TestWhoSleepsInTheHandshakePresentsNothing(t *testing.T) {
	for name, own := range map[string]bool{"over its own transport": true, "over one that was given": false} {
		t.Run(name, func(t *testing.T) {
			var asleep atomic.Bool
			var shown atomic.Int32
			server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				shown.Add(1)
				_, _ = w.Write([]byte(`{"accessToken":"a","refreshToken":"r"}`))
			}))
			server.TLS = &tls.Config{GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) {
				asleep.Store(true) // the lid closes while the server answers
				return nil, nil
			}}
			server.StartTLS()
			defer server.Close()
			venue := ctrader.Venue{TokenURL: server.URL}
			app := venuekey.App{ClientID: "c", ClientSecret: "s"}
			if own {
				certificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
				app.Params = map[string]venuekey.Secret{"ca": venuekey.Secret(certificate)}
			} else {
				pool := x509.NewCertPool()
				pool.AddCert(server.Certificate())
				venue.Transport = &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}, DisableKeepAlives: true}
			}
			held := &venuekey.Error{Class: venuekey.ClassNotSent, Reason: "this machine stood still"}
			ctx := venuekey.WithSending(t.Context(), func() error {
				if asleep.Load() {
					return held
				}
				return nil
			})
			_, err := venue.Refresh(ctx, app, venuekey.Token{Refresh: "once"})
			if venuekey.ClassOf(err) != venuekey.ClassNotSent || shown.Load() != 0 || err.Error() != held.Error() {
				t.Fatalf("presented %d times: %v", shown.Load(), err)
			}
			if _, err := venue.Refresh(t.Context(), app, venuekey.Token{Refresh: "once"}); err != nil || shown.Load() != 1 {
				t.Fatalf("outside a renewal: %v", err)
			}
		})
	}
}

// Who closes may ask for a renewal in the same moment. It is waited for or refused by
// the venue like any other; what must not happen is that waiting for it goes wrong.
func TestAProgramThatAsksWhileItCloses(t *testing.T) {
	for range 50 {
		keeper, _ := keepertest.SignedIn(t, &keepertest.Venue{})
		var both sync.WaitGroup
		both.Go(func() { _, _ = keeper.Refresh(t.Context(), keepertest.Alice) })
		if err := keeper.Close(); err != nil {
			t.Error(err)
		}
		both.Wait()
		if err := keeper.Close(); err != nil { // and what it began after that is over
			t.Error(err)
		}
	}
}
