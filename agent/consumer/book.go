package consumer

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/venuekey/venuekey"
)

// book.go owns what an agent knows of the consumers of its vault, and how old that may be.

const (
	// usuallyFresh is how soon a revocation counts everywhere.
	usuallyFresh = 5 * time.Second
	// mostStale is how long the last list counts while the store does not answer. Programs
	// go on through a restart of a database; a partition does not hide a revocation for
	// longer than this.
	mostStale = 5 * time.Minute
	// againAfter is how long a store that failed is left alone, and readBudget how long it
	// may take.
	againAfter = time.Second
	readBudget = 5 * time.Second
	// longestToken is more than any token of ours has.
	longestToken = 128
)

// Book finds consumers by their tokens. Its methods are safe for concurrent use. Set the
// fields before the first call.
type Book struct {
	// Vault is required.
	Vault *venuekey.Vault
	// Fresh is how old the list of consumers may be, so how long a revoked token still
	// works; zero means 5 s.
	Fresh time.Duration
	// Changed, unless nil, is told of each consumer that was added since the last look at the vault,
	// or revoked, which includes one that is added again under its name. It must not call the Book.
	Changed func(c Consumer, added bool)
	// Log gets what does not open, once; nil means slog.Default.
	Log *slog.Logger

	page atomic.Pointer[page]

	mu     sync.Mutex // held while the vault is read
	failed time.Time
	err    error
	told   map[string]bool
}

// page is the consumers at a time.
type page struct {
	read  time.Time
	fresh bool // nothing is known to have changed since
	all   []Consumer
}

// Find returns the consumer of a token, or ErrUnknown. Any other error is about the store,
// and says nothing of the token. It takes the same time for every token, and reads the
// vault no more often for wrong ones.
func (b *Book) Find(ctx context.Context, token venuekey.Secret) (Consumer, error) {
	all, err := b.list(ctx)
	if err != nil {
		return Consumer{}, err
	}
	var hash [sha256.Size]byte
	if len(token) <= longestToken {
		hash = sha256.Sum256([]byte(token))
	}
	return pick(all, hash)
}

// Still returns the consumer as it is now, with the rights of now, or ErrUnknown if it was
// revoked or has expired: for an answer that goes on, such as a stream of events.
func (b *Book) Still(ctx context.Context, c Consumer) (Consumer, error) {
	all, err := b.list(ctx)
	if err != nil {
		return Consumer{}, err
	}
	return pick(all, c.hash)
}

// pick compares with all, in constant time, and takes none that has expired. A hash of
// zeros, which is that of a consumer whose record has none, finds nothing.
func pick(all []Consumer, hash [sha256.Size]byte) (Consumer, error) {
	at, now := -1, time.Now()
	for i := range all {
		same := subtle.ConstantTimeCompare(all[i].hash[:], hash[:])
		at = subtle.ConstantTimeSelect(same, i, at)
	}
	if at < 0 || hash == [sha256.Size]byte{} || !all[at].Expires.IsZero() && !now.Before(all[at].Expires) {
		return Consumer{}, ErrUnknown
	}
	return all[at], nil
}

// Forget makes the next call read the vault: for an agent whose store says that a
// consumer's record has changed; see [venuekey.IsConsumerKey]. Watch does so.
func (b *Book) Forget() {
	b.mu.Lock() // a reading under way may have missed the change
	defer b.mu.Unlock()
	if p := b.page.Load(); p != nil { // which still counts if the store does not answer
		b.page.Store(&page{read: p.read, all: p.all})
	}
	b.failed = time.Time{}
}

// Watch has consumers that are added, changed or revoked count as soon as the store reports it, until the
// context ends. It returns at once if the store reports nothing: then they count within Fresh.
func (b *Book) Watch(ctx context.Context) {
	watcher, watches := b.Vault.Store.(venuekey.Watcher)
	for watches && ctx.Err() == nil {
		err := watcher.Watch(ctx, func(key string) {
			if venuekey.IsConsumerKey(key) {
				b.Forget()
			}
		})
		if errors.Is(err, errors.ErrUnsupported) {
			return
		}
		again := time.NewTimer(againAfter)
		select {
		case <-again.C:
		case <-ctx.Done():
			again.Stop()
		}
	}
}

// list returns the consumers, which one caller reads for all.
func (b *Book) list(ctx context.Context) ([]Consumer, error) {
	if p := b.page.Load(); p.within(b.fresh()) && p.fresh {
		return p.all, nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	p := b.page.Load()
	if p.within(b.fresh()) && p.fresh {
		return p.all, nil
	}
	if !b.failed.IsZero() && time.Since(b.failed) < againAfter {
		return p.orElse(b.err)
	}
	at := time.Now()
	all, err := b.read(ctx)
	if err != nil {
		if ctx.Err() == nil { // a caller that leaves says nothing about the store
			b.failed, b.err = time.Now(), err
		}
		return p.orElse(err)
	}
	b.failed, b.err = time.Time{}, nil
	b.tellChanges(p, all)
	b.page.Store(&page{at, true, all})
	return all, nil
}

// tellChanges compares a list with the last one, nil for none; b.mu is held.
func (b *Book) tellChanges(last *page, all []Consumer) {
	if b.Changed == nil || last == nil {
		return
	}
	lacks := func(list []Consumer, c Consumer) bool {
		return !slices.ContainsFunc(list, func(one Consumer) bool { return one.Name == c.Name && one.hash == c.hash })
	}
	for _, c := range last.all {
		if lacks(all, c) {
			b.Changed(c, false)
		}
	}
	for _, c := range all {
		if lacks(last.all, c) {
			b.Changed(c, true)
		}
	}
}

// orElse returns a list while it counts, otherwise why there is no newer one.
func (p *page) orElse(err error) ([]Consumer, error) {
	if p.within(mostStale) {
		return p.all, nil
	}
	return nil, err
}

func (b *Book) read(ctx context.Context) (all []Consumer, err error) {
	ctx, cancel := context.WithTimeout(ctx, readBudget)
	defer cancel()
	for c, err := range All(ctx, b.Vault) {
		switch {
		case err == nil:
			all = append(all, c)
		case venuekey.ClassOf(err) == venuekey.ClassDamaged && c.Name != "":
			b.tell(c.Name, err)
		default:
			return nil, err
		}
	}
	return all, nil
}

// tell logs a record that does not open; b.mu is held.
func (b *Book) tell(name string, err error) {
	if b.told[name] {
		return
	}
	if b.told == nil {
		b.told = map[string]bool{}
	}
	b.told[name] = true
	log := b.Log
	if log == nil {
		log = slog.Default()
	}
	log.Error("a consumer's record does not open; it may do nothing", "consumer", name, "error", err)
}

func (b *Book) fresh() time.Duration {
	if b.Fresh > 0 {
		return min(b.Fresh, mostStale)
	}
	return usuallyFresh
}

func (p *page) within(age time.Duration) bool { return p != nil && time.Since(p.read) < age }

// Format implements fmt.Formatter: a Book prints without its vault.
func (b *Book) Format(f fmt.State, _ rune) { fmt.Fprint(f, "consumer.Book") }
