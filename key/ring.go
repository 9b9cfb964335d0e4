package key

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"runtime"
	"time"

	"github.com/zalando/go-keyring"
)

// ring.go owns the keyring: the operating system's, the time limit on its calls, and the
// key as an item in it.

// Keyring stores small secrets for the user who is logged in. Its methods may hang; each
// is given three seconds.
type Keyring interface {
	// Get returns ErrLost if there is no such item.
	Get(service, account string) (string, error)
	// Set replaces an existing item.
	Set(service, account, secret string) error
	Delete(service, account string) error
}

// service is the name under which the items are filed.
const service = "venuekey"

// patience is how long one call of a keyring may take. A working one answers in
// milliseconds; otherwise it is usually waiting for someone to unlock it, on a screen
// that may not exist.
const patience = 3 * time.Second

// inRing stores keys in a keyring, and nothing but the 32 bytes: keyrings differ in how
// little they can hold.
type inRing struct{ ring Keyring }

func account(id string) string { return "seal-" + id }

func (r inRing) where(id string) string { return "keyring item " + service + "/" + account(id) }

// store first checks with a worthless secret that the keyring stores, returns and deletes
// items: some accept a write and then lose it.
func (r inRing) store(ctx context.Context, id string, key [Size]byte) error {
	probe := "probe-" + rand.Text()
	if err := r.keep(ctx, probe, rand.Text()); err != nil {
		return err
	}
	err := call(ctx, "delete", func() error { return r.ring.Delete(service, probe) })
	if err != nil {
		return err
	}
	return r.keep(ctx, account(id), base64.StdEncoding.EncodeToString(key[:]))
}

// keep writes an item and reads it back.
func (r inRing) keep(ctx context.Context, account, secret string) error {
	if err := call(ctx, "write", func() error { return r.ring.Set(service, account, secret) }); err != nil {
		return err
	}
	read, err := r.get(ctx, account)
	if errors.Is(err, ErrLost) || err == nil && read != secret {
		return errors.New("keyring does not return what was stored in it; choose a key file or a passphrase")
	}
	return err
}

func (r inRing) load(ctx context.Context, id string) (key [Size]byte, err error) {
	secret, err := r.get(ctx, account(id))
	if errors.Is(err, ErrLost) {
		return key, fmt.Errorf("%w: %s is gone; log in as the user who created it, or restore the keyring from a backup", ErrLost, r.where(id))
	}
	if err != nil {
		return key, err
	}
	if !decode(secret, key[:]) {
		return [Size]byte{}, fmt.Errorf("%w: %s holds something else; restore the keyring from a backup", ErrLost, r.where(id))
	}
	return key, nil
}

func (r inRing) discard(id string) {
	// The caller has a more useful error to return.
	_ = call(context.Background(), "delete", func() error { return r.ring.Delete(service, account(id)) })
}

func (r inRing) get(ctx context.Context, account string) (string, error) {
	// The secret goes through a channel, because a call that has been abandoned may still
	// write it.
	secret := make(chan string, 1)
	err := call(ctx, "read", func() error {
		text, err := r.ring.Get(service, account)
		secret <- text
		return err
	})
	if err != nil {
		return "", err
	}
	return <-secret, nil
}

// call runs one call of a keyring, and waits for it no longer than patience.
//
// The call cannot be interrupted, because no keyring's interface allows that. If it
// hangs, its goroutine is left behind until the keyring answers or the program ends.
// There is at most one, because a keyring that hung is not called again.
func call(ctx context.Context, what string, run func() error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	done := make(chan error, 1)
	go func() { done <- run() }()
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case err := <-done:
		if err == nil || errors.Is(err, ErrLost) || errors.Is(err, ErrLocked) {
			return err
		}
		return fmt.Errorf("%w: the keyring does not %s (%w); unlock it and try again", ErrLocked, what, err)
	case <-timer.C:
		return fmt.Errorf("%w: the keyring does not answer (%s, %v); unlock it and try again", ErrLocked, what, patience)
	case <-ctx.Done():
		return ctx.Err()
	}
}

// system is the operating system's keyring: the Keychain, the Credential
// Manager, or the Secret Service.
type system struct{}

// reachable spares a Linux machine without a desktop the attempt: the D-Bus library would
// start a bus without any keyring on it.
func (system) reachable() error {
	if runtime.GOOS == "linux" && os.Getenv("DBUS_SESSION_BUS_ADDRESS") == "" {
		return fmt.Errorf("%w: there is no keyring in this session (DBUS_SESSION_BUS_ADDRESS is not set); run it from the desktop session", ErrLocked)
	}
	return nil
}

func (s system) Get(service, account string) (string, error) {
	if err := s.reachable(); err != nil {
		return "", err
	}
	secret, err := keyring.Get(service, account)
	if errors.Is(err, keyring.ErrNotFound) {
		err = ErrLost
	}
	return secret, err
}

func (s system) Set(service, account, secret string) error {
	if err := s.reachable(); err != nil {
		return err
	}
	return keyring.Set(service, account, secret)
}

func (s system) Delete(service, account string) error {
	if err := s.reachable(); err != nil {
		return err
	}
	return keyring.Delete(service, account)
}
