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

// login.go owns the command login, the one moment that needs a human.

type loginFlags struct {
	noBrowser, paste, keepPassword, endOldest bool
	scopes                                    list
	timeout                                   time.Duration
}

func (p *program) loginCmd() *cobra.Command {
	var flags loginFlags
	cmd := &cobra.Command{
		Use:     "login ID",
		GroupID: groupSignIns,
		Short:   "Sign in to a venue",
		Long: `Sign a user in to a venue and keep the tokens. The ID is the venue and a name of
your choice, as in ctrader/alice; "ctrader" alone means ctrader/default.

A browser opens an address on this machine that works once; the address is
printed too. There the browser gets a cookie and is sent on to the venue's page.
When you have allowed access, the venue sends it back to this machine, where a
listener accepts this browser and no other. The code that it brings is exchanged
at once: it is valid for a minute at most.

If your browser is on another machine, open the venue's own address, which is
printed second, and paste the address that the browser ends up at, or only the
code in it. The listener keeps waiting, and whichever comes first counts. You
can always paste into a terminal; with --paste the input can be a pipe. With a
forwarded port (ssh -L) the first address works as well.

If another program has the listener's port, no browser is opened: on this
machine it would bring the code to that program. Free the port, or use --paste
and a browser on another machine.

If a venue signs in with name and password, as Tradovate does with an API key,
you are asked for both. A service sets VENUEKEY_TRADOVATE_NAME and
VENUEKEY_TRADOVATE_PASSWORD, or …_PASSWORD_FILE.

Name and password are not kept. A session at Tradovate does not outlast its
longest maintenance, on Friday evenings and weekends, and then you have to sign
in again. With --keep-password both are sealed with the token, and you are
signed in again by them: only when nothing else renews the sign-in, and never
again once Tradovate has refused them or asked for a captcha.
Whoever has the vault and its key has your password then (RFC 9700 §2.4). The
next login without the flag, or logout, forgets it.

Tradovate allows a user two sessions, and ends the oldest for a third without a
word. If that would be one of this vault, you are asked first; if there is no
terminal nothing is sent, and --end-oldest is the answer. What signs in
elsewhere is not known here. A code from the venue's page says only afterwards
who signs in; then the sign-in that has ended is named.

After a sign-in to cTrader, the Open API is asked whose it is. Check that the
user and the accounts that are printed are the right ones. You are warned if
another account replaces an earlier one.

If no app is registered for the venue yet and you are at a terminal, you are
asked for it first, as by "venuekey app add".

Ctrl-C gives up and keeps nothing; the exit code is then 130.`,
		Example: `  venuekey login ctrader/alice
  venuekey login ctrader/alice --no-browser   # open the address yourself, or paste
  venuekey login ctrader/alice --scope accounts
  venuekey login tradovate/alice --keep-password`,
		Args:              p.oneID,
		ValidArgsFunction: p.completeNewIDs,
		RunE:              func(cmd *cobra.Command, args []string) error { return p.login(cmd.Context(), mustID(args), flags) },
	}
	cmd.Flags().BoolVar(&flags.noBrowser, "no-browser", false, "print the address, but open no browser")
	cmd.Flags().BoolVar(&flags.paste, "paste", false, "read the address or code from a pipe too")
	cmd.Flags().BoolVar(&flags.keepPassword, "keep-password", false, "keep name and password, to sign in by itself")
	cmd.Flags().BoolVar(&flags.endOldest, "end-oldest", false, "sign in even if the venue ends another sign-in for it")
	cmd.Flags().Var(&flags.scopes, "scope", "request these scopes this time")
	cmd.Flags().DurationVar(&flags.timeout, "timeout", 10*time.Minute, "how long to wait for the human")
	return cmd
}

func (p *program) login(ctx context.Context, id venuekey.ID, flags loginFlags) error {
	if flags.timeout <= 0 {
		return misused("--timeout 10m", "login: no one can sign in within %s", flags.timeout)
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
		p.tellOfDefinition(ctx, v, id.Venue)
		p.tell("signing in %s", id)
		p.tellOfOthers(ctx, v, id)
		p.tellOfCapacity(ctx, v, id)
		before, _ := v.Keeper.Status(ctx, id) // zero if it cannot be read
		waiting, cancel := context.WithTimeout(ctx, flags.timeout)
		defer cancel()
		if flags.keepPassword {
			p.warnOfPassword(id)
		}
		token, err := v.Keeper.SignInWith(waiting, id, p.console(id, flags), venuekey.SignInOptions{KeepPassword: flags.keepPassword, EndOldest: flags.endOldest})
		token, err = p.settled(ctx, v, id, token, err)
		if errors.Is(err, venuekey.ErrEndsOldest) {
			return misused("venuekey login "+id.String()+" --end-oldest", "%s", err)
		}
		if err != nil {
			return loginError(err)
		}
		if before.KeptPassword && !flags.keepPassword {
			p.tell("the password that was kept for %s is forgotten; to keep it: --keep-password", id)
		}
		if err := p.keepDefinition(ctx, v, id.Venue); err != nil {
			p.tell("venuekey: note: %s: the next sign-in cannot say whether the file that describes the venue has changed: %s", id, oneLine(err.Error()))
		}
		token = p.tellOwner(ctx, v, id, token, before.User)
		as := ""
		if token.User != "" {
			as = " as " + token.User
		}
		return p.say(kept(id, token), "%s is signed in%s; the token is valid for %s", id, as, span(time.Until(token.Expires)))
	})
}

