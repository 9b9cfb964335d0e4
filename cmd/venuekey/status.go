package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/local"
)

// status.go owns how sign-ins stand, told to a person or to a watchdog.

func (p *program) statusCmd() *cobra.Command {
	var watch, check bool
	within := usuallyWithin
	cmd := &cobra.Command{
		Use:     "status [ID]",
		GroupID: groupSignIns,
		Short:   "Show how one sign-in stands, or all of them",
		Long: `Show how a sign-in stands: its state, the time left, the next renewal, when the
sign-in ends although nothing fails, its scopes and those that were asked for
and not granted, the account, the reason if something is wrong, and the one
command that helps. No venue is asked. If a venue asked to be left alone, it
says until when: nothing is renewed there before then, except a token that is
about to die.

The states: fresh; due and refreshing, which pass by themselves; degraded, still
good, but renewing it fails; uncertain, the answer to a renewal was lost and the
old token is served while it lives; expired, but it may still be renewed; needs
sign-in.

The exit code tells the state too: 0 while the token is good, 4 when it expired
and may be renewed, 3 when a human must sign in. Without an ID it is the worst
of all, where a record that cannot be read (1) is worse than 3, and 3 than 4.

With --check, for cron and other watchdogs, only what is wrong is shown, and the
exit code is 3 also where a human must sign in within --within, because the
sign-in ends then and no renewal prolongs it; 4 also where the token is good and
renewing it fails, which may pass; 5 where there is no sign-in at all, as with a
wrong VENUEKEY_HOME; and 0 only when all is well.

With --watch it goes on until Ctrl-C: a terminal shows how all of them stand
now, and anything else gets a row, or with --json a line, for each as it stands
and as something happens to it, whichever program did it.`,
		Example: `  venuekey status
  venuekey status --watch
  venuekey status --check --within 72h
  venuekey status ctrader/alice
  venuekey status --json | jq -r '.[] | select(.exit != 0) | .help'`,
		Args:              perhapsOneID,
		ValidArgsFunction: p.completeIDs,
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case cmd.Flags().Changed("within") && !check:
				return misused("venuekey status --check --within 48h", "status: --within is for --check")
			case watch && check:
				return misused("venuekey status --watch", "status: --check looks once and --watch goes on")
			}
			return p.withVault(cmd.Context(), func(v *local.Vault) error {
				switch {
				case check:
					return p.checkStatus(cmd.Context(), v, args, within)
				case watch:
					return p.watchStatus(cmd.Context(), v, args)
				case len(args) == 0:
					return p.statusOfAll(cmd.Context(), v)
				}
				status, err := v.Keeper.Status(cmd.Context(), mustID(args))
				if err != nil {
					return err
				}
				return p.statusOfOne(status)
			})
		},
	}
	cmd.Flags().BoolVar(&watch, "watch", false, "go on until Ctrl-C")
	cmd.Flags().BoolVar(&check, "check", false, "tell only what is wrong, also by the exit code")
	cmd.Flags().DurationVar(&within, "within", within, "how far ahead --check looks")
	return cmd
}

// verdict is what a status means for who looks at it.
type verdict struct {
	exit int
	help string
}

// judge is what a status means here: the exit code, and the command that helps.
func (p *program) judge(s venuekey.Status) verdict {
	switch {
	case s.Err != nil:
		return verdict{exitOf(venuekey.ClassOf(s.Err)), p.commandFor(s)}
	case s.State == venuekey.StateNeedsSignIn:
		return verdict{exitSignIn, p.commandFor(s)}
	case s.Left <= 0:
		return verdict{exitTemporary, p.commandFor(s)}
	}
	return verdict{exitGood, p.commandFor(s)}
}

