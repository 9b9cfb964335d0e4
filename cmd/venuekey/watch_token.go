package main

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
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
removed, and comes back when you have signed in again. A file that cannot be
written, as on a full disk, is a note, and is tried again. While an agent runs,
it is asked; otherwise the token is renewed by this program. --once writes the
file and ends, for cron: the exit codes are those of "venuekey token".`,
		Example: `  venuekey watch ctrader/alice --file token
  venuekey watch ctrader/alice --file token --signal HUP --pid-file bot.pid
  venuekey watch ctrader/alice --file bot.env --format env --once
  venuekey watch tradovate/bot --file token.json --format json --once`,
		Args:              p.oneID,
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
				return errors.Join(err, w.discard(err))
			}
			return w.write(token, state)
		}
		p.tell("keeping a token of %s in %s (Ctrl-C ends it)", id, flags.file)
		for ctx.Err() == nil {
			w.step(ctx, from)
		}
		return nil
	})
}

// patience is how long a step waits for a newer token.
const patience = 20 * time.Second

// step waits for a token that is newer than the file's, and writes it. What goes wrong is told once,
// and tried again: a disk may have room later.
func (w *watching) step(ctx context.Context, from signIns) {
	than := int64(-1)
	if w.written != nil {
		than = w.written.Generation
	}
	token, err := newerToken(ctx, from, w.id, than, patience)
	switch {
	case ctx.Err() != nil:
	case err == nil && token == nil:
		w.recovered()
	case err == nil:
		if err = w.write(token, w.stateOf(ctx, from)); err == nil {
			w.recovered()
			return
		}
		w.tell(err)
		w.pause(ctx, pauseAfter(err))
	default:
		w.tell(err)
		w.expire(ctx, err)
	}
}

// stateOf returns the sign-in's state, for a file that has it.
func (w *watching) stateOf(ctx context.Context, from signIns) venuekey.State {
	if w.flags.format != "json" {
		return ""
	}
	_, state, _ := from.Token(ctx, w.id)
	return state
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
func (w *watching) expire(ctx context.Context, failure error) {
	pause := pauseAfter(failure)
	var err error
	switch {
	case w.written == nil: // this run has written none; an earlier one may have
		err = w.discard(failure)
	case !w.written.Valid(time.Now()):
		if err = w.remove("its token has expired"); err == nil {
			w.written = nil
		}
	default:
		pause = min(pause, time.Until(w.written.Expires))
	}
	if err != nil {
		w.tell(err)
	}
	w.pause(ctx, pause)
}

// discard removes the file that an earlier run left, if there is no good token: the one in it is
// older, or has ended. Anything that does not look like a token's file stays.
func (w *watching) discard(failure error) error {
	if !venuekey.NeedsSignIn(failure) || !w.file.isOurs() {
		return nil
	}
	return w.remove("there is no good token")
}

func (w *watching) remove(why string) error {
	err := os.Remove(w.flags.file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return &venuekey.Error{ID: w.id, Op: "watch", Class: venuekey.ClassFailed, Err: err}
	}
	w.p.tell("%s: %s, and %s is removed", w.id, why, w.flags.file)
	return nil
}

func (w *watching) pause(ctx context.Context, length time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(length):
	}
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
	return t, t.free()
}
