package main

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/internal/typo"
	"github.com/venuekey/venuekey/key"
	"github.com/venuekey/venuekey/local"
	"github.com/venuekey/venuekey/terminal"
)

// root.go owns the tree of commands, and what they have in common.

// program is one run of the command: its host, and the flags that every command has.
type program struct {
	host
	// ui is the person at the terminal.
	ui      *terminal.UI
	json    bool
	verbose bool
	// store is the address of the vault that the flag names.
	store string
	// venuesIn is the folder of files that describe venues; "" is the usual one.
	venuesIn string
	// scopes are requested at this run's sign-in instead of the app's.
	scopes []string
	// choice says how to keep a new key.
	choice key.Choice
	// refused is the token that the venue refused, once it was read.
	refused func() venuekey.Secret
	// found is the location of the vault, once it was looked up.
	found *local.Place
	// names is the same for the names of venues alone; see definitions.
	naming sync.Mutex
	names  *local.Place
}

// The groups of commands in the help.
const (
	groupSignIns = "sign-ins"
	groupUse     = "use"
	groupSetup   = "setup"
	groupTry     = "try"
)

func (p *program) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "venuekey",
		Short: "Sign in to a trading venue once, and every program you run stays signed in",
		Long: `venuekey signs you in to trading venues (ctrader, tradovate, ttp, and any that a
file describes: "venuekey venue list"), keeps the tokens sealed on this machine,
renews them before they expire, and hands valid tokens to any program. "venuekey
demo" shows it all in a few seconds, without an account.`,
		Example: `  venuekey app add ctrader --client-id 1234_abc   # once: your app at the venue
  venuekey login ctrader/alice                    # once: a human and a browser
  venuekey token ctrader/alice                    # from then on, always a valid token
  venuekey exec ctrader/alice -- ./bot            # or a program that gets the token`,
		Args:              p.unknownCommand,
		RunE:              p.helpOrVersion,
		PersistentPreRun:  func(*cobra.Command, []string) { p.orderly() },
		SilenceErrors:     true,
		SilenceUsage:      true,
		DisableAutoGenTag: true,
	}
	root.AddGroup(
		&cobra.Group{ID: groupSignIns, Title: "Sign-ins:"},
		&cobra.Group{ID: groupUse, Title: "For your programs:"},
		&cobra.Group{ID: groupSetup, Title: "Setup:"},
		&cobra.Group{ID: groupTry, Title: "Try it out:"},
	)
	root.PersistentFlags().BoolVar(&p.json, "json", false, "write results, and errors, as JSON")
	root.PersistentFlags().BoolVarP(&p.verbose, "verbose", "v", false, "log to standard error")
	root.PersistentFlags().StringVar(&p.store, "store", "", "the vault: a `FILE`, or postgres://…")
	root.Flags().Bool("version", false, "print the version")
	root.SetHelpCommand(p.helpCmd())
	root.SetFlagErrorFunc(p.wrongFlag)
	p.addCommands(root)
	root.SetArgs(append([]string{}, p.args...))
	root.SetIn(p.stdin)
	root.SetOut(p.stdout)
	root.SetErr(p.stderr)
	return root
}

// commands has the constructor of each command, by name.
func (p *program) commands() map[string]func() *cobra.Command {
	return map[string]func() *cobra.Command{
		"login": p.loginCmd, "list": p.listCmd, "status": p.statusCmd, "refresh": p.refreshCmd, "logout": p.logoutCmd, "import": p.importCmd,
		"agent": p.agentCmd, "token": p.tokenCmd, "exec": p.execCmd, "run": p.runCmd, "venue": p.venueCmd, "watch": p.watchCmd, "credential": p.credentialCmd, "ctrader": p.ctraderCmd, "tradovate": p.tradovateCmd,
		"init": p.initCmd, "app": p.appCmd, "backup": p.backupCmd, "doctor": p.doctorCmd, "key": p.keyCmd, "store": p.storeCmd,
		"consumer": p.consumerCmd, "audit": p.auditCmd, "notify": p.notifyCmd,
		"demo": p.demoCmd, "emulate": p.emulateCmd,
		"version": p.versionCmd, "exit-codes": exitCodesTopic, "environment": environmentTopic, "files": filesTopic,
	}
}