// commandFor is how what helps is done on this machine.
func (p *program) commandFor(s venuekey.Status) string {
	switch help := s.Remedy(); help {
	case venuekey.RemedySignIn:
		return p.loginCommand(s.ID)
	case venuekey.RemedySignInSoon:
		return p.loginCommand(s.ID) + ", before it expires"
	case venuekey.RemedyNewestCopy:
		return string(help) + ": " + p.loginCommand(s.ID)
	case venuekey.RemedyRefresh:
		return "venuekey refresh " + s.ID.String()
	case venuekey.RemedyExamine:
		return "venuekey doctor"
	}
	return ""
}

// worse orders exit codes by how much they ask of a human.
func worse(a, b int) int {
	for _, code := range []int{exitFailed, exitMisconfigured, exitSignIn, exitTemporary} {
		if a == code || b == code {
			return code
		}
	}
	return exitGood
}

func (p *program) statusOfAll(ctx context.Context, v *local.Vault) error {
	worst, forms, shown := exitGood, []statusJSON{}, statusTable()
	var sum summary
	for status, err := range v.Keeper.Statuses(ctx) {
		if err != nil {
			return err
		}
		judged := p.judge(status)
		worst = worse(worst, judged.exit)
		forms = append(forms, statusForm(status, judged))
		shown.add(statusRow(status, judged)...)
		sum.add(status)
	}
	switch {
	case p.json:
		if err := p.writeJSON(forms); err != nil {
			return err
		}
	case len(forms) > 0:
		shown.write(p.stdout, p.style())
		if p.style().aligned {
			fmt.Fprintf(p.stdout, "\n%s at %s\n", sum, p.where())
		}
		sum.tellLeftAlone(p)
		p.tellEmulated(ctx, v, sum.venues)
	default:
		p.tellNone()
	}
	return codeOnly(worst)
}

// statusTable is a table of sign-ins. A narrow terminal does without the next
// renewal, then without the account, then without the end of the sign-in.
func statusTable() table {
	return table{heading: []string{"ID", "STATE", "EXPIRES", "NEXT RENEWAL", "SIGN-IN ENDS", "ACCOUNT", "WHAT HELPS"}, drop: []int{3, 5, 4}, below: "try: "}
}

func statusRow(s venuekey.Status, v verdict) []cell {
	state := cell{string(s.State), stateColour(s.State)}
	if s.Err != nil {
		return []cell{text(orDash(s.ID.String())), {"unreadable", red}, text("-"), text("-"), text("-"), text("-"), text(v.help)}
	}
	return []cell{text(s.ID.String()), state, text(expiry(s)), text(when(s.NextRefresh)), text(signInEnds(s, when)), text(orDash(s.User)), text(v.help)}
}

func (p *program) statusOfOne(s venuekey.Status) error {
	v := p.judge(s)
	if p.json {
		if err := p.writeJSON(statusForm(s, v)); err != nil {
			return err
		}
		return codeOnly(v.exit)
	}
	look := p.style()
	line := func(name, value, colour string) {
		const indent = 16
		for _, part := range wrapped(oneLine(value), look.width-indent) {
			fmt.Fprintf(p.stdout, "  %-13s %s\n", name, look.paint(cell{part, colour}))
			name = ""
		}
	}
	fmt.Fprintln(p.stdout, look.paint(cell{s.ID.String(), bold}))
	line("state", string(s.State), stateColour(s.State))
	if lives := expiry(s); lives == ended {
		line("expires", lives+" by the venue, before its time", plain)
	} else {
		line("expires", moment(s.Expires), plain)
	}
	line("next renewal", moment(s.NextRefresh), plain)
	line("sign-in ends", signInEnds(s, moment), plain)
	line("scopes", strings.Join(s.Scopes, " "), plain)
	line("not granted", strings.Join(s.ScopesMissing, " "), yellow)
	line("limits", s.Limits, yellow)
	line("account", s.User, plain)
	if s.Failures > 0 {
		line("failures", fmt.Sprintf("%d in a row", s.Failures), yellow)
	}
	if !s.LeftAloneUntil.IsZero() {
		line("left alone", "until "+until(s.LeftAloneUntil)+", as the venue asked", yellow)
	}
	if s.Spilled {
		line("waits", "the renewed token lies in a spill file, sealed: the vault file refuses it", yellow)
	}
	line("reason", s.Reason, yellow)
	line("try", v.help, plain)
	return codeOnly(v.exit)
}

