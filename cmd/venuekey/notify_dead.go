package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/agent/notify"
)

// notify_dead.go owns the list of notices that did not arrive, and that they are sent again.

func (p *program) notifyDeadCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "dead",
		Short: "List the notices that did not arrive",
		Long: `List the notices that were given up, the oldest first, and why: the endpoint
refused them, or did not take them within a day, or too many were waiting. The
last 1000 are kept. "venuekey notify replay" sends them again.`,
		Example:           "  venuekey notify dead\n  venuekey notify dead --json",
		Args:              nothing,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE:              func(*cobra.Command, []string) error { return p.notifyDead() },
	}
}

// deadJSON is a dead letter as a program reads it.
type deadJSON struct {
	Number   int           `json:"number"`
	Notice   notify.Notice `json:"notice"`
	Queued   string        `json:"queued"`
	Died     string        `json:"died,omitempty"`
	Attempts int           `json:"attempts"`
	Why      string        `json:"why"`
}

func (p *program) notifyDead() error {
	letters, err := p.deadLetters()
	if err != nil {
		return err
	}
	forms, shown := []deadJSON{}, table{heading: []string{"NO", "SAID", "SIGN-IN", "EVENT", "ATTEMPTS", "WHY IT DID NOT ARRIVE"}, drop: []int{4, 1}}
	for i, l := range letters {
		n := l.Notice
		forms = append(forms, deadJSON{Number: i + 1, Notice: n, Queued: exactly(l.Queued), Died: exactly(l.Died), Attempts: l.Attempts, Why: l.Why})
		shown.add(text(strconv.Itoa(i+1)), text(exactly(n.At)), text(orDash(n.ID)), text(string(n.Event)), text(strconv.Itoa(l.Attempts)), text(orDash(l.Why)))
	}
	switch {
	case p.json:
		return p.writeJSON(forms)
	case len(forms) > 0:
		shown.write(p.stdout, p.style())
	default:
		p.tell("there is no dead letter")
	}
	return nil
}

// deadLetters reads the list, and says which of its files cannot be read.
func (p *program) deadLetters() ([]notify.Letter, error) {
	folder, err := p.outboxFolder()
	if err != nil {
		return nil, err
	}
	letters, unread, err := notify.Dead(folder)
	for _, err := range unread {
		p.tell("warning: %v", err)
	}
	return letters, err
}

func (p *program) notifyReplayCmd() *cobra.Command {
	all := false
	cmd := &cobra.Command{
		Use:   "replay [NUMBER]",
		Short: "Send dead letters again",
		Long: `Have a dead letter sent again, or all of them, for another day: by the "venuekey
run" or "venuekey agent" that has --webhook, within seconds, or by the next one.
The number is that of "venuekey notify dead"; the delivery of a notice will do
too. A notice keeps its delivery.`,
		Example: "  venuekey notify replay --all",
		Args: func(cmd *cobra.Command, args []string) error {
			if all == (len(args) == 1) || len(args) > 1 {
				return misused("venuekey notify replay NUMBER, or venuekey notify replay --all", "notify replay takes one number, or --all")
			}
			return nil
		},
		ValidArgsFunction: p.completeDead,
		RunE: func(_ *cobra.Command, args []string) error {
			letters, err := p.deadLetters()
			if err == nil && !all {
				letters, err = oneLetter(letters, args[0])
			}
			if err != nil {
				return err
			}
			return p.notifyReplay(letters)
		},
	}
	cmd.Flags().BoolVar(&all, "all", false, "all of them")
	return cmd
}

// completeDead offers the numbers of dead letters, with what each says.
func (p *program) completeDead(_ *cobra.Command, args []string, typed string) (offers []string, _ cobra.ShellCompDirective) {
	if folder, err := p.outboxFolder(); err == nil && len(args) == 0 {
		letters, _, _ := notify.Dead(folder) // without an answer, nothing is offered
		for i, l := range letters {
			if number := strconv.Itoa(i + 1); strings.HasPrefix(number, typed) {
				offers = append(offers, number+"\t"+oneLine(l.Notice.ID+" "+string(l.Notice.Event)))
			}
		}
	}
	return offers, cobra.ShellCompDirectiveNoFileComp
}

// oneLetter finds a letter by its number or its delivery.
func oneLetter(letters []notify.Letter, which string) ([]notify.Letter, error) {
	for i, l := range letters {
		if which == strconv.Itoa(i+1) || which == l.Notice.Delivery {
			return letters[i : i+1], nil
		}
	}
	return nil, &venuekey.Error{Class: venuekey.ClassDeclined, Reason: fmt.Sprintf("there is no dead letter %s", oneLine(which)), Remedy: "venuekey notify dead"}
}

func (p *program) notifyReplay(letters []notify.Letter) error {
	folder, err := p.outboxFolder()
	if err != nil {
		return err
	}
	for _, l := range letters {
		if err := notify.Replay(folder, l, time.Now()); err != nil {
			return err
		}
	}
	return p.say(map[string]int{"replayed": len(letters)}, "%s: the program that has --webhook sends again", several(len(letters), "letter"))
}
