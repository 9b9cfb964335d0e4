package main

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/internal/own"
)

// watch_token.go owns the command watch: a file that always has a good token, for a program that
// reads one. What is in it and who is told is in watch_file.go.

type watchFlags struct {
	file, format, signal, pidFile, run string
	once                               bool
}

func (p *program) watchCmd() *cobra.Command {
	flags := watchFlags{format: "token"}
	cmd := &cobra.Command{
		Use:     "watch ID --file PATH",
		GroupID: groupUse,
		Short:   "Keep a good token in a file, and tell a program of each new one",
		Long: `Keep a good access token in a file until Ctrl-C, for a program that reads one: a
reader finds the old token or the new one, whole. The refresh token is never in
it. The file has mode 0600, in a folder that only you can write to.

  token    the access token alone
  header   Authorization: Bearer …
  env      VENUEKEY_ACCESS_TOKEN=… and what "venuekey exec" sets, a line each
  json     as "venuekey token --json" prints it

Whenever there is a new token, --signal is sent to the process whose number is
in --pid-file, and the program that --exec names is called: with VENUEKEY_EVENT
(renewed), VENUEKEY_ID and the rest that the hook of "venuekey run" gets, for 30
seconds at most, and never with a token. A process that is not there is a note
on standard error and no more.

If the sign-in dies, the file stays until the token in it expires; then it is
removed, and comes back when you have signed in again. While an agent runs, it
is asked; otherwise the token is renewed by this program. --once writes the file
and ends, for cron: the exit codes are those of "venuekey token".`,
		Example: `  venuekey watch ctrader/alice --file token
  venuekey watch ctrader/alice --file token --signal HUP --pid-file bot.pid
  venuekey watch ctrader/alice --file bot.env --format env --once
  venuekey watch tradovate/bot --file token.json --format json --once`,
		Args:              oneID,
		ValidArgsFunction: p.completeIDs,
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.watchToken(cmd.Context(), mustID(args), flags)
		},
	}
	cmd.Flags().StringVar(&flags.file, "file", "", "the `PATH` of the file")
	cmd.Flags().StringVar(&flags.format, "format", flags.format, "token, header, env or json")
	cmd.Flags().StringVar(&flags.signal, "signal", "", "send this `SIGNAL`, such as HUP, to --pid-file's process")
	cmd.Flags().StringVar(&flags.pidFile, "pid-file", "", "a `FILE` with the number of the process")
	cmd.Flags().StringVar(&flags.run, "exec", "", "run this `PROGRAM` at each new token")
	cmd.Flags().BoolVar(&flags.once, "once", false, "write the file once, and end")
	_ = cmd.RegisterFlagCompletionFunc("format", cobra.FixedCompletions(tokenFormats, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

// watching is a run of the command.
type watching struct {
	p     *program
	id    venuekey.ID
	flags watchFlags
	file  *tokenFile
	hooks *hooks

	written *venuekey.Token // what is in the file; nil for nothing
	trouble string          // what was told last; "" while all is well
}

func (p *program) watchToken(ctx context.Context, id venuekey.ID, flags watchFlags) error {
	w := &watching{p: p, id: id, flags: flags}
	var err error
	if w.file, err = flags.target(id); err != nil {
		return err
	}
	hook := ""
	if flags.run != "" {
		if hook, err = exec.LookPath(flags.run); err != nil {
			return notRunnable{name: flags.run, code: exitNotFound, err: err}
		}
	}
	w.hooks = p.newHooks(hook)
	defer w.hooks.close()
	return p.withSignIns(ctx, func(from signIns) error {
		if flags.once {
			token, state, err := p.tokenOf(ctx, from, id)
			if err != nil {
				return err
			}
			return w.write(token, state)
		}
		p.tell("keeping a token of %s in %s (Ctrl-C ends it)", id, flags.file)
		for ctx.Err() == nil {
			if err := w.step(ctx, from); err != nil {
				return err
			}
		}
		return nil
	})
}

// patience is how long a step waits for a newer token.
const patience = 20 * time.Second

// step waits for a token that is newer than the file's, and writes it. Only what concerns the file
// is an error.
func (w *watching) step(ctx context.Context, from signIns) error {
	than := int64(-1)
	if w.written != nil {
		than = w.written.Generation
	}
	token, err := newerToken(ctx, from, w.id, than, patience)
	switch {
	case ctx.Err() != nil:
		return nil
	case err == nil && token == nil:
		w.recovered()
	case err == nil:
		w.recovered()
		return w.write(token, "")
	default:
		w.tell(err)
		return w.expire(ctx, err)
	}
	return nil
}

// newerToken returns a token of a later generation, or nil when the wait is over.
func newerToken(ctx context.Context, from signIns, id venuekey.ID, than int64, wait time.Duration) (*venuekey.Token, error) {
	if a, ok := from.(agentSignIns); ok && than >= 0 {
		return a.Newer(ctx, id, than, wait)
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	for {
		token, _, err := from.Token(ctx, id)
		if err != nil || token.Generation > than {
			return token, err
		}
		select {
		case <-timer.C:
			return nil, nil
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(time.Second):
		}
	}
}

// write writes a token into the file, and tells whoever wants to know, unless it was there already.
func (w *watching) write(token *venuekey.Token, state venuekey.State) error {
	changed, err := w.file.write(token, state)
	if err != nil {
		return err
	}
	w.written = token
	if !changed {
		return nil
	}
	w.hooks.tell(venuekey.Event{Kind: venuekey.EventRenewed, At: time.Now(), Reason: "there is a new token in " + w.flags.file,
		Status: venuekey.Status{ID: w.id, State: venuekey.StateFresh, Expires: token.Expires, Left: time.Until(token.Expires), Generation: token.Generation}})
	if w.file.signal != nil {
		if err := w.file.send(); err != nil {
			w.p.tell("venuekey: note: %s: %s was not sent: %v", w.id, w.flags.signal, err)
		}
	}
	return nil
}

// tell tells a person once what is wrong.
func (w *watching) tell(err error) {
	if reason := err.Error(); w.trouble != reason {
		w.trouble = reason
		w.p.tell("venuekey: note: %s", oneLine(reason))
		if venuekey.NeedsSignIn(err) {
			w.p.tell("  try: %s", w.p.loginCommand(w.id))
		}
	}
}

func (w *watching) recovered() {
	if w.trouble != "" {
		w.trouble = ""
		w.p.tell("%s: recovered", w.id)
	}
}

// expire removes the file once its token has expired, and waits a while.
func (w *watching) expire(ctx context.Context, failure error) error {
	pause := 2 * time.Second
	var known *venuekey.Error
	if errors.As(failure, &known) && known.RetryAfter > 0 {
		pause = min(max(known.RetryAfter, time.Second), 30*time.Second)
	}
	if w.written != nil {
		left := time.Until(w.written.Expires)
		if left <= 0 || !w.written.Valid(time.Now()) {
			if err := os.Remove(w.flags.file); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return &venuekey.Error{ID: w.id, Op: "watch", Class: venuekey.ClassFailed, Err: err}
			}
			w.p.tell("%s: its token has expired, and %s is removed", w.id, w.flags.file)
			w.written = nil
		} else {
			pause = min(pause, left)
		}
	}
	select {
	case <-ctx.Done():
	case <-time.After(pause):
	}
	return nil
}

// target checks where the flags lead, before anything is asked.
func (f watchFlags) target(id venuekey.ID) (*tokenFile, error) {
	usage := "venuekey watch " + id.String() + " --file token"
	switch {
	case f.file == "":
		return nil, misused(usage, "watch: no --file is named")
	case !isTokenFormat(f.format):
		return nil, misused(usage+" --format env", "watch: a file has one of the formats %s", strings.Join(tokenFormats, ", "))
	case (f.signal == "") != (f.pidFile == ""):
		return nil, misused(usage+" --signal HUP --pid-file bot.pid", "watch: --signal and --pid-file belong together")
	}
	t := &tokenFile{id: id, path: f.file, format: f.format, pidFile: f.pidFile}
	if f.signal != "" {
		var err error
		if t.signal, err = signalNamed(f.signal); err != nil {
			return nil, misused(usage+" --signal HUP --pid-file bot.pid", "watch: %v", err)
		}
	}
	if err := own.Folder(filepath.Dir(f.file)); err != nil {
		return nil, &venuekey.Error{ID: id, Op: "watch", Class: venuekey.ClassMisconfigured, Err: err}
	}
	info, err := os.Lstat(f.file)
	if err == nil && !info.Mode().IsRegular() {
		return nil, &venuekey.Error{ID: id, Op: "watch", Class: venuekey.ClassMisconfigured, Reason: f.file + " is there already, and is no file", Remedy: "name another file"}
	}
	return t, nil
}

// pidIn reads the number of a process from a file that only this user can write.
func pidIn(path string) (int, error) {
	text, err := own.Read(path, 32, 0o022)
	if err != nil {
		return 0, err
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil || pid <= 1 {
		return 0, errors.New(path + " holds no number of a process")
	}
	return pid, nil
}
