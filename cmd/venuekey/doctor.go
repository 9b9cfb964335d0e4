package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/internal/environ"
	"github.com/venuekey/venuekey/internal/own"
	"github.com/venuekey/venuekey/internal/typo"
	"github.com/venuekey/venuekey/key"
	"github.com/venuekey/venuekey/local"
	"github.com/venuekey/venuekey/oauth"
)

// doctor.go owns the command doctor: it checks everything that can be wrong on this
// machine. It contacts no venue and changes nothing.

func (p *program) doctorCmd() *cobra.Command {
	return &cobra.Command{
		Use:     "doctor",
		GroupID: groupSetup,
		Short:   "Check this machine: files, key, clock, apps, redirects, sign-ins",
		Long: `Check everything on this machine that can keep a sign-in from working, one line
for each: files and their permissions, the key, the clock, each app and what its
redirect URI means, whether a listener can use that port, the browser, and the
status of each sign-in. It contacts no venue and changes nothing.

The exit code is 0 if nothing is bad, 5 if an app, an address or a setting is,
and 1 if anything else is.`,
		Example: `  venuekey doctor
  venuekey doctor --json | jq '.[] | select(.verdict != "ok")'`,
		Args:              nothing,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, _ []string) error {
			d := &doctor{p: p}
			d.examine(cmd.Context())
			return d.report()
		},
	}
}

// finding is one line of the report.
type finding struct {
	Verdict string `json:"verdict"` // ok, note, warn or bad
	What    string `json:"what"`
	Says    string `json:"says"`
	Try     string `json:"try,omitempty"`
	// Exit is the exit code for this finding.
	Exit int `json:"exit"`
}

type doctor struct {
	p        *program
	findings []finding
	// redirects has the venue of each redirect uri.
	redirects map[string]string
}

func (d *doctor) ok(what, format string, args ...any) {
	d.find("ok", exitGood, what, "", format, args...)
}
func (d *doctor) note(what, format string, args ...any) {
	d.find("note", exitGood, what, "", format, args...)
}
func (d *doctor) warn(what, try, format string, args ...any) {
	d.find("warn", exitGood, what, try, format, args...)
}

func (d *doctor) find(verdict string, exit int, what, try, format string, args ...any) {
	d.findings = append(d.findings, finding{verdict, oneLine(what), oneLine(fmt.Sprintf(format, args...)), oneLine(try), exit})
}

// bad reports an error. Any exit code but that of a wrong configuration becomes a failure.
func (d *doctor) bad(what string, err error) {
	f := d.p.explain(err)
	exit := exitFailed
	if f.Exit == exitMisconfigured {
		exit = exitMisconfigured
	}
	d.find("bad", exit, what, f.Remedy, "%s", f.Error)
}

func (d *doctor) examine(ctx context.Context) {
	v := version()
	d.note("version", "venuekey %s, %s, %s", v.Version, v.Go, v.Platform)
	place, err := d.p.place()
	d.environment()
	if err != nil {
		d.bad("files", err)
		return
	}
	d.folder("config", place, place.Config)
	if place.Data != place.Config {
		d.folder("data", place, place.Data)
	}
	for _, folder := range place.Spills() {
		d.note("spill", "renewed tokens that cannot be saved to the vault are kept in %s", folder)
	}
	if err := place.CheckRuntime(); err != nil {
		d.warn("spill", "unset XDG_RUNTIME_DIR, or log in as this user", "XDG_RUNTIME_DIR is not used: %v", err)
	}
	d.note("marks", "how far sign-ins were renewed is recorded in %s", place.Marks())
	d.clock(place.Data)
	d.browser()
	d.vault(ctx)
}

func (d *doctor) environment() {
	for _, name := range environ.Unknown(d.p.environ, d.p.venues()) {
		try := "venuekey help environment"
		if near := d.p.nearestVariable(name); near != "" {
			try = near
		}
		d.warn("environment", try, "%s is set, but venuekey has no such variable", name)
	}
}

func (p *program) nearestVariable(name string) string {
	best, least := "", 5
	for _, known := range environ.KnownVariables(p.venues()) {
		if d := typo.Distance(name, known); d < least {
			best, least = known, d
		}
	}
	return best
}

func (d *doctor) folder(what string, place *local.Place, path string) {
	info, err := os.Stat(path)
	exposed := place.CheckFolder(path)
	switch {
	case venuekey.ClassOf(exposed) == venuekey.ClassMisconfigured:
		d.bad(what, exposed)
	case errors.Is(err, fs.ErrNotExist):
		d.note(what, "%s does not exist yet; it is created when needed", path)
	case err != nil:
		d.bad(what, err)
	case !info.IsDir():
		d.bad(what, &venuekey.Error{Class: venuekey.ClassMisconfigured, Reason: path + " is a file, not a folder", Remedy: "move it away, or set VENUEKEY_HOME"})
	case runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0:
		d.warn(what, "chmod 700 "+path, "%s is open to other users (mode %04o)", path, info.Mode().Perm())
	default:
		d.ok(what, "%s (mode %04o)", path, info.Mode().Perm())
	}
}

