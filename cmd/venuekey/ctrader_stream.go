package main

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/venuekey/venuekey/terminal"
	"github.com/venuekey/venuekey/venue/ctrader/openapi"
	"github.com/venuekey/venuekey/venue/ctrader/openapi/message"
)

// ctrader_stream.go owns quotes as they come.

func (p *program) ctraderStreamCmd() *cobra.Command {
	var wanted int64
	cmd := &cobra.Command{
		Use:   "stream ID SYMBOL...",
		Short: "Stream quotes: a live table, or JSON lines in a pipe",
		Long: `Stream the quotes of symbols until Ctrl-C: a live table on a terminal, and in a
pipe a line of JSON for each change. It goes on through renewals of the token and
lost connections, and says so on standard error.

Prices are decimal texts, without a digit lost.`,
		Example: `  venuekey ctrader stream ctrader/alice EURUSD XAUUSD
  venuekey ctrader stream ctrader/alice EURUSD | jq -r .bid`,
		Args:              oneCtraderID(2, "an ID and at least one symbol"),
		ValidArgsFunction: p.completeIDs,
		RunE: func(cmd *cobra.Command, args []string) error {
			err := p.onAccount(cmd.Context(), args[0], wanted, p.tellPhase(), func(ctx context.Context, c *openapi.Client, account message.CtidTraderAccount) error {
				return p.stream(ctx, c, int64(account.CtidTraderAccountID), args[1:])
			})
			if cmd.Context().Err() != nil {
				return nil // Ctrl-C is the way to end it
			}
			return err
		},
	}
	accountFlag(cmd, &wanted)
	return cmd
}

// tellPhase tells of a connection that is lost and found again.
func (p *program) tellPhase() func(openapi.State) {
	lost := false
	return func(s openapi.State) {
		switch {
		case s.Phase == openapi.Waiting && s.Err != nil:
			lost = true
			p.tell("connection lost (%v); next try at %s", s.Err, s.Until.Local().Format(time.TimeOnly))
		case s.Phase == openapi.Ready && lost:
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

// update takes in what an event brings: a side that is absent did not change.
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

func (p *program) stream(ctx context.Context, c *openapi.Client, account int64, wanted []string) error {
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
	spots, err := c.Spots(ctx, account, ids)
	if err != nil {
		return err
	}
	defer spots.Close()
	_, screen := terminal.Of(p.stdout)
	for {
		event, err := spots.Next(ctx)
		if err != nil {
			return err
		}
		quote := byID[event.SymbolID]
		quote.update(event)
		if err := p.showQuote(quotes, quote, screen && !p.json); err != nil {
			return err
		}
	}
}

// showQuote draws the table anew, or writes a line.
func (p *program) showQuote(all []*quoteJSON, changed *quoteJSON, screen bool) error {
	if !screen {
		line, err := json.Marshal(changed)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(p.stdout, "%s\n", line)
		return err
	}
	shown := table{heading: []string{"SYMBOL", "BID", "ASK", "TIME"}}
	for _, q := range all {
		shown.add(cell{q.Symbol, bold}, cell{orDash(q.Bid), red}, cell{orDash(q.Ask), green}, cell{q.Time, faint})
	}
	fmt.Fprint(p.stdout, "\x1b[H\x1b[2J")
	shown.write(p.stdout, p.style())
	return nil
}