// addCommands adds only the command that the arguments begin with, or all of them if there
// is none: creating all takes a tenth of the time that "venuekey token" takes.
func (p *program) addCommands(root *cobra.Command) {
	commands := p.commands()
	if len(p.args) > 0 && commands[p.args[0]] != nil {
		root.AddCommand(commands[p.args[0]]())
		root.CompletionOptions.DisableDefaultCmd = true
		return
	}
	for _, command := range commands { // help sorts them
		root.AddCommand(command())
	}
	root.InitDefaultCompletionCmd()
	if completion, _, err := root.Find([]string{"completion"}); err == nil {
		completion.Args, completion.RunE = p.unknownCommand, p.helpOrVersion
		completion.Example = "  source <(venuekey completion bash)"
	}
}

func (p *program) helpOrVersion(cmd *cobra.Command, _ []string) error {
	if asked, _ := cmd.Flags().GetBool("version"); asked {
		return p.tellVersion()
	}
	return cmd.Help()
}

// wrongFlag reports an unknown command before an unknown flag.
func (p *program) wrongFlag(cmd *cobra.Command, err error) error {
	if cmd.HasSubCommands() {
		if unknown := p.unknownCommand(cmd, cmd.Flags().Args()); unknown != nil {
			return unknown
		}
	}
	return misused(usageOf(cmd), "%v", err)
}

// unknownCommand refuses the arguments that no command takes, with the nearest command.
func (p *program) unknownCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	var names []string
	for _, known := range cmd.Commands() {
		names = append(names, known.Name())
	}
	try := cmd.CommandPath() + " --help"
	if near := nearest(args[0], names); near != "" {
		try = cmd.CommandPath() + " " + near
	}
	return misused(try, "%s has no command %q", cmd.CommandPath(), args[0])
}

// usageOf is the remedy for a wrong use of a command.
func usageOf(cmd *cobra.Command) string {
	return strings.TrimSuffix(cmd.UseLine(), " [flags]") + ", or " + cmd.CommandPath() + " --help"
}

// nothing accepts no argument.
func nothing(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return misused(usageOf(cmd), "%s takes no argument", cmd.Name())
	}
	return nil
}

// oneID accepts one ID of a known venue.
func (p *program) oneID(cmd *cobra.Command, args []string) error {
	if len(args) != 1 {
		return misused(usageOf(cmd), "%s takes one ID, as in ctrader/alice", cmd.Name())
	}
	_, err := p.parseID(cmd, args[0])
	return err
}

// perhapsOneID accepts one ID or none.
func (p *program) perhapsOneID(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	return p.oneID(cmd, args)
}

// oneVenue accepts the name of one known venue.
func (p *program) oneVenue(cmd *cobra.Command, args []string) error {
	if len(args) != 1 {
		return misused(usageOf(cmd), "%s takes one venue: %s", cmd.CommandPath(), strings.Join(p.venueNames(), ", "))
	}
	return p.knownVenue(cmd, args[0])
}

func (p *program) parseID(cmd *cobra.Command, text string) (venuekey.ID, error) {
	id, err := venuekey.ParseID(text)
	if err != nil {
		return id, misused(usageOf(cmd), "%v", err)
	}
	return id, p.knownVenue(cmd, id.Venue)
}

func (p *program) knownVenue(cmd *cobra.Command, name string) error {
	if _, ok := p.venueOf(name); ok {
		return nil
	}
	names := p.venueNames()
	if slices.Contains(names, name) || p.hasSignInsAt(cmd.Context(), name) { // its file has mistakes, or is gone
		return nil
	}
	try := strings.Join(names, ", ")
	if near := nearest(name, names); near != "" {
		try = near
	}
	return misused(try, "%s: there is no venue %q", cmd.Name(), name)
}

// hasSignInsAt reports whether the vault has sign-ins at a venue.
func (p *program) hasSignInsAt(ctx context.Context, venue string) (found bool) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second) // most such names are slips of the finger
	defer cancel()
	_ = p.withSealed(ctx, func(v *local.Vault) error { // without an answer there are none
		for id, err := range v.Vault.IDs(ctx) {
			if found = err == nil && id.Venue == venue; found {
				break
			}
		}
		return nil
	})
	return found
}

// mustID parses an argument that oneID has checked.
func mustID(args []string) venuekey.ID {
	id, _ := venuekey.ParseID(args[0])
	return id
}

// nearest returns the name that was probably meant, "" if none is near.
func nearest(text string, names []string) string {
	best, least := "", 3
	for _, name := range names {
		if d := typo.Distance(strings.ToLower(text), name); d < least {
			best, least = name, d
		}
		if text != "" && strings.HasPrefix(name, strings.ToLower(text)) && least > 1 {
			best, least = name, 1
		}
	}
	return best
}
