package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/emulator"
	"github.com/venuekey/venuekey/emulator/ctrader/openapi"
	"github.com/venuekey/venuekey/emulator/tradovate"
	"github.com/venuekey/venuekey/internal/draft"
	"github.com/venuekey/venuekey/internal/environ"
	"github.com/venuekey/venuekey/internal/own"
	"github.com/venuekey/venuekey/local"
)

// emulate.go owns the command emulate.

type emulateFlags struct {
	portBase int
	shell    string
	hosts    list
	tls      bool
	set      pairs
	list     bool
}

func (p *program) emulateCmd() *cobra.Command {
	var flags emulateFlags
	cmd := &cobra.Command{
		Use:     "emulate [VENUE|FILE]...",
		GroupID: groupTry,
		Short:   "Run emulated venues on this machine",
		Long: `Run emulated venues on this machine until Ctrl-C: all that are written in Go, or
those named, also of a file that describes one ("venuekey venue list"). Print an
environment for another shell, in which every venuekey command works with them.
It has a separate VENUEKEY_HOME, so that made-up sign-ins stay apart from real
ones.

The ports are 9101 for cTrader, 9102 and 9103 for Tradovate's live and demo
host, and 9104 for TheTradingParrot; --port-base counts them from another
number. Tradovate's WebSocket is on its hosts, and market data are at 9109.
cTrader's Open API is at 9105 (live) and 9107 (demo), and its JSON form at 9106
and 9108, with TLS, over both TCP and WebSocket. Venues of files follow at 9110,
in the order in which they are named. With --tls all the others speak
TLS too. The certificates are signed by an authority that is created at each
start; VENUEKEY_CTRADER_CA_FILE, and with --tls the same for the other venues,
names the file with its certificate. They name this machine; --host adds other
names, for a client whose host is fixed and that /etc/hosts sends here.

Set every variable that is printed, or none: a command that finds only some of
them stops before it reaches the real venue.

Like real venues, they send users back only to the registered redirect URI,
` + local.DefaultRedirect + `; the knob anyLoopbackRedirect makes them
accept any on this machine.

How the venues behave is up to switches, such as lifetimes, quotas and how
refresh tokens rotate: --set sets them for the start, wherever one of the venues
has them, and --switches lists them. The documentation of each venue's package,
such as emulator/tradovate, explains them at its Knobs. While the venues run you
can change them at the address /_emulator/ of each, and lose answers, add
errors, or move the clock.`,
		Example: `  venuekey emulate
  venuekey emulate ctrader --shell fish
  venuekey emulate ctrader --host live.ctraderapi.com --host demo.ctraderapi.com
  venuekey emulate tradovate --tls --host demo.tradovateapi.com
  venuekey emulate tradovate --set AccessLife=90s --set UserLimit=100
  venuekey emulate tradovate --switches
  venuekey emulate schwab
  curl http://127.0.0.1:9101/_emulator/state
  curl -d '{"rotation":"grace-new-pair"}' http://127.0.0.1:9101/_emulator/knobs
  curl -d '{"on":"refresh","kind":"drop-after"}' http://127.0.0.1:9101/_emulator/faults
  curl -d '{"advance":"720h"}' http://127.0.0.1:9101/_emulator/clock`,
		Args:              p.venuesOnly,
		ValidArgsFunction: p.completeVenues,
		RunE:              func(cmd *cobra.Command, args []string) error { return p.emulate(cmd.Context(), args, flags) },
	}
	cmd.Flags().IntVar(&flags.portBase, "port-base", 9100, "the `NUMBER` that ports are counted from")
	cmd.Flags().StringVar(&flags.shell, "shell", "sh", "for this `SHELL`: sh, fish or powershell")
	cmd.Flags().Var(&flags.hosts, "host", "add this host `NAME` to the certificates")
	cmd.Flags().BoolVar(&flags.tls, "tls", false, "serve HTTP and WebSockets with TLS")
	cmd.Flags().Var(&flags.set, "set", "set a switch `NAME=VALUE`")
	cmd.Flags().BoolVar(&flags.list, "switches", false, "list the switches, and do nothing else")
	_ = cmd.RegisterFlagCompletionFunc("set", p.completeSwitches)
	_ = cmd.RegisterFlagCompletionFunc("shell", cobra.FixedCompletions([]string{"sh", "fish", "powershell"}, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

func (p *program) venuesOnly(cmd *cobra.Command, args []string) error {
	for _, name := range args {
		if isPath(name) {
			continue // a file that describes one
		}
		if err := p.knownVenue(cmd, name); err != nil {
			return err
		}
	}
	return nil
}

func (p *program) emulate(ctx context.Context, names []string, flags emulateFlags) error {
	sh, ok := shells()[flags.shell]
	if !ok {
		return misused("sh, fish or powershell", "emulate: there is no shell %q", flags.shell)
	}
	if flags.portBase < 1 || flags.portBase > 65520 {
		return misused("--port-base 9100", "emulate: ports cannot be counted from %d", flags.portBase)
	}
	venues, err := p.chosenVenues(ctx, names)
	if err != nil {
		return err
	}
	if err := setKnobs(venues, flags.set); err != nil {
		return err
	}
	if flags.list {
		return p.showSwitches(venues)
	}
	return p.runEmulated(ctx, venues, flags, sh)
}

// chosenVenues returns the emulated venues of these names, and those that files describe; all that are
// written in Go if there is none.
func (p *program) chosenVenues(ctx context.Context, names []string) ([]emulated, error) {
	venues := emulatedVenues(false)
	written := func(name string) bool {
		return slices.ContainsFunc(venues, func(e emulated) bool { return e.venue == name })
	}
	chosen := slices.DeleteFunc(slices.Clone(venues), func(e emulated) bool { return len(names) > 0 && !slices.Contains(names, e.venue) })
	for i, name := range names {
		if written(name) {
			continue
		}
		d, err := p.definitionOf(name)
		if err != nil {
			return nil, err
		}
		chosen = append(chosen, emulatedFrom(d, firstDefinedPort+i))
	}
	return chosen, nil
}

// runEmulated runs emulated venues until the context ends.
func (p *program) runEmulated(ctx context.Context, venues []emulated, flags emulateFlags, sh shell) error {
	home, err := p.emulatedHome()
	if err != nil {
		return err
	}
	authority := emulator.NewAuthority(flags.hosts...)
	var web servers
	if flags.tls {
		web.secure = authority.Config()
	}
	shown := emulation{Environment: []setting{{"VENUEKEY_HOME", home}}}
	for _, e := range venues {
		if e.api != nil {
			e.api.Authority = authority
		}
		err := shown.start(&web, e, flags.portBase)
		if err == nil && e.api != nil {
			err = shown.startAPI(&web, e, flags.portBase)
		}
		if err == nil && (flags.tls || e.api != nil) {
			err = shown.trust(e.venue, filepath.Join(home, e.venue+"-ca.pem"), authority)
		}
		if err != nil {
			return errors.Join(err, web.stop())
		}
	}
	if err := p.showEmulation(shown, sh); err != nil {
		return errors.Join(err, web.stop())
	}
	p.grip.take() // requests in flight are answered
	defer p.grip.give()
	<-ctx.Done()
	return web.stop()
}

// emulatedHome is next to the real files, never among them.
func (p *program) emulatedHome() (string, error) {
	real, err := p.place()
	if err != nil {
		return "", err
	}
	return filepath.Join(filepath.Dir(real.Data), filepath.Base(real.Data)+"-emulated"), nil
}

// emulation is what a person, or a program, needs to use emulated venues.
type emulation struct {
	Venues      []emulatedJSON  `json:"venues"`
	Users       []emulatedLogin `json:"users"`
	Environment []setting       `json:"environment"`
}

type emulatedJSON struct {
	Venue string `json:"venue"`
	Host  string `json:"host,omitempty"`
	URL   string `json:"url"`
	Admin string `json:"admin,omitempty"`
}

// emulatedLogin is a made-up user; the password is not secret.
type emulatedLogin struct {
	Name     string `json:"name"`
	Password string `json:"password"`
}

type setting struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

func (e *emulation) start(web *servers, one emulated, base int) error {
	app := emulatedApp()
	for _, host := range one.hosts {
		at, err := web.serve(fmt.Sprintf("127.0.0.1:%d", base+host.port), host.handler)
		if err != nil {
			return &venuekey.Error{ID: venuekey.ID{Venue: one.venue}, Op: "emulate", Class: venuekey.ClassFailed, Err: err,
				Reason: fmt.Sprintf("cannot listen on port %d: %v", base+host.port, plainNetError(err)),
				Remedy: "end the program that uses it, or choose other ports: --port-base 9200"}
		}
		e.Venues = append(e.Venues, emulatedJSON{one.venue, host.name, at, at + emulator.AdminPath})
		if host.url != "" {
			e.Environment = append(e.Environment, setting{environ.Variable(one.venue, host.url+"_URL"), at})
		}
	}
	if one.sockets != nil {
		web.others = append(web.others, closing(one.sockets))
	}
	if !one.noClient {
		e.Environment = append(e.Environment,
			setting{environ.Variable(one.venue, "CLIENT_ID"), app.ClientID},
			setting{environ.Variable(one.venue, "CLIENT_SECRET"), app.ClientSecret})
	}
	for _, name := range slices.Sorted(maps.Keys(one.fields)) {
		e.Environment = append(e.Environment, setting{environ.Variable(one.venue, name), one.fields[name]})
	}
	return nil
}

// closing is a function as an io.Closer.
type closing func()

// Close implements io.Closer.
func (c closing) Close() error { c(); return nil }

// startAPI starts the Open API.
func (e *emulation) startAPI(web *servers, one emulated, base int) error {
	at := func(port int) string { return fmt.Sprintf("127.0.0.1:%d", base+port) }
	one.api.Listen = openapi.Addresses{LiveProtobuf: at(5), LiveJSON: at(6), DemoProtobuf: at(7), DemoJSON: at(8)}
	if err := one.api.Start(); err != nil {
		return &venuekey.Error{ID: venuekey.ID{Venue: one.venue}, Op: "emulate", Class: venuekey.ClassFailed, Err: err,
			Reason: fmt.Sprintf("cannot listen on ports %d to %d: %v", base+5, base+8, plainNetError(err)),
			Remedy: "end the program that uses them, or choose other ports: --port-base 9200"}
	}
	web.others = append(web.others, one.api)
	ports := one.api.Addresses()
	for _, host := range []struct{ name, address, variable string }{
		{"live", ports.LiveProtobuf, "LIVE_ADDRESS"}, {"demo", ports.DemoProtobuf, "DEMO_ADDRESS"},
	} {
		e.Venues = append(e.Venues, emulatedJSON{Venue: one.venue, Host: host.name, URL: "tls://" + host.address})
		e.Environment = append(e.Environment, setting{environ.Variable(one.venue, host.variable), host.address})
	}
	return nil
}

// trust writes the authority's certificate to a file for clients of a venue.
func (e *emulation) trust(venue, file string, authority *emulator.Authority) error {
	if err := writeCertificate(file, authority.PEM()); err != nil {
		if explained := environ.FolderError(err, ""); explained != err {
			return explained
		}
		return &venuekey.Error{ID: venuekey.ID{Venue: venue}, Op: "emulate", Class: venuekey.ClassMisconfigured, Err: err, Reason: err.Error(), Remedy: "correct the path, or set VENUEKEY_HOME"}
	}
	e.Environment = append(e.Environment, setting{environ.Variable(venue, "CA_FILE"), file})
	return nil
}

// writeCertificate writes a file, and replaces whatever is there.
func writeCertificate(path string, text []byte) error {
	if err := own.MakeFolder(filepath.Dir(path)); err != nil {
		return err
	}
	return draft.Write(path, filepath.Base(path), os.Rename, func(file *os.File) error {
		_, err := file.Write(text)
		return err
	})
}

// shell is how a shell sets a variable, and writes a quote inside quotes.
type shell struct{ set, quote string }

func shells() map[string]shell {
	return map[string]shell{
		"sh":         {"export %s='%s'\n", `'\''`},
		"fish":       {"set -gx %s '%s'\n", `\'`},
		"powershell": {"$env:%s = '%s'\n", "''"},
	}
}

func (p *program) showEmulation(e emulation, s shell) error {
	for _, user := range emulator.DefaultUsers() {
		e.Users = append(e.Users, emulatedLogin{user.Name, user.Password})
	}
	if p.json {
		return p.writeJSON(e)
	}
	p.tell("emulated venues, until Ctrl-C:\n")
	for _, v := range e.Venues {
		p.tell("  %-9s %-4s  %s", v.Venue, v.Host, v.URL)
	}
	p.tell("\nmade-up users:\n")
	for _, user := range e.Users {
		p.tell("  %-6s password %s", user.Name, user.Password)
	}
	key := tradovate.DefaultKey()
	p.tell("\nTradovate also accepts name and password, with the API key cid %d, sec %s.", key.CID, key.Sec)
	p.tell("Paste this into another shell; then: venuekey login ctrader/alice\n")
	for _, v := range e.Environment {
		if _, err := fmt.Fprintf(p.stdout, s.set, v.Name, strings.ReplaceAll(v.Value, "'", s.quote)); err != nil {
			return err
		}
	}
	return nil
}
