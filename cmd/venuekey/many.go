package main

import (
	"context"
	"errors"
	"iter"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/local"
)

// many.go owns what the commands on several sign-ins share: IDs and patterns, and the work
// on each.

// isPattern reports whether an argument is a pattern for IDs.
func isPattern(argument string) bool { return strings.ContainsAny(argument, "*?[") }

// someIDs accepts IDs and patterns, at least one.
func (p *program) someIDs(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return misused(usageOf(cmd), "%s takes IDs, as in ctrader/alice, or a pattern in quotes, as in 'ctrader/*'", cmd.Name())
	}
	for _, argument := range args {
		if !isPattern(argument) {
			if _, err := p.parseID(cmd, argument); err != nil {
				return err
			}
		} else if _, err := path.Match(argument, ""); err != nil {
			return misused("'ctrader/*'", "%s: %q is not a pattern: %v", cmd.Name(), argument, err)
		}
	}
	return nil
}

// chosen returns the sign-ins that the arguments name, each once. A pattern that matches
// none is an error.
func chosen(ctx context.Context, all func(context.Context) iter.Seq2[venuekey.ID, error], args []string) (ids []venuekey.ID, err error) {
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
		for id, err := range all(ctx) {
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
			return nil, &venuekey.Error{Class: venuekey.ClassFailed, Reason: "no sign-in matches " + argument, Remedy: "venuekey list"}
		}
	}
	return ids, nil
}

// each calls work for each sign-in that the arguments name. It reports a failure and goes
// on; the exit code is the worst. With --json, several sign-ins become one list.
func (p *program) each(ctx context.Context, v *local.Vault, args []string, work func(venuekey.ID) (form any, words string, err error)) error {
	return p.eachOf(ctx, vaultSignIns{p, v}, args, work)
}

// eachOf is each for the sign-ins of a vault or an agent.
func (p *program) eachOf(ctx context.Context, from signIns, args []string, work func(venuekey.ID) (form any, words string, err error)) error {
	ids, err := chosen(ctx, from.IDs, args)
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
			worst = worse(worst, p.finish(ctx, p.missingFrom(ctx, from, err)))
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

// turns spaces the renewals of one run as the venue's policy says: a pattern may match
// thousands of sign-ins. The first ones, up to the burst, do not wait.
type turns map[string]int

func (t turns) wait(ctx context.Context, p *program, id venuekey.ID) error {
	venue, known := p.venueOf(id.Venue)
	if !known {
		return nil
	}
	burst, pace := venue.Policy().Pacing()
	if t[id.Venue]++; t[id.Venue] <= burst {
		return nil
	}
	if pace > 5*time.Second {
		p.tell("%s allows one renewal every %s: waiting to renew %s (Ctrl-C to stop)", id.Venue, span(pace), id)
	}
	select {
	case <-time.After(pace):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// completeSomeIDs offers the sign-ins that are not among the arguments yet.
func (p *program) completeSomeIDs(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
	ids, directive := p.completeIDs(cmd, nil, typed)
	return slices.DeleteFunc(ids, func(id string) bool { return slices.Contains(args, id) }), directive
}