// clock compares the clock with what is known without a network. With a wrong clock,
// tokens seem valid or expired when they are not.
func (d *doctor) clock(data string) {
	now := time.Now()
	if year := now.Year(); year < 2025 || year > 2100 {
		d.find("bad", exitFailed, "clock", "set the clock", "the clock says that it is the year %d", year)
		return
	}
	var file *os.File
	err := own.Folder(data)
	if err == nil {
		file, err = os.CreateTemp(data, ".doctor-*")
	}
	if err != nil {
		file, err = os.CreateTemp("", "venuekey-doctor-*")
	}
	if err != nil {
		d.ok("clock", "%s", now.Format(time.RFC3339))
		return
	}
	defer os.Remove(file.Name())
	info, err := file.Stat()
	if err := errors.Join(err, file.Close()); err != nil {
		d.bad("clock", err)
		return
	}
	if off := info.ModTime().Sub(now); off > 2*time.Second || off < -2*time.Second {
		d.warn("clock", "set both clocks", "the file system's clock is %s away from this machine's", off.Round(time.Second))
		return
	}
	d.ok("clock", "%s, and the file system agrees", now.Format(time.RFC3339))
}

func (d *doctor) browser() {
	path, err := browserProgram()
	switch {
	case !d.p.hasDisplay():
		d.note("browser", "there is no display: sign in with --paste, or forward the redirect's port")
	case err != nil:
		d.warn("browser", "install xdg-utils, or open the address yourself", "there is no program that opens one")
	default:
		d.ok("browser", "can be opened %s", path)
	}
}

// vault checks what needs the open vault. It checks sealed records only if there is a key.
func (d *doctor) vault(ctx context.Context) {
	err := d.p.withVault(ctx, func(v *local.Vault) error {
		switch {
		case v.Missing:
			d.note("vault", "%s does not exist yet; the first venuekey app add, init or login creates it", v.Place.Address().String())
		case v.Key.Choice == key.ChoiceAutomatic:
			d.note("key", "there is none yet; it is created when something is saved")
			d.writable(ctx, v, v.Place.Address().String())
		default:
			d.ok("key", "kept by %s: %s, id %s", v.Key.Choice, v.Key.Where, v.Key.ID)
			d.writable(ctx, v, v.Place.Address().String())
		}
		d.apps(ctx, v)
		d.signIns(ctx, v)
		return nil
	})
	if err != nil {
		d.bad("vault", err)
	}
}

// writable checks that the vault can be written.
func (d *doctor) writable(ctx context.Context, v *local.Vault, path string) {
	if err := v.Writable(ctx); err != nil {
		d.bad("vault", err)
		return
	}
	d.ok("vault", "%s opens and is writable", path)
}

// apps checks the app of every venue. Of the venues that a file describes only those count that
// somebody uses.
func (d *doctor) apps(ctx context.Context, v *local.Vault) {
	for _, venue := range local.Venues() {
		d.app(ctx, v, venue)
	}
	for _, name := range v.Place.VenueNames() {
		if slices.ContainsFunc(local.Venues(), func(one venuekey.Venue) bool { return one.Name() == name }) {
			continue
		}
		venue, err := v.Place.Venue(name)
		if err != nil {
			d.bad("venue "+name, &venuekey.Error{Class: venuekey.ClassMisconfigured, Reason: err.Error(), Remedy: "venuekey venue check " + name})
			continue
		}
		if _, _, err := v.App(ctx, name); !local.NotRegistered(err) {
			d.app(ctx, v, venue)
		}
	}
}

func (d *doctor) app(ctx context.Context, v *local.Vault, venue venuekey.Venue) {
	what := "app " + venue.Name()
	app, from, err := v.App(ctx, venue.Name())
	if local.NotRegistered(err) {
		d.note(what, "none is registered; add one with venuekey app add %s", venue.Name())
		return
	}
	if err == nil {
		err = check(venue, app)
	}
	if err != nil {
		d.bad(what, err)
		return
	}
	d.ok(what, "%s, from %s", cmp.Or(app.ClientID, "known by its API key"), from)
	if base := app.URLs["base"]; base != "" {
		d.note(what, "requests go to %s instead of the venue", base)
	}
	if at := environ.EmulatedAt(app); at != "" {
		d.note(what, "emulated: its sign-ins do not work at the real venue")
	}
	if venue.Name() == "tradovate" {
		d.tradovate(ctx, v, venue, app)
	}
	if app.ClientID != "" {
		d.redirect(what, app.RedirectURI)
		d.mixUp(what, venue.Name(), app.RedirectURI)
	}
}

