package main

import (
	"context"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/venuekey/venuekey"
)

// exec.go owns running a program with a token in its environment. exec_unix.go and
// exec_windows.go own how the program replaces this process.

type execFlags struct {
	as          string
	extras      pairs
	onRotate    string
	rotation    onRotate // what onRotate says
	stopTimeout time.Duration
	mask        bool
}

func (p *program) execCmd() *cobra.Command {
	var flags execFlags
	cmd := &cobra.Command{
		Use:     "exec ID -- PROGRAM [ARGUMENT]...",
		GroupID: groupUse,
		Short:   "Run a program with a valid token in its environment",
		Long: `Run a program with a valid token in its environment:

  VENUEKEY_ACCESS_TOKEN   the access token; --as renames this variable
  VENUEKEY_TOKEN_TYPE     its type, for the Authorization header
  VENUEKEY_EXPIRES        its expiry, as in 2026-01-02T15:04:05Z
  VENUEKEY_EXPIRES_UNIX   the same in seconds
  VENUEKEY_ID             the sign-in

The program replaces venuekey, and its exit code is the exit code: 126 if it
cannot be run, 127 if it is not found. It gets the rest of the environment
without venuekey's secrets and passphrases: VENUEKEY_STORE has no password, and
there is no PGPASSWORD if the vault is in a database. The token in its
environment is not renewed while the program runs. A program that runs longer
calls "venuekey token" again, or is started again. For that it needs another way
to what was removed: for a database, ~/.pgpass or PGPASSFILE.

With --on-rotate venuekey stays beside the program, passes signals on, and acts
at each new token:

  nothing      as without it
  signal:HUP   it gets the signal, and asks for the token by itself; also USR1,
               USR2, INT and TERM
  restart      it is asked to end (SIGTERM; Windows just ends it), killed after
               --stop-timeout, and started again with the new token

A program that ends by itself is not started again: its exit code is the exit
code, 128 and the number for a signal. If the sign-in dies, a note says so and
the program goes on. If venuekey is killed, the program goes on alone.

--mask replaces the token and the extras, if they have eight letters or more, by
*** in what the program writes, wherever they are cut; not in another encoding.
The program then writes to a pipe and not to a terminal.`,
		Example: `  venuekey exec ctrader/alice -- ./bot --live
  venuekey exec ttp/alice --as TTP_TOKEN -- python bot.py
  venuekey exec tradovate/bot --extra mdAccessToken=TRADOVATE_MD_TOKEN -- ./bot
  venuekey exec ctrader/alice --on-rotate restart --mask -- ./bot`,
		Args:              p.execArgs,
		ValidArgsFunction: p.completeIDs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := flags.check(); err != nil {
				return err
			}
			return p.exec(cmd.Context(), mustID(args), args[1:], flags)
		},
	}
	cmd.Flags().StringVar(&flags.as, "as", "VENUEKEY_ACCESS_TOKEN", "the token `VARIABLE`")
	cmd.Flags().Var(&flags.extras, "extra", "add an extra, as in mdAccessToken=MD_TOKEN")
	cmd.Flags().StringVar(&flags.onRotate, "on-rotate", "nothing", "`WHAT` happens at a new token")
	cmd.Flags().DurationVar(&flags.stopTimeout, "stop-timeout", 30*time.Second, "how much `TIME` it has to end")
	cmd.Flags().BoolVar(&flags.mask, "mask", false, "hide the token in what the program writes")
	_ = cmd.RegisterFlagCompletionFunc("on-rotate", cobra.FixedCompletions([]string{"nothing", "signal:HUP", "restart"}, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

func (p *program) execArgs(cmd *cobra.Command, args []string) error {
	if cmd.ArgsLenAtDash() != 1 || len(args) < 2 {
		return misused(usageOf(cmd), "exec takes one ID, then -- and the program")
	}
	return p.oneID(cmd, args[:1])
}

func (p *program) exec(ctx context.Context, id venuekey.ID, command []string, flags execFlags) error {
	// What cannot run needs no token.
	path, err := p.find(command[0])
	if err != nil {
		return err
	}
	var environ []string
	err = p.withSignIns(ctx, func(from signIns) error {
		token, _, err := p.tokenOf(ctx, from, id)
		if err == nil && flags.stays() {
			s := &supervisor{p: p, from: from, id: id, path: path, args: command, flags: flags, secrets: new(secretSet)}
			code, err := s.run(ctx, token)
			return errors.Join(codeOnly(code), err)
		}
		if err == nil {
			environ, err = p.childEnviron(id, token, flags)
		}
		return err
	})
	if err != nil || flags.stays() {
		return err
	}
	code, err := p.become(path, command, environ)
	if err != nil {
		return notRunnable{command[0], exitNotStarted, err}
	}
	return codeOnly(code)
}

// childEnviron returns the program's environment with the token. It is the only place that
// puts a token into an environment.
func (p *program) childEnviron(id venuekey.ID, token *venuekey.Token, flags execFlags) ([]string, error) {
	given := map[string]string{
		"VENUEKEY_TOKEN_TYPE":   token.TypeOrBearer(),
		"VENUEKEY_EXPIRES":      exactly(token.Expires),
		"VENUEKEY_EXPIRES_UNIX": strconv.FormatInt(token.Expires.Unix(), 10),
		"VENUEKEY_ID":           id.String(),
	}
	given[flags.as] = string(token.Access)
	for extra, name := range flags.extras {
		value := token.Extra(extra)
		if value == "" {
			return nil, &venuekey.Error{ID: id, Op: "exec", Class: venuekey.ClassFailed, Reason: "the token has no extra " + extra,
				Remedy: "see what it has: venuekey token " + id.String() + " --json"}
		}
		given[name] = string(value)
	}
	for _, name := range slices.Sorted(maps.Keys(given)) {
		if name == "" || strings.ContainsAny(name, "=\x00") || strings.Contains(given[name], "\x00") {
			return nil, misused("a name as in --as BOT_TOKEN", "exec: %q cannot be the name of a variable", name)
		}
	}
	return p.programEnviron(given), nil
}

// find looks the program up in the PATH of this run.
func (p *program) find(name string) (string, error) {
	if strings.ContainsRune(name, filepath.Separator) || strings.Contains(name, "/") {
		return name, runnable(name, name)
	}
	found := error(notRunnable{name, exitNotFound, errors.New("no such program in PATH")})
	for _, folder := range filepath.SplitList(p.env("PATH")) {
		// An empty or relative entry would run a program from the current folder.
		if !filepath.IsAbs(folder) {
			continue
		}
		for _, suffix := range p.programSuffixes() {
			path := filepath.Join(folder, name+suffix)
			err := runnable(name, path)
			if err == nil {
				return path, nil
			}
			if is, ok := errors.AsType[notRunnable](err); ok && is.code == exitNotStarted {
				found = err
			}
		}
	}
	return "", found
}

func (p *program) programSuffixes() []string {
	if runtime.GOOS != "windows" {
		return []string{""}
	}
	return append([]string{""}, strings.Split(strings.ToLower(p.env("PATHEXT")), ";")...)
}

// runnable says why a file cannot be run as a program.
func runnable(name, path string) error {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return notRunnable{name, exitNotFound, errors.New("no such program")}
	case err != nil:
		return notRunnable{name, exitNotStarted, err}
	case info.IsDir():
		return notRunnable{name, exitNotStarted, errors.New("it is a folder")}
	case runtime.GOOS != "windows" && info.Mode().Perm()&0o111 == 0:
		return notRunnable{name, exitNotStarted, errors.New("it is not executable")}
	}
	return nil
}
