package main

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/internal/environ"
	"github.com/venuekey/venuekey/local"
)

// login.go owns the one moment at which a human is needed.

type loginFlags struct {
	noBrowser, paste bool
	scopes           list
	timeout          time.Duration
}

func (p *program) loginCmd() *cobra.Command {
	var flags loginFlags
	cmd := &cobra.Command{
		Use:     "login ID",
		GroupID: groupSignIns,
		Short:   "Sign in at a venue",
		Long: `Sign a user in at a venue and keep what the venue gives. The ID is the venue and
a name of your choice, as in ctrader/alice; "ctrader" alone is ctrader/default.

A browser opens at an address on this machine that works once, and that is
printed too. There it gets a cookie and is sent on to the venue's page. Once you
have allowed access, the venue sends it back to this machine, where a listener
waits for this browser and no other. The code that it brings is exchanged at
once: it lives for a minute at most.

If your browser is on another machine, open the venue's own address, which is
printed second, and paste the address that the browser ends at, whole or only
the code in it. The listener waits as well, and whichever comes first counts. A
terminal always takes what is pasted; --paste takes it from a pipe too. Through
a forwarded port (ssh -L) the first address works as well.

If another program has the listener's port, a browser on this machine would
bring the code to that program, so none is opened. Free the port, or use --paste
and a browser on another machine.

Where a venue signs in by name and password, as Tradovate does with an API key,
both are asked for. A service sets them as VENUEKEY_TRADOVATE_NAME and
VENUEKEY_TRADOVATE_PASSWORD, or …_PASSWORD_FILE.

At cTrader the Open API is asked whose sign-in it is, once that is kept: check
that the user and the accounts it prints are the right ones. You are warned if
another account takes the place of an earlier one.

Where no app is registered for the venue yet, a terminal asks for it first, as
"venuekey app add" does.

Ctrl-C gives up and keeps nothing; the exit code is then 130.`,
		Example: `  venuekey login ctrader/alice
  venuekey login ctrader/alice --no-browser   # open the address yourself, or paste
  venuekey login ctrader/alice --scope accounts`,
		Args:              oneID,
		ValidArgsFunction: p.completeNewIDs,
		RunE:              func(cmd *cobra.Command, args []string) error { return p.login(cmd.Context(), mustID(args), flags) },
	}
	cmd.Flags().BoolVar(&flags.noBrowser, "no-browser", false, "print the address and open no browser")
	cmd.Flags().BoolVar(&flags.paste, "paste", false, "take the address or code from a pipe, too")
	cmd.Flags().Var(&flags.scopes, "scope", "ask for these scopes this time")
	cmd.Flags().DurationVar(&flags.timeout, "timeout", 10*time.Minute, "how long to wait for the human")
	return cmd
}

func (p *program) login(ctx context.Context, id venuekey.ID, flags loginFlags) error {
	if flags.timeout <= 0 {
		return misused("--timeout 10m", "login: nobody can sign in within %s", flags.timeout)
	}
	p.scopes = flags.scopes
	app, err := p.appForLogin(ctx, id)
	if err != nil {
		return err
	}
	return p.withNewVault(ctx, func(v *local.Vault) error {
		err := p.keepDrawn(ctx, v, id.Venue)
		if app != nil {
			err = v.Vault.SaveApp(ctx, *app)
		}
		if err != nil {
			return err
		}
		p.tell("signing in %s", id)
		p.tellOfOthers(ctx, v, id)
		before, _ := v.Keeper.Status(ctx, id) // nobody, if it cannot be read
		waiting, cancel := context.WithTimeout(ctx, flags.timeout)
		defer cancel()
		token, err := v.Keeper.SignIn(waiting, id, p.console(id, flags))
		token, err = p.settled(ctx, v, id, token, err)
		if err != nil {
			return loginError(err)
		}
		token = p.tellOwner(ctx, v, id, token, before.User)
		as := ""
		if token.User != "" {
			as = " as " + token.User
		}
		return p.say(kept(id, token), "%s is signed in%s; the token lives %s", id, as, span(time.Until(token.Expires)))
	})
}

// fewOthers is how many sign-ins are named that a new one may end. With more of
// them it is a service, which knows whom it signs in.
const fewOthers = 3

// tellOfOthers warns where a venue ends an earlier sign-in of a user who signs in
// again. Only the venue will know who it is, so whoever signs in has to judge.
func (p *program) tellOfOthers(ctx context.Context, v *local.Vault, id venuekey.ID) {
	venue, known := venueOf(id.Venue)
	if !known || venue.Policy().MaxSessions == 0 {
		return
	}
	rivals, err := v.Keeper.Rivals(ctx, id)
	if err != nil {
		return // SignIn tells of what is wrong
	}
	var others []string
	for _, other := range rivals {
		others = append(others, other.String())
	}
	switch most := venue.Policy().MaxSessions; {
	case len(others) < most || len(others) > fewOthers:
	case most == 1:
		p.tell("%s keeps one sign-in of a user: if this is the user of %s, that one ends", id.Venue, strings.Join(others, " or "))
	default:
		p.tell("%s keeps %d sign-ins of a user: if this is the user of %s, the oldest ends", id.Venue, most, strings.Join(others, " and "))
	}
}

// loginError says what keeps a browser from coming back, most often.
func loginError(err error) error {
	known, ok := errors.AsType[*venuekey.Error](err)
	if !ok || known.Remedy != "" || !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	told := *known
	told.Remedy = "compare redirect uri and registration: venuekey doctor"
	return &told
}

// keepDrawn keeps, for an app that only the environment knows, the values that
// a venue draws once for ever: they must be the same at the next sign-in.
func (p *program) keepDrawn(ctx context.Context, v *local.Vault, venueName string) error {
	venue, _ := venueOf(venueName)
	if _, err := v.StoredApp(ctx, venueName); !local.NotRegistered(err) {
		return err
	}
	if _, _, err := v.App(ctx, venue.Name()); err != nil {
		return nil // SignIn says so
	}
	drawn := drawnDefaults(venue)
	if len(drawn) == 0 {
		return nil
	}
	return v.Vault.SaveApp(ctx, venuekey.App{Venue: venueName, Params: drawn})
}

// drawnDefaults are the defaults of a venue's fields that come out differently
// each time.
func drawnDefaults(venue venuekey.Venue) map[string]venuekey.Secret {
	var drawn map[string]venuekey.Secret
	again := environ.Form(venue).Fields
	for i, field := range environ.Form(venue).Fields {
		if field.Default != again[i].Default {
			drawn = with(drawn, field.Name, venuekey.Secret(field.Default))
		}
	}
	return drawn
}
