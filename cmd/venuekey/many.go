package main

import (
	"context"
	"errors"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/local"
)

// many.go owns the commands that take several sign-ins: by their IDs, or by a
// pattern.

// isPattern is whether an argument stands for all sign-ins that it fits.
func isPattern(argument string) bool { return strings.ContainsAny(argument, "*?[") }

// someIDs takes IDs and patterns, one at least.
func someIDs(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return misused(usageOf(cmd), "%s takes IDs, as ctrader/alice, or a pattern in quotes, as 'ctrader/*'", cmd.Name())
	}
	for _, argument := range args {
		if !isPattern(argument) {
			if _, err := parseID(cmd, argument); err != nil {
				return err
			}
		} else if _, err := path.Match(argument, ""); err != nil {
			return misused("'ctrader/*'", "%s: %q is no pattern: %v", cmd.Name(), argument, err)
		}
	}
	return nil
}

// chosen are the sign-ins that arguments stand for, each once. A pattern that fits
// none is an error: it was meant to fit some.
func chosen(ctx context.Context, v *local.Vault, args []string) (ids []venuekey.ID, err error) {
	take := func(id venuekey.ID) {
		if !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	for _, argument := range args {
		if !isPattern(argument) {
			take(mustID([]string{argument}))
			continue
		}
		found := false
		for id, err := range v.Vault.IDs(ctx) {
			if errors.Is(err, venuekey.ErrNoSignIn) {
				continue
			}
			if err != nil {
				return nil, err
			}
			if fits, _ := path.Match(argument, id.String()); fits || argument == "*" {
				found = true
				take(id)
			}
		}
		if !found {
			return nil, &venuekey.Error{Class: venuekey.ClassFailed, Reason: "no sign-in fits " + argument, Remedy: "venuekey list"}
		}
	}
	return ids, nil
}

// each does something with each sign-in that the arguments stand for. One that
// fails is told and does not keep the others from it; the exit code is the worst.
// With --json several give one list.
func (p *program) each(ctx context.Context, v *local.Vault, args []string, work func(venuekey.ID) (form any, words string, err error)) error {
	ids, err := chosen(ctx, v, args)
	if err != nil {
		return err
	}
	single := len(args) == 1 && !isPattern(args[0])
	forms, worst := []any{}, exitGood
	for _, id := range ids {
		form, words, err := work(id)
		switch {
		case err != nil && (single || ctx.Err() != nil):
			return err
		case err != nil:
			worst = worse(worst, p.finish(ctx, p.missing(ctx, v, err)))
		case single || !p.json:
			err = p.say(form, "%s", words)
		}
		if err == nil {
			forms = append(forms, form)
		}
	}
	if p.json && !single {
		if err := p.writeJSON(forms); err != nil {
			return err
		}
	}
	return codeOnly(worst)
}

// turns spaces the renewals of one run as the venue wants them: a human who asks
// for one is not kept waiting, a pattern may stand for thousands.
type turns map[string]int

func (t turns) wait(ctx context.Context, p *program, id venuekey.ID) error {
	venue, known := venueOf(id.Venue)
	if !known {
		return nil
	}
	burst, pace := venue.Policy().Pacing()
	if t[id.Venue]++; t[id.Venue] <= burst {
		return nil
	}
	if pace > 5*time.Second {
		p.tell("%s takes one renewal in %s: %s waits for that (Ctrl-C ends it)", id.Venue, span(pace), id)
	}
	select {
	case <-time.After(pace):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// completeSomeIDs offers the sign-ins that are not there yet.
func (p *program) completeSomeIDs(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
	ids, directive := p.completeIDs(cmd, nil, typed)
	return slices.DeleteFunc(ids, func(id string) bool { return slices.Contains(args, id) }), directive
}
