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

// status.go owns the command status, for a person or a watchdog.

func (p *program) statusCmd() *cobra.Command {
	var watch, check bool
	within := usuallyWithin
	cmd := &cobra.Command{
		Use:     "status [ID]",
		GroupID: groupSignIns,
		Short:   "Show the status of one sign-in, or of all",
		Long: `Show the status of a sign-in: its state, the time left, the next renewal, when
the sign-in ends even if nothing fails, its scopes and those that were requested
but not granted, the account, the reason if something is wrong, and the command
that helps. No venue is contacted. If a venue asked to be left alone, the status
says until when: before then nothing is renewed there, except a token that is
about to expire.

The states: fresh; due and refreshing, which pass by themselves; degraded: still
valid, but renewing it fails; uncertain: the answer to a renewal was lost, and
the old token is used until it expires; expired: it may still be renewed; needs
sign-in.

The exit code gives the state too: 0 while the token is valid, 4 if it expired
and may still be renewed, 3 if a human must sign in. Without an ID it is the
worst of all: an unreadable record (1) is worse than 3, and 3 is worse than 4.

With --check, for cron and other watchdogs, only what is wrong is shown. The
exit code is then 3 also if a human must sign in within the time of --within,
because the sign-in ends and no renewal extends it; 4 also if the token is valid
and renewing it fails, which may pass; 5 if there is no sign-in at all, as with
a wrong VENUEKEY_HOME; and 0 only if all is well.

With --watch it runs until Ctrl-C. On a terminal it keeps showing the status of
all. Elsewhere it writes a row for each sign-in, or a line with --json, and
another one whenever something happens to a sign-in, whichever program did it.`,
		Example: `  venuekey status
  venuekey status --watch
  venuekey status --check --within 72h
  venuekey status ctrader/alice
  venuekey status --json | jq -r '.[] | select(.exit != 0) | .help'`,
		Args:              p.perhapsOneID,
		ValidArgsFunction: p.completeIDs,
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case cmd.Flags().Changed("within") && !check:
				return misused("venuekey status --check --within 48h", "status: --within is for --check")
			case watch && check:
				return misused("venuekey status --watch", "status: --check looks once, --watch keeps looking")
			}
			if watch {
				return p.withVault(cmd.Context(), func(v *local.Vault) error { return p.watchStatus(cmd.Context(), v, args) })
			}
			return p.withSignIns(cmd.Context(), func(from signIns) error {
				switch {
				case check:
					return p.checkStatus(cmd.Context(), from, args, within)
				case len(args) == 0:
					return p.statusOfAll(cmd.Context(), from)
				}
				status, err := from.Status(cmd.Context(), mustID(args))
				if err != nil {
					return err
				}
				return p.statusOfOne(status)
			})
		},
	}
	cmd.Flags().BoolVar(&watch, "watch", false, "keep showing the status until Ctrl-C")
	cmd.Flags().BoolVar(&check, "check", false, "show only what is wrong, and set the exit code")
	cmd.Flags().DurationVar(&within, "within", within, "how far ahead --check looks")
	return cmd
}

// verdict is what a status means for the person who reads it.
type verdict struct {
	exit int
	help string
}

// judge returns the exit code for a status, and the command that helps.
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

// commandFor is the command on this machine for a status's remedy.
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

// worse returns the exit code that needs more attention.
func worse(a, b int) int {
	for _, code := range []int{exitFailed, exitMisconfigured, exitSignIn, exitTemporary} {
		if a == code || b == code {
			return code
		}
	}
	return exitGood
}

func (p *program) statusOfAll(ctx context.Context, from signIns) error {
	worst, forms, shown := exitGood, []statusJSON{}, statusTable()
	var sum summary
	for status, err := range from.Statuses(ctx) {
		if err != nil {
			return err
		}
		judged := p.judge(status)
		worst = worse(worst, judged.exit)
		forms = append(forms, statusForm(status, judged))
		shown.add(p.statusRow(status, judged)...)
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
		if vault, ok := from.(vaultSignIns); ok {
			p.tellEmulated(ctx, vault.v, sum.venues)
		}
	default:
		p.tellNone()
	}
	return codeOnly(worst)
}

// believed lists what a file only believes about how long things live at a venue, so that nobody takes
// it for certain; "" if there is nothing of that.
func (p *program) believed(venue string) string {
	if abouts[venue] != "" {
		return ""
	}
	d, _, err := p.definition(venue)
	if err != nil {
		return ""
	}
	var facts []string
	for _, source := range d.Sources {
		if !source.Sure {
			facts = append(facts, source.Fact)
		}
	}
	return strings.Join(facts, "; ")
}

// statusTable is a table of sign-ins. A narrow terminal drops the next renewal first, then
// the account, then the end of the sign-in.
func statusTable() table {
	return table{heading: []string{"ID", "STATE", "EXPIRES", "NEXT RENEWAL", "SIGN-IN ENDS", "ACCOUNT", "TRY"}, drop: []int{3, 5, 4}, below: "try: "}
}

