package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"time"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/emulator/ctrader/openapi"
	"github.com/venuekey/venuekey/local"
	api "github.com/venuekey/venuekey/venue/ctrader/openapi"
	"github.com/venuekey/venuekey/venue/ctrader/openapi/message"
)

// demo_ctrader.go owns the demonstration of cTrader's Open API: a connection that survives a
// renewal of its token.

// demoSymbol is the symbol to stream.
const demoSymbol = "EURUSD"

// connect lists accounts, and streams quotes of one while its token is renewed. It skips a
// venue without connections.
func (s *stage) connect(ctx context.Context, e emulated, id venuekey.ID, row *act) error {
	if e.api == nil {
		row.Connection = "-"
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	e.api.Tune(func(k *openapi.Knobs) { k.QuoteEvery = 10 * time.Millisecond })
	if err := e.api.Start(); err != nil {
		return err
	}
	s.web.others = append(s.web.others, e.api)
	app, err := s.keeper.Vault.App(ctx, id.Venue)
	if err != nil {
		return err
	}
	trust := &tls.Config{RootCAs: e.api.CA(), MinVersion: tls.VersionTLS12}
	o := &openAPI{id: id, keeper: s.keeper, CTrader: &local.CTrader{App: app, Source: s.keeper.Source(id),
		Live: api.Endpoint{Address: e.api.Addresses().LiveProtobuf, TLS: trust},
		Demo: api.Endpoint{Address: e.api.Addresses().DemoProtobuf, TLS: trust}}}
	list, err := o.accounts(ctx)
	if err != nil {
		return err
	}
	if err := s.tellOwner(ctx, o); err != nil {
		return err
	}
	for _, account := range list.CtidTraderAccount {
		if err := o.with(ctx, account, nil, func(ctx context.Context, c *api.Client) error { return s.lookAt(ctx, c, account) }); err != nil {
			return err
		}
	}
	first := list.CtidTraderAccount[0]
	err = o.with(ctx, first, nil, func(ctx context.Context, c *api.Client) error {
		return s.streamThroughARenewal(ctx, e, c, id, int64(first.CtidTraderAccountID))
	})
	if err == nil {
		row.Connection = "kept"
	}
	return err
}

// tellOwner asks the Open API whose sign-in it is, as login does.
func (s *stage) tellOwner(ctx context.Context, o *openAPI) error {
	token, err := o.Source.Token(ctx)
	if err != nil {
		return err
	}
	found, err := o.ownerOf(ctx, token.Access)
	if err == nil {
		err = o.keeper.Named(ctx, o.id, token, found.user)
	}
	if err == nil {
		s.tell("  the Open API says that this is user %s", found.user)
	}
	return err
}

func (s *stage) lookAt(ctx context.Context, c *api.Client, account message.CtidTraderAccount) error {
	trader, missing, err := traderOf(ctx, c, account)
	if err == nil {
		err = missing
	}
	if err != nil {
		return err
	}
	symbols, err := symbolsOf(ctx, c, trader.ID)
	if err != nil {
		return err
	}
	s.tell("  account %d, %s: %s %s, %d symbols", trader.ID, trader.Environment, trader.Balance, trader.Currency, len(symbols))
	return nil
}

// streamThroughARenewal reads quotes, renews the token, which ends the account's session at
// the venue, and reads more quotes of the same stream.
func (s *stage) streamThroughARenewal(ctx context.Context, e emulated, c *api.Client, id venuekey.ID, account int64) error {
	symbols, err := symbolsOf(ctx, c, account)
	if err != nil {
		return err
	}
	one, err := named(symbols, []string{demoSymbol})
	if err != nil {
		return err
	}
	spots, err := c.Spots(ctx, account, []int64{one[0].ID})
	if err != nil {
		return err
	}
	defer spots.Close()
	quote := quoteJSON{Symbol: demoSymbol}
	take := func(n int) error {
		for range n {
			event, err := spots.Next(ctx)
			if err != nil {
				return fmt.Errorf("quotes stopped: %w", err)
			}
			quote.update(event)
		}
		return nil
	}
	if err := take(3); err != nil {
		return err
	}
	s.tell("  %s bid %s ask %s", quote.Symbol, quote.Bid, quote.Ask)
	log := e.api.Log()
	subscribed := log.Count(openapi.Subscribed)
	if _, err := s.keeper.Refresh(ctx, id); err != nil {
		return err
	}
	c.Rotated()
	// The venue ended the session with the old token. The client has to send the new one
	// and the subscription again.
	if err := log.Wait(ctx, subscribed+1, openapi.Subscribed); err != nil {
		return fmt.Errorf("the subscription was not restored: %w", err)
	}
	restored := time.Now().UTC().Format(quoteTime)
	for quote.Time <= restored { // what came before may still wait in the stream
		if err := take(1); err != nil {
			return err
		}
	}
	s.tell("  the token was renewed, and the stream goes on: %s bid %s ask %s", quote.Symbol, quote.Bid, quote.Ask)
	return nil
}
