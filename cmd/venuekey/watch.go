package main

import (
	"context"
	"fmt"
	"time"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/local"
	"github.com/venuekey/venuekey/terminal"
)

// watch.go owns "status --watch".

const (
	// watchTick is the minimum time between two drawings, and watchAgain the maximum: the
	// times that are shown pass even if nothing happens.
	watchTick  = time.Second
	watchAgain = 10 * time.Second
)

// watchStatus shows the status of sign-ins until Ctrl-C. On a terminal it redraws all of
// them; elsewhere it writes a line for each, and for each change.
func (p *program) watchStatus(ctx context.Context, v *local.Vault, only []string) error {
	var ids []venuekey.ID
	if len(only) > 0 {
		ids = append(ids, mustID(only))
	}
	if _, screen := terminal.Of(p.stdout); screen && !p.json && len(only) == 0 {
		return p.watchScreen(ctx, v)
	}
	for event := range v.Keeper.Events(ctx, ids...) {
		if err := p.tellChange(event); err != nil {
			return err
		}
	}
	return nil // Ctrl-C is the way to end it
}

// watchScreen redraws all sign-ins when something happens.
func (p *program) watchScreen(ctx context.Context, v *local.Vault) error {
	happened := make(chan struct{}, 1)
	ctx, cancel := context.WithCancel(ctx)
	listened := make(chan struct{})
	defer func() { cancel(); <-listened }()
	go func() {
		defer close(listened)
		for range v.Keeper.Events(ctx) {
			select {
			case happened <- struct{}{}:
			default: // it will be drawn
			}
		}
	}()
	for {
		fmt.Fprint(p.stdout, "\x1b[H\x1b[2J")
		err := p.statusOfAll(ctx, vaultSignIns{p, v})
		if ctx.Err() != nil {
			return nil
		}
		if _, isCode := err.(quiet); err != nil && !isCode {
			return err
		}
		select {
		case <-time.After(watchTick):
		case <-ctx.Done():
			return nil
		}
		select {
		case <-happened:
		case <-time.After(watchAgain):
		case <-ctx.Done():
			return nil
		}
	}
}

// watchJSON is a line of "status --watch --json".
type watchJSON struct {
	Event string `json:"event"`
	statusJSON
}

// tellChange writes a line about an event of a sign-in.
func (p *program) tellChange(e venuekey.Event) error {
	judged := p.judge(e.Status)
	if e.Kind == venuekey.EventWarning {
		judged.help = p.remedyOf(e)
	}
	if p.json {
		form := watchJSON{string(e.Kind), statusForm(e.Status, judged)}
		if e.Kind == venuekey.EventSignedOut {
			form.State, form.Exit = string(e.Kind), exitSignIn
		}
		line, err := jsonLine(form)
		if err == nil {
			_, err = fmt.Fprintf(p.stdout, "%s\n", line)
		}
		return err
	}
	if e.Kind == venuekey.EventSignedOut {
		_, err := fmt.Fprintf(p.stdout, "%s\t%s\n", e.Status.ID, e.Kind)
		return err
	}
	var row table
	row.add(p.statusRow(e.Status, judged)...)
	row.write(p.stdout, p.style())
	return nil
}