func (p *program) statusRow(s venuekey.Status, v verdict) []cell {
	state := cell{string(s.State), stateColour(s.State)}
	if s.Err != nil {
		return []cell{text(orDash(s.ID.String())), {"unreadable", red}, text("-"), text("-"), text("-"), text("-"), text(v.help)}
	}
	return []cell{text(s.ID.String()), state, text(p.expiry(s)), text(when(s.NextRefresh)), text(signInEnds(s, when)), text(orDash(s.User)), text(v.help)}
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
	if lives := p.expiry(s); lives == ended {
		line("expires", lives+" early by the venue", plain)
	} else {
		line("expires", moment(s.Expires), plain)
	}
	line("next renewal", moment(s.NextRefresh), plain)
	line("sign-in ends", signInEnds(s, moment), plain)
	line("scopes", strings.Join(s.Scopes, " "), plain)
	line("not granted", strings.Join(s.ScopesMissing, " "), yellow)
	line("limits", s.Limits, yellow)
	line("account", s.User, plain)
	if s.KeptPassword {
		line("password", "kept, to sign in again when nothing else renews this", plain)
	}
	if s.Failures > 0 {
		line("failures", fmt.Sprintf("%d in a row", s.Failures), yellow)
	}
	if !s.LeftAloneUntil.IsZero() {
		line("left alone", "until "+until(s.LeftAloneUntil)+", as the venue asked", yellow)
	}
	if w := s.Maintenance; !w.From.IsZero() {
		line("maintenance", maintenanceOf(w), plain)
	}
	if s.Spilled {
		line("spilled", "the renewed token is sealed in a spill file: it could not be saved to the vault", yellow)
	}
	line("believed", p.believed(s.ID.Venue), plain)
	line("reason", s.Reason, yellow)
	line("try", v.help, plain)
	return codeOnly(v.exit)
}

// ended stands for the expiry of an access token that the venue ended with its sign-in.
const ended = "ended"

// expiry says when an access token expires, or that the venue ended it: if a renewal ends
// the old token, whatever ended the refresh token ended the access token too.
func (p *program) expiry(s venuekey.Status) string {
	venue, known := p.venueOf(s.ID.Venue)
	if known && s.AccessEnded(venue.Policy()) {
		return ended
	}
	return when(s.Expires)
}

// moment is a time in full, for the status of one sign-in.
func moment(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return when(t) + " (" + onClock(t) + ")"
}

// until is the time when something is over, and how far away that is.
func until(t time.Time) string { return onClock(t) + " (" + when(t) + ")" }

// maintenanceOf is a venue's maintenance window in the local time zone.
func maintenanceOf(w venuekey.Window) string {
	from, to := w.From.Local(), w.To.Local()
	form := "15:04 MST"
	if from.YearDay() != to.YearDay() {
		form = "Mon 15:04 MST"
	}
	if w.Contains(time.Now()) {
		return "now, until " + to.Format(form)
	}
	return "next from " + from.Format("Mon 2006-01-02 15:04") + " to " + to.Format(form)
}

// onClock is a time in the local time zone.
func onClock(t time.Time) string { return t.Local().Format("2006-01-02 15:04:05 MST") }

// signInEnds says when a sign-in ends even if nothing fails.
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
	KeptPassword   bool     `json:"kept_password,omitempty"`
	LeftAloneUntil string   `json:"left_alone_until,omitempty"`
	// MaintenanceFrom and MaintenanceTo are the venue's present or next maintenance window.
	MaintenanceFrom string `json:"maintenance_from,omitempty"`
	MaintenanceTo   string `json:"maintenance_to,omitempty"`
	Reason          string `json:"reason,omitempty"`
	Help            string `json:"help,omitempty"`
	Exit            int    `json:"exit"`
}

func statusForm(s venuekey.Status, v verdict) statusJSON {
	form := statusJSON{
		ID: s.ID.String(), State: string(s.State), Issued: exactly(s.Issued), Expires: exactly(s.Expires),
		NextRefresh: exactly(s.NextRefresh), RefreshExpires: exactly(s.RefreshExpires),
		Ending: s.Ending.String(), SignInEnds: exactly(s.SignInEnds), EndsAnyway: s.EndsAnyway,
		Scopes: s.Scopes, ScopesMissing: s.ScopesMissing, Limits: s.Limits, User: s.User, Generation: s.Generation, Failures: s.Failures, Spilled: s.Spilled, Behind: s.Behind, Odd: s.Odd, KeptPassword: s.KeptPassword,
		LeftAloneUntil: exactly(s.LeftAloneUntil), MaintenanceFrom: exactly(s.Maintenance.From), MaintenanceTo: exactly(s.Maintenance.To), Reason: s.Reason, Help: v.help, Exit: v.exit,
	}
	if !s.Expires.IsZero() {
		form.LeftSeconds = int64(s.Left.Seconds())
	}
	return form
}

// codeOnly ends the run with an exit code and no message.
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
