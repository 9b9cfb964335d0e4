package main

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/agent/notify"
)

// notify_try.go owns the command that sends a notice to see whether it arrives.

func (p *program) notifyTestCmd() *cobra.Command {
	var asked wayFlags
	cmd := &cobra.Command{
		Use:   "test",
		Short: "Send a notice that says it is a test, and show what came of it",
		Long: `Send a notice that says it is a test, once, by every way that the flags name,
and show what came of it. Give it the same flags as "venuekey run" or "venuekey
agent". A hook finds "test" in VENUEKEY_EVENT.

The exit code is 0 if all arrived, 4 if one did not and a later attempt may, and
5 if none would.`,
		Example:           `  venuekey notify test --hook ./notify.sh`,
		Args:              nothing,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, _ []string) error {
			w, err := p.ways(asked)
			if err != nil {
				return err
			}
			if asked == (wayFlags{}) {
				return misused("venuekey notify test --webhook ADDRESS --webhook-key FILE, --hook PROGRAM or --desktop", "notify test: no way is named")
			}
			return p.notifyTest(cmd.Context(), w)
		},
	}
	p.addWayFlags(cmd, &asked)
	return cmd
}

// triedJSON is what came of one way, as a program reads it.
type triedJSON struct {
	Way     string `json:"way"`
	Arrived bool   `json:"arrived"`
	Status  int    `json:"status,omitempty"`
	Reason  string `json:"reason,omitempty"`
	exit    int
}

func (p *program) notifyTest(ctx context.Context, w ways) error {
	n := notify.Test(time.Now())
	var all []triedJSON
	if w.hooks != nil {
		event := venuekey.Event{Kind: notify.EventTest, At: n.At, Reason: n.Reason}
		err := w.hooks.call(hookCall{event: event})
		w.hooks.close()
		all = append(all, triedWay("hook", err))
	}
	if w.webhook != nil {
		all = append(all, p.tryWebhook(ctx, *w.webhook, n))
	}
	if w.desktop != nil {
		all = append(all, triedWay("desktop", w.desktop.Show(ctx, n)))
	}
	if len(all) == 0 {
		return codeOnly(exitMisconfigured) // why there is none was said
	}
	worst, shown := exitGood, table{heading: []string{"WAY", "ARRIVED", "WHAT CAME BACK"}}
	for _, tried := range all {
		worst = worse(worst, tried.exit)
		arrived := cell{"yes", green}
		if !tried.Arrived {
			arrived = cell{"no", red}
		}
		shown.add(text(tried.Way), arrived, text(orDash(tried.Reason)))
	}
	if p.json {
		if err := p.writeJSON(all); err != nil {
			return err
		}
	} else {
		shown.write(p.stdout, p.style())
	}
	return codeOnly(worst)
}

// triedWay is what came of a program on this machine.
func triedWay(way string, err error) triedJSON {
	if err == nil {
		return triedJSON{Way: way, Arrived: true}
	}
	return triedJSON{Way: way, Reason: oneLine(err.Error()), exit: exitMisconfigured}
}

func (p *program) tryWebhook(ctx context.Context, webhook notify.Webhook, n notify.Notice) triedJSON {
	o := webhook.Post(ctx, n)
	tried := triedJSON{Way: "webhook", Arrived: o.Delivered(), Status: o.Status, Reason: o.Why}
	switch {
	case o.Delivered():
		tried.Reason = webhook.Address.String() + " took it"
	case o.Final:
		tried.exit = exitMisconfigured
	default:
		tried.exit = exitTemporary
	}
	return tried
}
