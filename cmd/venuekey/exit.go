package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/venuekey/venuekey"
)

// exit.go owns how a run ends: the exit codes, and the words for an error.

// The exit codes, which the help topic "exit-codes" explains.
const (
	exitGood          = 0
	exitFailed        = 1
	exitUsage         = 2
	exitSignIn        = 3
	exitTemporary     = 4
	exitMisconfigured = 5
	exitDoubtful      = 6
	exitNotStarted    = 126
	exitNotFound      = 127
	exitInterrupted   = 130
)

// quiet ends the run with an exit code; everything was printed already.
type quiet int

func (quiet) Error() string { return "" }

// failure is an error as it is printed, in words or as JSON.
type failure struct {
	Error  string `json:"error"`
	ID     string `json:"id,omitempty"`
	Class  string `json:"class"`
	Code   string `json:"code,omitempty"`
	Remedy string `json:"remedy,omitempty"`
	Exit   int    `json:"exit"`
}

// finish prints what went wrong, if anything did, and returns the exit code.
func (p *program) finish(ctx context.Context, err error) int {
	if err == nil {
		return exitGood
	}
	if code, ok := errors.AsType[quiet](err); ok {
		return int(code)
	}
	f := p.explain(err)
	if ctx.Err() != nil && f.Exit != exitDoubtful {
		f = failure{Error: "interrupted", Class: "interrupted", Exit: exitInterrupted}
	}
	if p.notes != nil {
		p.notes.Error(oneLine(f.Error), "id", f.ID, "class", f.Class, "remedy", f.Remedy, "exit", f.Exit)
		return f.Exit
	}
	if p.wantsJSON() {
		line, _ := jsonLine(f)
		p.tell("%s", line)
		return f.Exit
	}
	p.tell("venuekey: %s", oneLine(f.Error))
	if f.Remedy != "" {
		p.tell("  try: %s", oneLine(f.Remedy))
	}
	return f.Exit
}

// explain finds what an error means for the person who reads it.
func (p *program) explain(err error) failure {
	if wrong, ok := errors.AsType[usage](err); ok {
		return failure{Error: wrong.reason, Class: "usage", Remedy: wrong.try, Exit: exitUsage}
	}
	if doubt, ok := errors.AsType[doubtful](err); ok {
		return failure{Error: doubt.Error(), ID: doubt.id.String(), Class: "may have been carried out", Code: doubt.code, Remedy: doubt.try, Exit: exitDoubtful}
	}
	if known, ok := errors.AsType[*venuekey.Error](err); ok {
		f := failure{Error: known.Error(), ID: known.ID.String(), Class: known.Class.String(), Code: known.Code, Exit: exitOf(known.Class)}
		f.Remedy = p.remedy(known)
		return f
	}
	if gone, ok := errors.AsType[notRunnable](err); ok {
		return failure{Error: gone.Error(), Class: venuekey.ClassFailed.String(), Exit: gone.code}
	}
	return failure{Error: err.Error(), Class: venuekey.ClassFailed.String(), Exit: exitFailed}
}

func exitOf(class venuekey.Class) int {
	switch class {
	case venuekey.ClassRefused:
		return exitSignIn
	case venuekey.ClassMisconfigured:
		return exitMisconfigured
	case venuekey.ClassNotSent, venuekey.ClassLater, venuekey.ClassUnknown:
		return exitTemporary
	default:
		return exitFailed
	}
}

// remedy returns the error's own remedy, or else the command that helps.
func (p *program) remedy(err *venuekey.Error) string {
	switch {
	case err.Remedy != "":
		return err.Remedy
	case err.Class == venuekey.ClassRefused && err.ID.Name != "":
		return p.loginCommand(err.ID)
	case err.Class == venuekey.ClassMisconfigured && errors.Is(err, venuekey.ErrNotFound):
		return "venuekey app add " + err.ID.Venue
	case err.Class == venuekey.ClassLater && err.RetryAfter > 0:
		return "again " + in(err.RetryAfter)
	case err.Class == venuekey.ClassDamaged && err.ID.Name != "":
		return "venuekey doctor; or sign in again, which replaces it: " + p.loginCommand(err.ID)
	case err.Class == venuekey.ClassDamaged, err.Class == venuekey.ClassMisconfigured:
		return "venuekey doctor"
	case exitOf(err.Class) == exitTemporary:
		return "again in a minute; it may pass by itself"
	}
	return ""
}

// loginCommand is the command that signs a user in on this machine.
func (p *program) loginCommand(id venuekey.ID) string {
	command := "venuekey login " + id.String()
	if !p.hasDisplay() {
		command += " --paste"
	}
	return command
}

// usage is the error for a wrong use of a command: what is wrong, and what to try.
type usage struct{ reason, try string }

func (u usage) Error() string { return u.reason }

func misused(try, format string, args ...any) error {
	return usage{reason: fmt.Sprintf(format, args...), try: try}
}

// doubtful is the error for a request that may have been carried out and must not be
// repeated.
type doubtful struct {
	id        venuekey.ID
	code, try string
	err       error
}

func (d doubtful) Error() string { return d.err.Error() }
func (d doubtful) Unwrap() error { return d.err }

// notRunnable is the error for a program that cannot be run.
type notRunnable struct {
	name string
	code int
	err  error
}

func (n notRunnable) Error() string { return fmt.Sprintf("exec: %s: %v", n.name, n.err) }
func (n notRunnable) Unwrap() error { return n.err }

// wantsJSON reports whether errors are JSON, even if the arguments could not be parsed to
// the end.
func (p *program) wantsJSON() bool {
	if p.json {
		return true
	}
	for _, arg := range p.args {
		if arg == "--" {
			break
		}
		if arg == "--json" {
			return true
		}
	}
	return false
}
