package postgres

import (
	"context"
	"strconv"
	"strings"
	"sync"
	"time"
)

// announce.go owns the announcement of writes to watches.
//
// Announcements are made after the commit. A NOTIFY inside the transaction would make all
// writers on the server wait for each other's flush, because notifications are delivered
// in commit order. A write that is not announced, because this program or its connection
// died, is noticed by its version, see ledger.go; therefore nothing here is retried.

const (
	// announcePace is the least time between two announcements of one Store; writes in
	// between are announced together. It is busyPace after an announcement of crowd
	// changes or more, because announcing slows the writers down.
	announcePace = 5 * time.Millisecond
	busyPace     = 10 * time.Millisecond
	crowd        = 16
	// announceTimeout bounds one announcement.
	announceTimeout = 2 * time.Second
)

// change is a write: its version and its key.
type change struct {
	version int64
	key     string
}

// announcer collects changes and sends them, in a goroutine that ends when there are
// none.
type announcer struct {
	send func(ctx context.Context, texts []string) error

	mu      sync.Mutex
	waiting []change
	running bool
	ended   bool
	sending sync.WaitGroup
}

func (a *announcer) tell(changes ...change) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(changes) == 0 || a.ended {
		return
	}
	a.waiting = append(a.waiting, changes...)
	if !a.running {
		a.running = true
		a.sending.Go(a.run)
	}
}

func (a *announcer) run() {
	for changes := a.take(); len(changes) > 0; changes = a.take() {
		pace := announcePace
		if len(changes) >= crowd {
			pace = busyPace
		}
		next := time.NewTimer(pace)
		ctx, cancel := context.WithTimeout(context.Background(), announceTimeout)
		_ = a.send(ctx, linesOf(changes)) // see above
		cancel()
		<-next.C
	}
}

// take returns the waiting changes; if there are none, run ends.
func (a *announcer) take() (changes []change) {
	a.mu.Lock()
	defer a.mu.Unlock()
	changes, a.waiting = a.waiting, nil
	a.running = len(changes) > 0
	return changes
}

// finish waits until everything has been sent; later changes are dropped.
func (a *announcer) finish() {
	a.mu.Lock()
	a.ended = true
	a.mu.Unlock()
	a.sending.Wait()
}

// notify sends texts to the watches.
func (s *Store) notify(ctx context.Context, texts []string) error {
	payloads := make([]string, len(texts))
	for i, text := range texts {
		payloads[i] = s.whisper.seal(text)
	}
	return s.attempt(ctx, func(ctx context.Context, c session) error {
		_, err := c.Exec(ctx, announce, c.mode, s.whisper.channel, payloads)
		return err
	})
}

// linesOf writes changes as lines of "version key", in as few texts as possible. A key
// that contains a newline or is too long is left out: a watch that gets a version without
// a key reports that anything may have changed.
func linesOf(changes []change) (texts []string) {
	var text strings.Builder
	for _, c := range changes {
		if strings.ContainsAny(c.key, "\n") || len(c.key) > textSize/2 {
			c.key = ""
		}
		line := strconv.FormatInt(c.version, 10) + " " + c.key + "\n"
		if text.Len()+len(line) > textSize {
			texts = append(texts, text.String())
			text.Reset()
		}
		text.WriteString(line)
	}
	return append(texts, text.String())
}

// changesIn parses such a text. It skips unreadable lines: if one announced a write, its
// version will be found missing.
func changesIn(text string) (changes []change) {
	for line := range strings.Lines(text) {
		number, key, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		if version, err := strconv.ParseInt(number, 10, 64); err == nil {
			changes = append(changes, change{version, key})
		}
	}
	return changes
}
