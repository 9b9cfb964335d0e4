package main

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/terminal"
)

// watch.go owns the status that goes on.

// watchTick is how often it looks. What others renew is seen within it.
const watchTick = time.Second

// watchStatus shows how sign-ins stand until Ctrl-C: on a terminal all of them,
// over and over; elsewhere a line for each that changed.
func (p *program) watchStatus(ctx context.Context, v *vault, only []string) error {
	_, screen := terminal.Of(p.stdout)
	told := map[venuekey.ID]string{}
	for {
		var err error
		if screen && !p.json && len(only) == 0 {
			fmt.Fprint(p.stdout, "\x1b[H\x1b[2J")
			err = p.statusOfAll(ctx, v)
		} else {
			err = p.tellChanges(ctx, v, only, told)
		}
		if _, isCode := err.(quiet); err != nil && !isCode {
			return err
		}
		select {
		case <-time.After(watchTick):
		case <-ctx.Done():
			return nil // it is the way to end it
		}
	}
}

// tellChanges writes a line for each sign-in that is not as it was told.
func (p *program) tellChanges(ctx context.Context, v *vault, only []string, told map[venuekey.ID]string) error {
	for status, err := range v.keeper.Statuses(ctx) {
		if err != nil {
			return err
		}
		if len(only) > 0 && status.ID != mustID(only) {
			continue
		}
		now := fmt.Sprint(status.State, status.Generation, status.Failures, status.Reason, status.Spilled)
		if told[status.ID] == now {
			continue
		}
		told[status.ID] = now
		judged := p.judge(status)
		if p.json {
			line, err := json.Marshal(statusForm(status, judged))
			if err != nil {
				return err
			}
			if _, err := fmt.Fprintf(p.stdout, "%s\n", line); err != nil {
				return err
			}
			continue
		}
		var row table
		row.add(statusRow(status, judged)...)
		row.write(p.stdout, p.style())
	}
	return nil
}