// mixUp notes two venues with the same redirect URI. A different one for each tells their
// answers apart (RFC 9700 §4.4.2). The default is the same for all, because apps are
// registered with it.
func (d *doctor) mixUp(what, venue, uri string) {
	if other := d.redirects[uri]; other != "" {
		d.note(what, "%s has the same redirect uri: register a different one for each, as in …/callback/%s, so that neither venue can receive an answer meant for the other", other, venue)
		return
	}
	d.redirects = with(d.redirects, uri, venue)
}

// redirect explains what the venue will compare, and tries to listen there as a sign-in
// would.
func (d *doctor) redirect(what, uri string) {
	redirect, err := oauth.ParseRedirect(uri)
	if err != nil {
		d.bad(what, err)
		return
	}
	d.note(what, "redirect uri %s", uri)
	for _, line := range redirect.Notes() {
		d.note(what, "%s", line)
	}
	if !redirect.Loopback {
		return
	}
	for _, address := range redirect.Addresses() {
		if host, _, _ := net.SplitHostPort(address); !hasFamily(host) {
			d.note(what, "this machine has no %s, so nothing listens there", host)
			continue
		}
		socket, err := net.Listen("tcp", address)
		if err == nil {
			err = socket.Close()
		}
		if err != nil {
			d.warn(what, "end the program that uses the port; or sign in with --paste and a browser on another machine", "cannot listen on %s: %v", address, plainNetError(err))
			continue
		}
		d.ok(what, "a sign-in can listen on %s", address)
	}
}

// hasFamily reports whether this machine has that loopback address.
func hasFamily(host string) bool {
	socket, err := net.Listen("tcp", net.JoinHostPort(host, "0"))
	return err == nil && socket.Close() == nil
}

// plainNetError returns the innermost error, which does not repeat the address.
func plainNetError(err error) error {
	for inner := err; inner != nil; inner = errors.Unwrap(inner) {
		err = inner
	}
	return err
}

func (d *doctor) signIns(ctx context.Context, v *local.Vault) {
	defer func() {
		if !slices.ContainsFunc(d.findings, func(f finding) bool { return f.What == "sign-ins" || strings.Contains(f.What, "/") }) {
			d.warn("sign-ins", "sign in; or if you have signed in before, name that vault with VENUEKEY_HOME or --store", "0 sign-ins at %s", d.p.where())
		}
	}()
	for status, err := range v.Keeper.Statuses(ctx) {
		if err != nil {
			d.bad("sign-ins", err)
			return
		}
		what, judged := cmp.Or(status.ID.String(), "record"), d.p.judge(status)
		says := string(status.State) + ", expires " + d.p.expiry(status)
		if d.p.expiry(status) == ended {
			says = string(status.State) + ", its access token was ended"
		}
		if status.Reason != "" {
			says += ": " + status.Reason
		}
		if status.Spilled {
			says += ": the renewed token is in a spill file, because it could not be saved to the vault"
		}
		switch {
		case status.Err != nil:
			d.bad(what, status.Err)
		case judged.exit != exitGood:
			d.find("bad", exitFailed, what, judged.help, "%s", says)
		case status.Odd != "":
			d.warn(what, "find out what besides venuekey writes to the vault", "%s", says)
		case judged.help != "":
			d.warn(what, judged.help, "%s", says)
		case len(status.ScopesMissing) > 0:
			d.warn(what, d.p.loginCommand(status.ID), "%s, without the requested scope %s", says, strings.Join(status.ScopesMissing, " "))
		case status.Limits != "":
			d.note(what, "%s; %s", says, status.Limits)
		default:
			d.ok(what, "%s", says)
		}
	}
}

func (d *doctor) report() error {
	worst := exitGood
	look := d.p.style()
	colours := map[string]string{"ok": green, "note": faint, "warn": yellow, "bad": red}
	for _, f := range d.findings {
		worst = worse(worst, f.Exit)
		if d.p.json {
			continue
		}
		line := fmt.Sprintf("%s  %s: %s", look.paint(cell{fmt.Sprintf("%-4s", f.Verdict), colours[f.Verdict]}), f.What, f.Says)
		if f.Try != "" {
			line += "\n      try: " + f.Try
		}
		if _, err := fmt.Fprintln(d.p.stdout, line); err != nil {
			return err
		}
	}
	if d.p.json {
		if err := d.p.writeJSON(d.findings); err != nil {
			return err
		}
	}
	return codeOnly(worst)
}
