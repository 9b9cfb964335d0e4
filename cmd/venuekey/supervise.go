package main

import (
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"time"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/terminal"
)

// supervise.go owns running a program for longer than its token lives: this process stays, tells
// the program of each new token or starts it again with it, and ends as it ends.

// leftOpen is how long what a program left behind may keep its output open.
const leftOpen = time.Second

// onRotate is what happens to a running program when there is a new token.
type onRotate struct {
	signal  func(pid int) error // nil for none
	restart bool
}

// parseOnRotate reads "nothing", "restart" or "signal:HUP".
func parseOnRotate(text string) (r onRotate, err error) {
	name, isSignal := strings.CutPrefix(text, "signal:")
	switch {
	case text == "nothing":
	case text == "restart":
		r.restart = true
	case isSignal:
		r.signal, err = signalNamed(name)
	default:
		err = errors.New("it is nothing, restart or signal:HUP")
	}
	if err != nil {
		return r, misused("--on-rotate signal:HUP", "exec: --on-rotate %s: %v", text, err)
	}
	return r, nil
}

// supervisor runs a program.
type supervisor struct {
	p       *program
	from    signIns
	id      venuekey.ID
	path    string
	args    []string
	flags   execFlags
	secrets *secretSet
}

// child is a program that was started.
type child struct {
	command  *exec.Cmd
	maskers  []*masker
	finished chan error
}

// run runs the program until it ends by itself, and returns its exit code. Signals are its
// business: it gets them, and this process waits for what it makes of them.
func (s *supervisor) run(ctx context.Context, token *venuekey.Token) (int, error) {
	s.p.grip.take() // a first signal ends neither this process nor what it waits for
	defer s.p.grip.give()
	arrived := make(chan os.Signal, 16)
	signal.Notify(arrived, forwarded()...)
	defer signal.Stop(arrived)
	following, stop := context.WithCancel(context.WithoutCancel(ctx))
	newer := make(chan *venuekey.Token)
	followed := make(chan struct{})
	go func() { defer close(followed); s.follow(following, token, newer) }()
	defer func() { stop(); <-followed }()
	now, err := s.start(token)
	if err != nil {
		return 0, err
	}
	for {
		select {
		case err := <-now.finished:
			return endOf(now.command, err), now.end()
		case one := <-arrived:
			s.pass(now, one)
		case token = <-newer:
			if now, err = s.rotate(now, token, arrived); err != nil || now == nil {
				return 0, err
			}
		}
	}
}

// rotate tells the program of a new token, or starts it again. It returns no program if that ended
// by itself, with its exit code as the error.
func (s *supervisor) rotate(now *child, token *venuekey.Token, arrived <-chan os.Signal) (*child, error) {
	s.hide(token)
	switch {
	case s.flags.rotation.signal != nil:
		if err := s.flags.rotation.signal(now.command.Process.Pid); err != nil {
			s.p.tell("venuekey: note: %s: the program was not told of the new token: %v", s.id, err)
		}
		return now, nil
	case !s.flags.rotation.restart:
		return now, nil
	}
	select {
	case err := <-now.finished: // by itself, just now
		return nil, errors.Join(codeOnly(endOf(now.command, err)), now.end())
	default:
	}
	if ended, err := s.stop(now, arrived); err != nil || ended {
		return nil, err
	}
	return s.start(token)
}

// stop asks the program to end, and ends it when its time is over. It reports whether somebody else
// wants it to end as well, by a signal that came meanwhile; then it is not started again.
func (s *supervisor) stop(now *child, arrived <-chan os.Signal) (ended bool, err error) {
	_ = askToEnd(now.command.Process)
	timer := time.NewTimer(s.flags.stopTimeout)
	defer timer.Stop()
	for {
		select {
		case err := <-now.finished:
			if ended {
				return true, errors.Join(codeOnly(endOf(now.command, err)), now.end())
			}
			return false, now.end()
		case one := <-arrived:
			ended = ended || isEnd(one)
			s.pass(now, one)
		case <-timer.C:
			s.p.tell("%s: the program did not end within %s, and is killed", s.id, span(s.flags.stopTimeout))
			_ = now.command.Process.Kill()
		}
	}
}

