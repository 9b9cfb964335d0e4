package key

import (
	"context"
	"encoding/base64"
	"errors"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/zalando/go-keyring"
)

// ring_test.go owns keyrings: one that can be made to fail in every way, and
// the operating system's behind go-keyring's stand-in.

// ring is a keyring in memory with knobs.
type ring struct {
	mu      sync.Mutex
	items   map[string]string
	calls   int
	refuse  error         // every call answers this
	forgets bool          // Set does nothing
	garbles bool          // Get answers something else
	hang    chan struct{} // every call waits until it is closed
}

func newRing() *ring { return &ring{items: map[string]string{}} }

func (r *ring) enter() error {
	if r.hang != nil {
		<-r.hang
	}
	r.mu.Lock()
	r.calls++
	return r.refuse
}

func (r *ring) Get(service, account string) (string, error) {
	err := r.enter()
	defer r.mu.Unlock()
	secret, ok := r.items[service+"/"+account]
	if err == nil && !ok {
		err = ErrLost
	}
	if r.garbles {
		secret = "x" + secret
	}
	return secret, err
}

func (r *ring) Set(service, account, secret string) error {
	err := r.enter()
	defer r.mu.Unlock()
	if err == nil && !r.forgets {
		r.items[service+"/"+account] = secret
	}
	return err
}

func (r *ring) Delete(service, account string) error {
	err := r.enter()
	defer r.mu.Unlock()
	delete(r.items, service+"/"+account)
	return err
}

// fill replaces the secret of every item.
func (r *ring) fill(secret string) {
	for name := range r.items {
		r.items[name] = secret
	}
}

func (r *ring) count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.items)
}

// The keyring holds one item, the key and nothing else; the probe is gone.
func TestRingHoldsOnlyTheKey(t *testing.T) {
	c := config(t)
	key, info := mustCreate(t, c, ChoiceKeyring)
	r := c.Keyring.(*ring)
	if len(r.items) != 1 || info.Where != "keyring item venuekey/seal-"+info.ID {
		t.Errorf("keyring: %d items, want one at %s", len(r.items), info.Where)
	}
	if got := r.items["venuekey/seal-"+info.ID]; got != base64.StdEncoding.EncodeToString(key[:]) {
		t.Error("keyring item is not the key in base64")
	}
}

// A keyring that hangs costs three seconds and is not asked a second time.
func TestHangingRing(t *testing.T) {
	for _, test := range []struct {
		name string
		run  func(ctx context.Context, c Config) error
		want error
		took time.Duration
	}{
		{"load", func(ctx context.Context, c Config) error { _, _, err := c.Load(ctx); return err }, ErrLocked, patience},
		{"load that is cancelled", func(ctx context.Context, c Config) error {
			ctx, cancel := context.WithTimeout(ctx, time.Second)
			defer cancel()
			_, _, err := c.Load(ctx)
			return err
		}, context.DeadlineExceeded, time.Second},
		{"create", func(ctx context.Context, c Config) error {
			c.Dir += "-new"
			_, _, err := c.Create(ctx, ChoiceKeyring)
			return err
		}, ErrLocked, patience},
		{"automatic create", func(ctx context.Context, c Config) error {
			c.Dir += "-new"
			_, info, err := c.Create(ctx, ChoiceAutomatic)
			if err == nil && (info.Choice != ChoiceFile || !strings.Contains(info.Note, "does not answer")) {
				err = errors.New("want a file and a note why, got " + info.Where + " " + info.Note)
			}
			return err
		}, nil, patience},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := config(t)
				mustCreate(t, c, ChoiceKeyring)
				r := c.Keyring.(*ring)
				r.calls, r.hang = 0, make(chan struct{})
				begun := time.Now()
				if err := test.run(t.Context(), c); !errors.Is(err, test.want) {
					t.Errorf("%v, want %v", err, test.want)
				}
				if took := time.Since(begun); took != test.took {
					t.Errorf("took %v, want %v", took, test.took)
				}
				close(r.hang) // the call that was left behind ends
				synctest.Wait()
				if r.calls != 1 {
					t.Errorf("keyring was called %d times, want once", r.calls)
				}
			})
		})
	}
}

func TestCancelledBeforehand(t *testing.T) {
	c := config(t)
	mustCreate(t, c, ChoiceKeyring)
	c.Keyring.(*ring).calls = 0
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := c.Load(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("load: %v", err)
	}
	c.Dir += "-new"
	if _, _, err := c.Create(ctx, ChoiceAutomatic); !errors.Is(err, context.Canceled) {
		t.Errorf("create: %v", err)
	}
	if calls := c.Keyring.(*ring).calls; calls != 0 {
		t.Errorf("keyring was called %d times", calls)
	}
}

func TestSystemRing(t *testing.T) {
	t.Setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent")
	keyring.MockInit()
	c := config(t)
	c.Keyring = nil
	key, info := mustCreate(t, c, ChoiceAutomatic)
	if loaded, again, err := c.Load(t.Context()); err != nil || loaded != key || again != info || info.Choice != ChoiceKeyring {
		t.Errorf("load: %+v (%v)", again, err)
	}

	keyring.MockInit() // empties it
	_, _, err := c.Load(t.Context())
	wants(t, "load from an emptied keyring", err, ErrLost, "restore the keyring")

	keyring.MockInitWithError(errors.New("the name is not activatable"))
	_, _, err = c.Load(t.Context())
	wants(t, "load from a broken keyring", err, ErrLocked, "not activatable")
}

// Without a session bus there is nothing to try, and nothing is tried.
func TestNoSession(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux has its keyring behind D-Bus")
	}
	keyring.MockInit() // would answer if it were asked
	t.Setenv("DBUS_SESSION_BUS_ADDRESS", "")
	c := config(t)
	c.Keyring = nil
	_, _, err := c.Create(t.Context(), ChoiceKeyring)
	wants(t, "create", err, ErrLocked, "DBUS_SESSION_BUS_ADDRESS")
	if _, info := mustCreate(t, c, ChoiceAutomatic); info.Choice != ChoiceFile || !strings.Contains(info.Note, "DBUS_SESSION_BUS_ADDRESS") {
		t.Errorf("create: %+v", info)
	}
}
