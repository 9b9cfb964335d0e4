package postgres

import (
	"context"
	"strconv"
	"strings"
	"sync"
	"time"
)

// announce.go owns telling watches what was written.
//
// It is done after the commit. A NOTIFY inside the transaction would make
// writers wait for each other's flush, all of them in the whole server, because
// notifications go out in the order of commits. What is not announced, because
// this program died or the connection did, is noticed by its version, see
// ledger.go; therefore nothing here is tried twice.

const (
	// announcePace is the least time between two announcements of one Store.
	// What is written meanwhile goes out together. It is busyPace after one of
	// crowd changes or more, because announcing takes its share from those who
	// write.
	announcePace = 5 * time.Millisecond
	busyPace     = 10 * time.Millisecond
	crowd        = 16
	// announceTimeout is how long an announcement may take.
	announceTimeout = 2 * time.Second
)

// change is a write: which version it has, and of which key.
type change struct {
	version int64
	key     string
}

// announcer gathers changes and sends them, in a goroutine that ends when there
// are none.
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

// take gives what is waiting; when nothing is, run ends.
func (a *announcer) take() (changes []change) {
	a.mu.Lock()
	defer a.mu.Unlock()
	changes, a.waiting = a.waiting, nil
	a.running = len(changes) > 0
	return changes
}

// finish returns when everything was sent; nothing more is.
func (a *announcer) finish() {
	a.mu.Lock()
	a.ended = true
	a.mu.Unlock()
	a.sending.Wait()
}

// notify sends texts to whoever watches.
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

// linesOf writes changes as lines, "version key" each, in as few texts as will
// do. A key that is no line, or too long, is left out: who knows a version
// without a key looks at everything.
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

// changesIn reads such a text. A line that cannot be read is passed over: if it
// told of a write, its version will be missed.
func changesIn(text string) (changes []change) {
	for line := range strings.Lines(text) {
		number, key, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		if version, err := strconv.ParseInt(number, 10, 64); err == nil {
			changes = append(changes, change{version, key})
		}
	}
	return changes
}
