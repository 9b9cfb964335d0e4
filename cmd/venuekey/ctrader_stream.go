package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/venuekey/venuekey/terminal"
	"github.com/venuekey/venuekey/venue/ctrader/openapi"
	"github.com/venuekey/venuekey/venue/ctrader/openapi/message"
)

// ctrader_stream.go owns the stream of quotes.

func (p *program) ctraderStreamCmd() *cobra.Command {
	var wanted int64
	var latest bool
	cmd := &cobra.Command{
		Use:   "stream ID SYMBOL...",
		Short: "Stream quotes: a live table, or JSON lines in a pipe",
		Long: `Stream the quotes of symbols until Ctrl-C: a live table on a terminal, and a
line of JSON for each change in a pipe. It continues through renewals of the
token and lost connections; lost connections are reported on standard error.

In a pipe no quote is dropped: a reader that is too slow for long makes the
connection wait. With --latest it gets the newest quote of each symbol instead,
and the number of dropped quotes is printed at the end.

Prices are exact decimal texts.`,
		Example: `  venuekey ctrader stream ctrader/alice EURUSD XAUUSD --account 5001
  venuekey ctrader stream ctrader/alice EURUSD --account 5001 | jq -r .bid`,
		Args:              leastArgs(2, "an ID and at least one symbol"),
		ValidArgsFunction: p.completeIDs,
		RunE: func(cmd *cobra.Command, args []string) error {
			err := p.onAccount(cmd.Context(), args[0], wanted, p.tellPhase(), func(ctx context.Context, c *openapi.Client, account message.CtidTraderAccount) error {
				return p.stream(ctx, c, int64(account.CtidTraderAccountID), args[1:], latest)
			})
			if cmd.Context().Err() != nil {
				return nil // Ctrl-C is the way to end it
			}
			return err
		},
	}
	accountFlag(cmd, &wanted)
	cmd.Flags().BoolVar(&latest, "latest", false, "drop outdated quotes in a pipe too")
	return cmd
}

// tellPhase reports a lost connection, and when it is connected again.
func (p *program) tellPhase() func(openapi.State) {
	lost := false
	return func(s openapi.State) {
		switch {
		case s.Phase == openapi.PhaseWaiting && s.Err != nil:
			lost = true
			p.tell("connection lost (%v); next try at %s", s.Err, s.Until.Local().Format(time.TimeOnly))
		case s.Phase == openapi.PhaseReady && lost:
			lost = false
			p.tell("connected again")
		}
	}
}

// quoteTime is RFC 3339 with milliseconds, as the API has them.
const quoteTime = "2006-01-02T15:04:05.000Z07:00"

// quoteJSON is a quote as a program reads it.
type quoteJSON struct {
	Time   string `json:"time"`
	Symbol string `json:"symbol"`
	ID     int64  `json:"symbol_id"`
	Bid    string `json:"bid,omitempty"`
	Ask    string `json:"ask,omitempty"`
}

// update applies an event: a side that is absent did not change.
func (q *quoteJSON) update(event *message.SpotEvent) {
	if bid, ok := event.Bid.Get(); ok {
		q.Bid = message.FormatPrice(bid)
	}
	if ask, ok := event.Ask.Get(); ok {
		q.Ask = message.FormatPrice(ask)
	}
	at := time.Now()
	if stamp, ok := event.Timestamp.Get(); ok {
		at = message.Time(stamp)
	}
	q.Time = at.UTC().Format(quoteTime)
}

// streamRoom is how many quotes may wait for a slow reader of a pipe. After that the
// connection waits, and so does the service, which may then close it.
const streamRoom = 1 << 18

func (p *program) stream(ctx context.Context, c *openapi.Client, account int64, wanted []string, latest bool) error {
	symbols, err := symbolsOf(ctx, c, account)
	if err != nil {
		return err
	}
	if symbols, err = named(symbols, wanted); err != nil {
		return err
	}
	quotes := make([]*quoteJSON, 0, len(symbols))
	byID := map[int64]*quoteJSON{}
	var ids []int64
	for _, s := range symbols {
		if byID[s.ID] != nil {
			continue
		}
		byID[s.ID] = &quoteJSON{Symbol: s.Name, ID: s.ID}
		quotes, ids = append(quotes, byID[s.ID]), append(ids, s.ID)
	}
	spots, err := c.Spots(ctx, account, ids, openapi.Buffer{Size: streamRoom, Block: true})
	if err != nil {
		return err
	}
	defer spots.Close()
	dropped := 0
	if _, screen := terminal.Of(p.stdout); screen && !p.json {
		_, err = latestOf(ctx, spots, byID, p.tableOf(quotes))
	} else if latest {
		dropped, err = latestOf(ctx, spots, byID, p.writeQuotes)
	} else {
		dropped, err = p.writeAll(ctx, spots, byID)
	}
	if dropped > 0 {
		p.tell("%d quotes were dropped: the reader is too slow", dropped)
	}
	return err
}

type spotStream = openapi.Stream[*message.SpotEvent]

// writeAll writes a line for every quote, and returns how many were left when it ended.
func (p *program) writeAll(ctx context.Context, spots *spotStream, byID map[int64]*quoteJSON) (left int, err error) {
	for {
		event, err := spots.Next(ctx)
		if err == nil {
			quote := byID[event.SymbolID]
			quote.update(event)
			err = p.writeQuotes([]quoteJSON{*quote})
		}
		if err != nil {
			return rest(spots), err
		}
	}
}

// rest closes a stream and returns how many events were left in it.
func rest(spots *spotStream) (n int) {
	spots.Close()
	for {
		if _, err := spots.Next(context.Background()); err != nil {
			return n
		}
		n++
	}
}

func (p *program) writeQuotes(quotes []quoteJSON) error {
	for _, quote := range quotes {
		line, err := jsonLine(quote)
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintf(p.stdout, "%s\n", line); err != nil {
			return err
		}
	}
	return nil
}
