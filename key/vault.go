package key

import (
	"context"
	"sync"

	"github.com/venuekey/venuekey"
)

// vault.go owns the vault that follows a rotation of its keys.

// Vault returns the vault over a store, with all keys, and describes the one that seals.
// Errors are those of Load.
//
// The vault follows a rotation while the program runs: when it finds a seal by an unknown
// key, it reads the keys again. That asks for the passphrase once more.
func (c Config) Vault(ctx context.Context, store venuekey.Store) (*venuekey.Vault, Info, error) {
	raw, info, err := c.askingOnce().LoadAll(ctx)
	if err != nil {
		return nil, info, err
	}
	keys := sealing(raw)
	vault := &venuekey.Vault{Store: store, Keys: keys}
	for _, k := range keys {
		if k.ID() == info.ID {
			vault.Key = k
		}
	}
	// The vault may outlive the context that it was opened with.
	ctx = context.WithoutCancel(ctx)
	vault.Reload = func() ([]venuekey.SealKey, error) {
		raw, _, err := c.askingOnce().LoadAll(ctx)
		return sealing(raw), err
	}
	return vault, info, nil
}

// askingOnce asks for the passphrase once for all keys, which share one.
func (c Config) askingOnce() Config {
	if ask := c.Passphrase; ask != nil {
		var once sync.Once
		var passphrase string
		var err error
		c.Passphrase = func(ctx context.Context) (string, error) {
			once.Do(func() { passphrase, err = ask(ctx) })
			return passphrase, err
		}
	}
	return c
}

func sealing(raw [][Size]byte) (keys []venuekey.SealKey) {
	for _, k := range raw {
		keys = append(keys, venuekey.SealKey(k))
	}
	return keys
}
