package main

import (
	"context"
	"errors"
	"iter"
	"log/slog"
	"sync"

	"github.com/spf13/cobra"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/local"
)

// run.go owns the command run: it keeps every sign-in fresh in the foreground, and reports
// trouble.

func (p *program) runCmd() *cobra.Command {
	var asked warnFlags
	cmd := &cobra.Command{
		Use:     "run",
		GroupID: groupUse,
		Short:   "Keep every sign-in fresh until Ctrl-C",
		Long: `Renew whatever is due, for as long as this runs. Without it, a token is renewed
when a program asks for it, which is enough for programs that ask often; with
it, no sign-in expires because no program asked. Any number of machines and
programs may run it on one vault. It does not create a vault: sign in first, or
say where the vault is.

A sign-in that is or gets into trouble is reported on standard error, and to the
program that --hook names, whichever program or machine met the trouble: the
first failure of a renewal, a lost answer, a dead token, the need for a human,
and the recovery.

If a sign-in will end and no renewal prevents it, there are warnings 48, 24 and
2 hours before, or as --warn says (0: never). If more tokens are due at a venue
than its rate limit can renew in time, a warning gives the numbers and what to
change. The hook finds in its environment

  VENUEKEY_EVENT     trouble, warning or recovered
  VENUEKEY_ID        ctrader/alice; only the venue if it is about all of it
  VENUEKEY_STATE     as in "venuekey status": degraded, needs sign-in, fresh
  VENUEKEY_REASON    why, in words
  VENUEKEY_LEFT      how many seconds the access token is still valid
  VENUEKEY_ENDS      when the sign-in ends even if nothing fails, in RFC 3339;
                     or never, or unknown
  VENUEKEY_HELP      the command that helps
  VENUEKEY_REPEAT    how often the same was said before

besides this command's own environment without its secrets (see "venuekey exec
--help"), and never a token. It is called for one event of a sign-in at a time.
After 30 seconds it is ended, together with whatever it started (on Windows,
only the program itself).

--webhook posts the same as JSON to an https address, signed with the key in the
file --webhook-key, and again for a day if need be ("venuekey notify --help");
--desktop shows it. Trouble that only a person mends is said again, to all of
them, as --repeat says (0: never), not sooner by a run that begins anew, and
once that it is over. With --quiet what can wait does so until those hours end:
not a sign-in that is dead, or will be by then unless somebody signs in.

--log json writes a line of JSON for whatever happens, in place of lines for a
person: time, level, msg, and id, state, reason and help where they apply.`,
		Example: `  venuekey run
  venuekey run --hook ./notify.sh
  venuekey run --hook ./notify.sh --warn 168h,24h
  venuekey run --desktop --quiet 22:00-07:00`,
		Args: nothing,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.withVault(cmd.Context(), func(v *local.Vault) error {
				if err := p.hasVault(cmd.Context(), v); err != nil {
					return err
				}
				return p.keepFreshAndWarn(cmd.Context(), v, asked)
			})
		},
	}
	p.addWarnFlags(cmd, &asked)
	p.addLogFlag(cmd)
	return cmd
}

func (p *program) keepFreshAndWarn(ctx context.Context, v *local.Vault, asked warnFlags) error {
	w, err := p.newWarner(v, asked)
	if err != nil {
		return err
	}
	return p.keepFresh(ctx, v, w, func(yield func(venuekey.Event) bool) {
		for event := range v.Keeper.Events(ctx) {
			w.hear(event)
			if !yield(event) {
				return
			}
		}
	})
}

// keepFresh renews, and tells a person of the events, until the context ends, and closes the warner then.
func (p *program) keepFresh(ctx context.Context, v *local.Vault, w *warner, events iter.Seq[venuekey.Event]) error {
	p.tell("keeping every sign-in fresh (Ctrl-C ends it)")
	w.begin(ctx)
	var listening sync.WaitGroup
	listening.Go(func() {
		for event := range events {
			if !isWorthTelling(event.Kind) {
				continue
			}
			if event.Kind != venuekey.EventWarning || event.Status.ID.Name != "" {
				p.tellEvent(event) // the log has what concerns a whole venue
			}
		}
	})
	err := v.Keeper.Run(ctx)
	listening.Wait()
	w.close()
	if errors.Is(err, context.Canceled) {
		return nil // Ctrl-C is the way to end it
	}
	return err
}

// tellEvent prints what happened, and on the next line what to try.
func (p *program) tellEvent(e venuekey.Event) {
	what := string(e.Kind)
	if e.Kind == venuekey.EventTrouble {
		what = string(e.Status.State)
	}
	if p.notes != nil {
		level := slog.LevelWarn
		if e.Kind == venuekey.EventRecovered {
			level = slog.LevelInfo
		}
		p.notes.Log(context.Background(), level, string(e.Kind), "id", e.Status.ID.String(), "state", string(e.Status.State), "reason", e.Reason, "help", p.remedyOf(e))
		return
	}
	p.tell("%s: %s: %s", e.Status.ID, what, oneLine(e.Reason))
	if help := p.remedyOf(e); help != "" {
		p.tell("  try: %s", help)
	}
}