// warnOfPassword says what keeping a password means, before it is typed.
func (p *program) warnOfPassword(id venuekey.ID) {
	p.tell("your name and password will be kept, sealed: whoever has the vault and its key has them (RFC 9700, section 2.4)")
	p.tell("to forget them: venuekey login %s without --keep-password, or venuekey logout %s", id, id)
}

// definitionMark is the app's parameter with the mark of the file that described its venue at the last
// sign-in.
const definitionMark = "definition_mark"

// tellOfDefinition says that a file of this user's, which decides where secrets go, is another one than at
// the last sign-in.
func (p *program) tellOfDefinition(ctx context.Context, v *local.Vault, venue string) {
	mark := v.Place.DefinitionMark(venue)
	app, err := v.StoredApp(ctx, venue)
	if before := string(app.Params[definitionMark]); err == nil && before != "" && before != mark {
		p.tell("warning: the file that describes %s has changed since the last sign-in\n  try: venuekey venue show %[1]s, before you go on", venue)
	}
}

// keepDefinition remembers the file for the next sign-in.
func (p *program) keepDefinition(ctx context.Context, v *local.Vault, venue string) error {
	mark := v.Place.DefinitionMark(venue)
	if mark == "" {
		return nil
	}
	app, err := v.StoredApp(ctx, venue)
	switch {
	case local.NotRegistered(err):
		app = venuekey.App{Venue: venue} // the environment has the rest
	case err != nil:
		return err
	case string(app.Params[definitionMark]) == mark:
		return nil
	}
	params := map[string]venuekey.Secret{definitionMark: venuekey.Secret(mark)}
	for name, value := range app.Params {
		if name != definitionMark {
			params[name] = value
		}
	}
	app.Params = params
	return v.Vault.SaveApp(ctx, app)
}

// fewOthers is how many sign-ins are named at most that a new one may end. A vault with
// more is a service's, which knows whom it signs in.
const fewOthers = 3

// tellOfOthers warns if the venue ends an earlier sign-in of a user who signs in again.
// Only the venue will know which user it is, so the person has to judge.
func (p *program) tellOfOthers(ctx context.Context, v *local.Vault, id venuekey.ID) {
	venue, known := p.venueOf(id.Venue)
	if !known || venue.Policy().MaxSessions == 0 {
		return
	}
	rivals, err := v.Keeper.Rivals(ctx, id)
	if err != nil {
		return // SignIn reports what is wrong
	}
	var others []string
	for _, other := range rivals {
		others = append(others, other.String())
	}
	switch most := venue.Policy().MaxSessions; {
	case len(others) < most || len(others) > fewOthers:
	case most == 1:
		p.tell("%s allows one sign-in per user: if this is the user of %s, that sign-in ends", id.Venue, strings.Join(others, " or "))
	default:
		p.tell("%s allows %d sign-ins per user: if this is the user of %s, the oldest ends", id.Venue, most, strings.Join(others, " and "))
	}
}

// loginError adds the most common reason why a browser does not come back.
func loginError(err error) error {
	known, ok := errors.AsType[*venuekey.Error](err)
	if !ok || known.Remedy != "" || !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	late := *known
	late.Remedy = "compare the redirect uri with your registration: venuekey doctor"
	return &late
}

// keepDrawn saves, for an app that only the environment has, the random values that must
// be the same at every sign-in.
func (p *program) keepDrawn(ctx context.Context, v *local.Vault, venueName string) error {
	venue, _ := p.venueOf(venueName)
	if _, err := v.StoredApp(ctx, venueName); !local.NotRegistered(err) {
		return err
	}
	if _, _, err := v.App(ctx, venue.Name()); err != nil {
		return nil // SignIn reports it
	}
	drawn := drawnDefaults(venue)
	if len(drawn) == 0 {
		return nil
	}
	return v.Vault.SaveApp(ctx, venuekey.App{Venue: venueName, Params: drawn})
}

// drawnDefaults returns the defaults of a venue's fields that are random: they differ each
// time.
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
