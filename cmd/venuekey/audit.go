package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/venuekey/venuekey/agent/audit"
)

// audit.go owns the command that shows what the agent did for whom.

// usuallyBefore is how many lines --follow begins with, as tail -f does.
const usuallyBefore = 10

// mostOdd is how many rows that are no lines are named.
const mostOdd = 5

func (p *program) auditCmd() *cobra.Command {
	follow, last := false, 0
	cmd := &cobra.Command{
		Use:     "audit",
		GroupID: groupSetup,
		Short:   "Show what the agent handed out, refused and changed, and for whom",
		Long: `Show the audit log of this machine's agent: a line for each hand-out, refusal
and change, with time, consumer or process, sign-in, what was asked for, what
came of it, and the token's generation. There is no secret in it.

With --json each line is an object in a line of its own. The log keeps 16 files
of 8 MiB; send it elsewhere with --follow to keep more. No line of it can be
changed without a trace: see "venuekey audit verify --help".`,
		Example: `  venuekey audit
  venuekey audit --lines 20
  venuekey audit --follow --json`,
		Args:              p.unknownCommand,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, _ []string) error {
			switch {
			case last < 0:
				return misused("venuekey audit --lines 20", "audit: --lines is a number of lines")
			case follow && !cmd.Flags().Changed("lines"):
				last = usuallyBefore
			}
			return p.audit(cmd.Context(), last, follow)
		},
	}
	cmd.Flags().BoolVarP(&follow, "follow", "f", false, "show new lines until Ctrl-C")
	cmd.Flags().IntVarP(&last, "lines", "n", 0, "show only the last `NUMBER` of lines")
	cmd.AddCommand(p.auditVerifyCmd())
	return cmd
}

func (p *program) audit(ctx context.Context, last int, follow bool) error {
	place, err := p.place()
	if err != nil {
		return err
	}
	after, err := p.showAudit(place.Audit(), last)
	if errors.Is(err, fs.ErrNotExist) && !follow {
		p.tell("no agent has handed out anything on this machine: there is no audit log at %s", place.Audit())
		return nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if !follow {
		return nil
	}
	for line, err := range audit.Follow(ctx, place.Audit(), after) {
		if errors.Is(err, audit.ErrNoLine) {
			p.tell("warning: %v; see: venuekey audit verify", err)
			continue
		}
		if err == nil {
			err = p.tellLine(line)
		}
		if err != nil {
			return err
		}
	}
	return nil // Ctrl-C is the way to end it
}

// showAudit shows the last lines, or all of them, and returns the last number. A row that is
// no line is reported, and the rest is shown all the same.
func (p *program) showAudit(path string, last int) (after int64, err error) {
	var lines []audit.Line
	odd := 0
	for line, err := range audit.Read(path) {
		switch {
		case errors.Is(err, audit.ErrNoLine):
			if odd++; odd <= mostOdd {
				p.tell("warning: %v; see: venuekey audit verify", err)
			}
			continue
		case err != nil:
			return after, err
		}
		after = max(after, line.Number)
		if last == 0 && (p.json || !p.style().aligned) { // nothing has to be known of the rest
			if err := p.tellLine(line); err != nil {
				return after, err
			}
			continue
		}
		if lines = append(lines, line); last > 0 && len(lines) > last {
			lines = lines[1:]
		}
	}
	if odd > mostOdd {
		p.tell("warning: %d more rows are no lines of an audit log", odd-mostOdd)
	}
	return after, p.showLines(lines)
}

func (p *program) showLines(lines []audit.Line) error {
	if p.json {
		for _, line := range lines {
			if err := p.tellLine(line); err != nil {
				return err
			}
		}
		return nil
	}
	shown := table{heading: []string{"TIME", "WHO", "SIGN-IN", "ASKED FOR", "OUTCOME", "GENERATION"}}
	for _, line := range lines {
		shown.add(auditRow(line)...)
	}
	if len(lines) > 0 {
		shown.write(p.stdout, p.style())
	}
	return nil
}

func auditRow(line audit.Line) []cell {
	outcome := cell{line.Outcome, plain}
	if line.Outcome != "given" && line.Verb != audit.VerbLog && line.Verb != audit.VerbConsumer {
		outcome.colour = yellow
	}
	generation := "-"
	if line.Generation > 0 {
		generation = strconv.FormatInt(line.Generation, 10)
	}
	return []cell{text(exactly(line.At)), text(orDash(line.Who())), text(orDash(line.ID.String())), text(strings.TrimSpace(line.Verb + " " + line.Call)), outcome, text(generation)}
}

// auditJSON is a line as a program reads it.
type auditJSON struct {
	Number     int64  `json:"n"`
	At         string `json:"at"`
	Consumer   string `json:"consumer,omitempty"`
	UID        *int   `json:"uid,omitempty"`
	PID        int    `json:"pid,omitempty"`
	Exe        string `json:"exe,omitempty"`
	ID         string `json:"id,omitempty"`
	Verb       string `json:"verb"`
	Call       string `json:"call,omitempty"`
	Outcome    string `json:"outcome"`
	Generation int64  `json:"generation,omitempty"`
}

// tellLine writes one line, as it comes.
func (p *program) tellLine(line audit.Line) error {
	if !p.json {
		var row table
		row.add(auditRow(line)...)
		row.write(p.stdout, p.style())
		return nil
	}
	form := auditJSON{
		Number: line.Number, At: exactly(line.At), Consumer: line.Consumer,
		ID: line.ID.String(), Verb: line.Verb, Call: line.Call, Outcome: line.Outcome, Generation: line.Generation,
	}
	if line.Peer != nil {
		form.UID, form.PID, form.Exe = &line.Peer.UID, line.Peer.PID, line.Peer.Exe
	}
	text, err := jsonLine(form)
	if err == nil {
		_, err = fmt.Fprintf(p.stdout, "%s\n", text)
	}
	return err
}
