package main

import (
	"context"
	"fmt"
	"sync"

	"github.com/venuekey/venuekey/venue/ctrader/openapi/message"
)

// ctrader_latest.go owns quotes for a reader that needs only the newest of each symbol: a
// terminal, or a pipe with --latest. Older quotes are merged and not skipped, because each
// says only what changed.

// board has the newest quote of each symbol.
type board struct {
	mu        sync.Mutex
	quotes    map[int64]*quoteJSON
	changed   []int64 // since the last look, in the order of the changes
	overtaken int
	more      chan struct{} // holds one while something changed
}

func (b *board) take(event *message.SpotEvent) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.quotes[event.SymbolID].update(event)
	for _, id := range b.changed {
		if id == event.SymbolID {
			b.overtaken++
			return
		}
	}
	b.changed = append(b.changed, event.SymbolID)
	select {
	case b.more <- struct{}{}:
	default:
	}
}

// look returns what changed since the last look.
func (b *board) look() []quoteJSON {
	b.mu.Lock()
	defer b.mu.Unlock()
	quotes := make([]quoteJSON, len(b.changed))
	for i, id := range b.changed {
		quotes[i] = *b.quotes[id]
	}
	b.changed = nil
	return quotes
}

// latestOf shows the newest quotes as fast as show can take them, and returns how many were
// overtaken.
func latestOf(ctx context.Context, spots *spotStream, byID map[int64]*quoteJSON, show func([]quoteJSON) error) (overtaken int, err error) {
	ctx, cancel := context.WithCancel(ctx)
	b := &board{quotes: byID, more: make(chan struct{}, 1)}
	ended := make(chan error, 1)
	go func() {
		for {
			event, err := spots.Next(ctx)
			if err != nil {
				ended <- err
				return
			}
			b.take(event)
		}
	}()
	for err == nil {
		select {
		case <-b.more:
			err = show(b.look())
		case err = <-ended:
			ended <- err
		}
	}
	cancel()
	<-ended
	return b.overtaken, err
}

// tableOf returns a function that redraws all quotes when some of them changed.
func (p *program) tableOf(quotes []*quoteJSON) func([]quoteJSON) error {
	all := make([]quoteJSON, len(quotes))
	for i, q := range quotes {
		all[i] = *q
	}
	return func(changed []quoteJSON) error {
		shown := table{heading: []string{"SYMBOL", "BID", "ASK", "TIME"}}
		for i := range all {
			for _, q := range changed {
				if q.ID == all[i].ID {
					all[i] = q
				}
			}
			q := all[i]
			shown.add(cell{q.Symbol, bold}, cell{orDash(q.Bid), red}, cell{orDash(q.Ask), green}, cell{q.Time, faint})
		}
		fmt.Fprint(p.stdout, "\x1b[H\x1b[2J")
		shown.write(p.stdout, p.style())
		return nil
	}
}
