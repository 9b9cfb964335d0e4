package key

import (
	"context"
	"sync"

	"github.com/venuekey/venuekey"
)

// vault.go owns the vault that follows when its keys are rotated.

// Vault gives the vault over a store, with every key that is remembered, and
// tells of the one that seals. It is ErrNoKey if none was made.
//
// The vault follows a rotation while the program runs: when it comes upon a seal
// of a key that it does not know, the keys are read again. A passphrase is then
// asked for once more.
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
	// The program goes on when what it was started under is over.
	ctx = context.WithoutCancel(ctx)
	vault.Reload = func() ([]venuekey.SealKey, error) {
		raw, _, err := c.askingOnce().LoadAll(ctx)
		return sealing(raw), err
	}
	return vault, info, nil
}

// askingOnce asks for the passphrase once for all keys, which are under the same.
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