// start starts the program with a token in its environment.
func (s *supervisor) start(token *venuekey.Token) (*child, error) {
	environ, err := s.p.childEnviron(s.id, token, s.flags)
	if err != nil {
		return nil, err
	}
	s.hide(token)
	now := &child{finished: make(chan error, 1)}
	now.command = &exec.Cmd{Path: s.path, Args: s.args, Env: environ, Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, WaitDelay: leftOpen}
	if s.flags.mask {
		now.command.Stdout, now.command.Stderr = now.masker(s, os.Stdout), now.masker(s, os.Stderr)
	}
	if err := now.command.Start(); err != nil {
		return nil, notRunnable{s.args[0], exitNotStarted, err}
	}
	go func() { now.finished <- now.command.Wait() }()
	return now, nil
}

func (r *child) masker(s *supervisor, out io.Writer) *masker {
	m := &masker{out: out, secrets: s.secrets}
	r.maskers = append(r.maskers, m)
	return m
}

// end writes what was held back of the program's output.
func (r *child) end() (err error) {
	for _, m := range r.maskers {
		err = errors.Join(err, m.end())
	}
	return err
}

// hide adds a token, and what else of it the program gets, to what is masked.
func (s *supervisor) hide(token *venuekey.Token) {
	s.secrets.add(token.Access)
	for name := range s.flags.extras {
		s.secrets.add(token.Extra(name))
	}
}

// pass passes a signal on. What a person types at a terminal, such as Ctrl-C, reaches the program
// without us: it is in our process group, which owns the terminal.
func (s *supervisor) pass(now *child, one os.Signal) {
	if _, typed := terminal.Of(os.Stdin); typed && isTyped(one) {
		return
	}
	_ = now.command.Process.Signal(one)
}

// follow sends each token that is newer than the one before, until the context ends. Trouble is
// told once, and leaves the program alone.
func (s *supervisor) follow(ctx context.Context, last *venuekey.Token, newer chan<- *venuekey.Token) {
	told := ""
	for ctx.Err() == nil {
		token, err := newerToken(ctx, s.from, s.id, last.Generation, patience)
		pause := time.Duration(0)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			if reason := oneLine(err.Error()); reason != told {
				told = reason
				s.p.tell("venuekey: note: %s; the program goes on with its token until %s", reason, exactly(last.Expires))
			}
			pause = pauseAfter(err)
		case token != nil && token.Access != last.Access:
			told, last = "", token
			select {
			case newer <- token:
			case <-ctx.Done():
			}
		case token != nil: // the same one, written anew
			last = token
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
	}
}

// pauseAfter is how long to wait after an error before the next try.
func pauseAfter(failure error) time.Duration {
	if known, ok := errors.AsType[*venuekey.Error](failure); ok && known.RetryAfter > 0 {
		return min(max(known.RetryAfter, time.Second), 30*time.Second)
	}
	return 2 * time.Second
}

// endOf is the exit code of a program, as a shell has it: 128 and its number for a signal.
func endOf(command *exec.Cmd, err error) int {
	if command.ProcessState == nil {
		return exitFailed
	}
	if code, ok := signalCode(command.ProcessState); ok {
		return code
	}
	if code := command.ProcessState.ExitCode(); code >= 0 {
		return code
	}
	return exitFailed
}

// check refuses flags that do not fit together.
func (f *execFlags) check() (err error) {
	if f.rotation, err = parseOnRotate(f.onRotate); err != nil {
		return err
	}
	if f.stopTimeout <= 0 {
		return misused("--stop-timeout 30s", "exec: --stop-timeout is a time above zero")
	}
	return nil
}

// stays reports whether this process stays beside the program.
func (f *execFlags) stays() bool { return f.mask || f.rotation.restart || f.rotation.signal != nil }
