package main

import (
	"context"
	"time"

	"github.com/venuekey/venuekey"
)

// status_check.go owns the status for a watchdog: only what is wrong, or will be soon.

// usuallyWithin is how far "status --check" looks ahead by default: a weekend.
const usuallyWithin = 48 * time.Hour

// checkStatus shows the sign-ins with a problem, and ends with the code of the worst.
func (p *program) checkStatus(ctx context.Context, from signIns, only []string, within time.Duration) error {
	worst, forms, shown := exitGood, []statusJSON{}, statusTable()
	var sum summary
	seen := false
	check := func(s venuekey.Status) {
		seen = true
		if judged := p.judgeAhead(s, within); judged.exit != exitGood {
			worst = worse(worst, judged.exit)
			forms = append(forms, statusForm(s, judged))
			shown.add(p.statusRow(s, judged)...)
			sum.add(s)
		}
	}
	if len(only) > 0 {
		status, err := from.Status(ctx, mustID(only))
		if err != nil {
			return err
		}
		check(status)
	} else {
		for status, err := range from.Statuses(ctx) {
			if err != nil {
				return err
			}
			check(status)
		}
	}
	switch {
	case p.json:
		if err := p.writeJSON(forms); err != nil {
			return err
		}
	case len(forms) > 0:
		shown.write(p.stdout, p.style())
		sum.tellLeftAlone(p)
	}
	if !seen { // most likely another vault is meant, and no one would ever notice
		return &venuekey.Error{Op: "status", Class: venuekey.ClassMisconfigured, Reason: "there are no sign-ins to check at " + p.where(),
			Remedy: "set VENUEKEY_HOME or --store to where you signed in"}
	}
	return codeOnly(worst)
}

// judgeAhead is judge for a watchdog: a human has to sign in, now or within that time, or
// something is wrong that may pass.
func (p *program) judgeAhead(s venuekey.Status, within time.Duration) verdict {
	judged := p.judge(s)
	switch {
	case judged.exit == exitFailed || judged.exit == exitSignIn:
		return judged
	case s.Behind: // a human decides which copy is the newest
		judged.exit = exitSignIn
	case s.EndsWithin(within):
		return verdict{exitSignIn, p.loginCommand(s.ID)}
	case judged.exit == exitGood && (s.Spilled || s.State == venuekey.StateDegraded || s.State == venuekey.StateUncertain):
		judged.exit = exitTemporary
	}
	return judged
}
