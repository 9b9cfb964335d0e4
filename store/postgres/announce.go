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
	// payloadSize is how many bytes PostgreSQL takes in one notification, less
	// a reserve.
	payloadSize = 7900
)

// change is a write: which version it has, and of which key.
type change struct {
	version int64
	key     string
}

// announcer gathers changes and sends them, in a goroutine that ends when there
// are none.
type announcer struct {
	send func(ctx context.Context, payloads []string) error

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
		_ = a.send(ctx, payloads(changes)) // see above
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

// notify sends payloads to whoever watches.
func (s *Store) notify(ctx context.Context, payloads []string) error {
	return s.attempt(ctx, func(ctx context.Context, c session) error {
		_, err := c.Exec(ctx, announce, c.mode, s.schema, payloads)
		return err
	})
}

// payloads writes changes as lines, "version key" each, in as few
// notifications as will do. A key that is no line, or too long, is left out:
// who knows a version without a key looks at everything.
func payloads(changes []change) (payloads []string) {
	var text strings.Builder
	for _, c := range changes {
		if strings.ContainsAny(c.key, "\n") || len(c.key) > payloadSize/2 {
			c.key = ""
		}
		line := strconv.FormatInt(c.version, 10) + " " + c.key + "\n"
		if text.Len()+len(line) > payloadSize {
			payloads = append(payloads, text.String())
			text.Reset()
		}
		text.WriteString(line)
	}
	return append(payloads, text.String())
}

// changesIn reads a payload. What cannot be read is a change of anything.
func changesIn(payload string) (changes []change) {
	if payload == "" {
		return []change{{}}
	}
	for line := range strings.Lines(payload) {
		number, key, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		version, err := strconv.ParseInt(number, 10, 64)
		if err != nil {
			key = ""
		}
		changes = append(changes, change{version, key})
	}
	return changes
}
