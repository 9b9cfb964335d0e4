package main

import (
	"context"
	"encoding/json"
	"errors"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/terminal"
	"github.com/venuekey/venuekey/venue/tradovate"
	"github.com/venuekey/venuekey/venue/tradovate/socket"
)

// tradovate_stream.go owns "tradovate stream": which connections it needs, and how long
// they live. What is printed is in tradovate_lines.go and tradovate_book.go.

type streamFlags struct {
	host                   string
	quotes, doms, entities list
}

// usualEntities are what a live table is made of.
var usualEntities = list{"account", "cashBalance", "contract", "position", "order", "fill"}

func (p *program) tradovateStreamCmd() *cobra.Command {
	var flags streamFlags
	cmd := &cobra.Command{
		Use:   "stream ID",
		Short: "Stream orders, positions, quotes: a live table, or JSON lines",
		Long: `Stream the state of a user, and quotes, until Ctrl-C: a live table on a
terminal, and a line of JSON for each event in a pipe or with --json. It
continues through renewals of the token and lost connections.

The state comes as lines of "snapshot" first, and then as "created", "updated"
and "deleted". The kinds of entities are account, cashBalance, contract,
position, order and fill, or those of --entities. After a lost connection there
is a line "resync": what happened in between is in no event, and a new snapshot
follows. Quotes and depth of market ("quote", "dom") are in Tradovate's form.

In a pipe nothing is dropped: a reader that is too slow for long makes the
connection wait.`,
		Example: `  venuekey tradovate stream tradovate/bot --quotes ESZ6,NQZ6
  venuekey tradovate stream tradovate/bot --entities order,fill --host demo
  venuekey tradovate stream tradovate/bot --quotes ESZ6 | jq -c .data`,
		Args:              leastArgs(1, "one ID, as in tradovate/bot"),
		ValidArgsFunction: p.completeIDs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 1 {
				return misused("--quotes "+strings.Join(args[1:], ","), "there are %d arguments after the ID", len(args)-1)
			}
			err := p.withTradovate(cmd.Context(), args[0], func(t *trader) error { return p.tradovateStream(cmd.Context(), t, flags) })
			if cmd.Context().Err() != nil {
				return nil // Ctrl-C is the way to end it
			}
			return err
		},
	}
	hostFlag(cmd, &flags.host, "live", "demo")
	cmd.Flags().Var(&flags.quotes, "quotes", "stream quotes of these symbols")
	cmd.Flags().Var(&flags.doms, "dom", "stream the depth of market of these symbols")
	cmd.Flags().Var(&flags.entities, "entities", "stream only these kinds of entities")
	_ = cmd.RegisterFlagCompletionFunc("entities", cobra.FixedCompletions(append(usualEntities, "user", "executionReport", "orderVersion", "command", "commandReport", "marginSnapshot"), cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

// sink is where a stream's events go: lines, or a live table.
type sink interface {
	// event takes an event of a user sync.
	event(e socket.Event) error
	// market takes a part of market data about a symbol; kind is "quote" or "dom".
	market(kind, symbol string, contract int64, part json.RawMessage) error
}

// userStream is one run of the command.
type userStream struct {
	p    *program
	t    *trader
	ctx  context.Context
	fail context.CancelCauseFunc // ends the run
	sink sink
	runs sync.WaitGroup
}

func (p *program) tradovateStream(ctx context.Context, t *trader, flags streamFlags) error {
	running, fail := context.WithCancelCause(ctx)
	s := &userStream{p: p, t: t, ctx: running, fail: fail}
	defer s.runs.Wait()
	defer fail(nil)
	s.sink = &lines{p: p}
	if _, screen := terminal.Of(p.stdout); screen && !p.json {
		board := newBook(p)
		s.sink = board
		s.runs.Go(func() { fail(board.draw(running)) })
	}
	if err := s.begin(flags); err != nil {
		if cause := context.Cause(running); cause != nil {
			err = cause
		}
		return t.explainedSocket(err)
	}
	<-running.Done()
	return t.explainedSocket(context.Cause(running))
}

// begin connects, and returns when all subscriptions are there.
func (s *userStream) begin(flags streamFlags) error {
	patient, cancel := context.WithTimeout(s.ctx, connectPatience)
	defer cancel()
	user, err := s.t.UserID(patient)
	if err != nil {
		return err
	}
	users, err := s.t.Client(patient, tradovate.Host(flags.host))
	if err != nil {
		return err
	}
	kinds := flags.entities
	if len(kinds) == 0 {
		kinds = usualEntities
	}
	users.Sync = &socket.Sync{Users: []int64{user}, EntityTypes: kinds}
	events := users.Events(socket.Buffer{Size: streamRoom, Block: true})
	s.run(users, "")
	s.runs.Go(func() {
		for event := range events.All(s.ctx) {
			if err := s.sink.event(event); err != nil {
				s.fail(err)
				return
			}
		}
	})
	if err := users.Ready(patient); err != nil || len(flags.quotes)+len(flags.doms) == 0 {
		return err
	}
	return s.quotes(patient, users, flags)
}

// run keeps a client connected until the run ends, or ends it if only a person can help.
func (s *userStream) run(c *socket.Client, what string) {
	c.OnState = s.p.tellSocket(what)
	s.runs.Go(func() {
		err := c.Run(s.ctx)
		if s.ctx.Err() == nil {
			s.fail(err)
		}
	})
}

// quotes subscribes to market data, which has a host of its own.
func (s *userStream) quotes(ctx context.Context, users *socket.Client, flags streamFlags) error {
	market, err := s.t.MarketData(ctx)
	if err != nil {
		return err
	}
	s.run(market, "market data: ")
	for _, feed := range []struct {
		kind    string
		symbols list
		feed    socket.Feed
	}{{"quote", flags.quotes, socket.FeedQuotes}, {"dom", flags.doms, socket.FeedDepth}} {
		for _, symbol := range feed.symbols {
			contract, name, err := contractOf(ctx, users, symbol)
			if err != nil {
				return err
			}
			parts, err := market.Raw(ctx, feed.feed, contract, socket.Buffer{Size: streamRoom, Block: true})
			if err != nil {
				return err
			}
			s.runs.Go(func() {
				for {
					part, err := parts.Next(s.ctx)
					if err == nil {
						err = s.sink.market(feed.kind, name, contract, part)
					}
					if err != nil {
						s.fail(err)
						return
					}
				}
			})
		}
	}
	return nil
}

// contractOf returns the number and the name of a symbol's contract.
func contractOf(ctx context.Context, users *socket.Client, symbol string) (int64, string, error) {
	answer, err := users.Do(ctx, socket.Request{Endpoint: "contract/find", Query: url.Values{"name": {strings.ToUpper(symbol)}}})
	var found struct {
		ID   int64  `json:"id"`
		Name string `json:"name"`
	}
	var api *socket.Error
	switch {
	case errors.As(err, &api) && api.Status == 404:
		return 0, "", misused("venuekey tradovate call ID 'contract/suggest?t="+symbol+"&l=10'", "Tradovate has no contract %q", symbol)
	case err != nil:
		return 0, "", err
	}
	if err := json.Unmarshal(answer, &found); err != nil || found.ID == 0 {
		return 0, "", misused("a contract's name, as in ESZ6", "Tradovate has no contract %q", symbol)
	}
	return found.ID, oneLine(found.Name), nil
}

// tellSocket reports a lost connection, and when it is connected again.
func (p *program) tellSocket(what string) func(socket.State) {
	lost := false
	return func(s socket.State) {
		switch {
		case s.Phase == socket.PhaseWaiting && s.Err != nil:
			lost = true
			p.tell("%sconnection lost (%v); next try at %s", what, s.Err, s.Until.Local().Format(time.TimeOnly))
		case s.Phase == socket.PhaseReady && lost:
			lost = false
			p.tell("%sconnected again", what)
		}
	}
}

// explainedSocket turns an error of the WebSocket into a venuekey.Error, whose class sets
// the exit code.
func (t *trader) explainedSocket(err error) error {
	var api *socket.Error
	if known, ok := errors.AsType[*venuekey.Error](err); ok {
		return venuekey.About(t.id, "stream", known)
	}
	if !errors.As(err, &api) {
		return err
	}
	explained := &venuekey.Error{ID: t.id, Op: "stream", Class: api.Class, Code: api.Code, Reason: api.Error(), Remedy: api.Remedy(), RetryAfter: api.RetryAfter, Err: err}
	if api.Remedy() != "" {
		explained.Reason = strings.TrimSuffix(explained.Reason, "; "+api.Remedy())
	}
	if api.Kind == socket.KindTokenDead {
		explained.Class, explained.Remedy = venuekey.ClassRefused, "venuekey refresh "+t.id.String()
	}
	if badCertificate(err) { // waiting does not help
		explained.Class, explained.Remedy = venuekey.ClassMisconfigured, "check the address and this machine's clock"
	}
	return explained
}