// ended is what became of an access token that the venue ended with its sign-in.
const ended = "ended"

// expiry says when an access token dies, or that it is dead already: where a
// renewal ends the old token, whatever ended the refresh token ended it too.
func expiry(s venuekey.Status) string {
	venue, known := venueOf(s.ID.Venue)
	if known && s.AccessEnded(venue.Policy()) {
		return ended
	}
	return when(s.Expires)
}

// moment says when something is, for a person who looks at one thing closely.
func moment(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return when(t) + " (" + onClock(t) + ")"
}

// until says when something is over, and how far that is.
func until(t time.Time) string { return onClock(t) + " (" + when(t) + ")" }

// onClock is a moment as a clock and a calendar here show it.
func onClock(t time.Time) string { return t.Local().Format("2006-01-02 15:04:05 MST") }

// signInEnds says when a sign-in ends although nothing fails.
func signInEnds(s venuekey.Status, in func(time.Time) string) string {
	switch {
	case s.SignInEnds.IsZero():
		return s.Ending.String() // never, or unknown
	case s.EndsAnyway:
		return in(s.SignInEnds)
	default:
		return in(s.SignInEnds) + " unless renewed"
	}
}

// statusJSON is a status as a program reads it. Times are RFC 3339.
type statusJSON struct {
	ID             string   `json:"id"`
	State          string   `json:"state"`
	LeftSeconds    int64    `json:"left_seconds"`
	Issued         string   `json:"issued,omitempty"`
	Expires        string   `json:"expires,omitempty"`
	NextRefresh    string   `json:"next_refresh,omitempty"`
	RefreshExpires string   `json:"refresh_expires,omitempty"`
	Ending         string   `json:"ending"`
	SignInEnds     string   `json:"sign_in_ends,omitempty"`
	EndsAnyway     bool     `json:"ends_anyway,omitempty"`
	Scopes         []string `json:"scopes,omitempty"`
	ScopesMissing  []string `json:"scopes_missing,omitempty"`
	Limits         string   `json:"limits,omitempty"`
	User           string   `json:"user,omitempty"`
	Generation     int64    `json:"generation"`
	Failures       int      `json:"failures,omitempty"`
	Spilled        bool     `json:"spilled,omitempty"`
	Behind         bool     `json:"behind,omitempty"`
	Odd            string   `json:"odd,omitempty"`
	LeftAloneUntil string   `json:"left_alone_until,omitempty"`
	Reason         string   `json:"reason,omitempty"`
	Help           string   `json:"help,omitempty"`
	Exit           int      `json:"exit"`
}

func statusForm(s venuekey.Status, v verdict) statusJSON {
	form := statusJSON{
		ID: s.ID.String(), State: string(s.State), Issued: exactly(s.Issued), Expires: exactly(s.Expires),
		NextRefresh: exactly(s.NextRefresh), RefreshExpires: exactly(s.RefreshExpires),
		Ending: s.Ending.String(), SignInEnds: exactly(s.SignInEnds), EndsAnyway: s.EndsAnyway,
		Scopes: s.Scopes, ScopesMissing: s.ScopesMissing, Limits: s.Limits, User: s.User, Generation: s.Generation, Failures: s.Failures, Spilled: s.Spilled, Behind: s.Behind, Odd: s.Odd,
		LeftAloneUntil: exactly(s.LeftAloneUntil), Reason: s.Reason, Help: v.help, Exit: v.exit,
	}
	if !s.Expires.IsZero() {
		form.LeftSeconds = int64(s.Left.Seconds())
	}
	return form
}

// codeOnly ends the run with a code and without a word.
func codeOnly(code int) error {
	if code == exitGood {
		return nil
	}
	return quiet(code)
}

func orDash(text string) string {
	if text == "" {
		return "-"
	}
	return text
}
