// Package terminal implements venuekey.UI for programs that run in a terminal. The zero
// value writes to standard error and reads from standard input:
//
//	token, err := keeper.SignIn(ctx, id, &terminal.UI{})
//
// It shows the address to open, accepts a pasted address in place of a callback, and
// explains what is usually wrong when nothing comes back. Passwords are not shown while
// they are typed, and the terminal is restored even if a signal ends the question.
//
// A read from a terminal ends with its context and consumes nothing, so the next line
// that is typed belongs to the next reader. On Windows, or if the input is not a file, an
// abandoned read continues until a line arrives; the UI then keeps that line for its own
// next question.
package terminal

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/internal/foreign"
)

// ui.go owns the conversation with the user who signs in.

// UI is a venuekey.UI on a terminal. Set its fields before the first call. Its methods
// are safe for concurrent use.
type UI struct {
	// In is where answers are read from; nil means standard input.
	In io.Reader
	// Out is where questions and progress are written; nil means standard error.
	Out io.Writer
	// Browse opens a browser at an address and may block while the browser runs; nil
	// means that the address is only shown. It is never called if another program would
	// receive the callback.
	Browse func(address string) error
	// Piped accepts a pasted address from In even if In is not a terminal.
	Piped bool
	// Silence is how long to wait for the callback before the user is told what is
	// usually wrong; zero means 30 s.
	Silence time.Duration
	// Advice is an additional line for that hint, such as a command that checks the
	// registration.
	Advice string

	mu     sync.Mutex
	visit  venuekey.Visit
	hinted bool
	start  sync.Once
	in     *input
}

var (
	_ venuekey.UI        = (*UI)(nil)
	_ venuekey.Confirmer = (*UI)(nil)
)

// ErrNothingEntered is returned by Ask if a required question gets no answer.
var ErrNothingEntered = errors.New("nothing was entered")

func (u *UI) input() *input {
	u.start.Do(func() {
		u.in = &input{from: u.In, turn: make(chan struct{}, 1)}
		if u.In == nil {
			u.in.from = os.Stdin
		}
	})
	return u.in
}

// Interactive reports whether In is a terminal.
func (u *UI) Interactive() bool {
	_, ok := Of(u.input().from)
	return ok
}

// TakesPaste reports whether Paste reads from In.
func (u *UI) TakesPaste() bool { return u.Piped || u.Interactive() }

func (u *UI) write(text string) {
	to := u.Out
	if to == nil {
		to = os.Stderr
	}
	_, _ = io.WriteString(to, text) // there is nowhere else to report it
}

// Tell implements venuekey.UI. It always writes exactly one line and removes control
// characters, because the text may repeat what a venue says.
func (u *UI) Tell(line string) { u.tell(foreign.Fit(line)) }

// tell writes this package's own text, which may have several lines.
func (u *UI) tell(text string) { u.write(text + "\n") }

// Confirm implements venuekey.Confirmer. The answer is no unless the user types yes, and if
// In is not a terminal.
func (u *UI) Confirm(ctx context.Context, question string) (bool, error) {
	if !u.Interactive() {
		return false, nil
	}
	u.write(foreign.Fit(question) + " [y/N] ")
	line, err := u.input().line(ctx)
	if err != nil {
		return false, err
	}
	said := strings.ToLower(strings.TrimSpace(string(line)))
	return said == "y" || said == "yes", nil
}

// Visit implements venuekey.UI. It returns an error of ClassMisconfigured, and shows no
// address, if the answer could not come back or would reach another program.
func (u *UI) Visit(_ context.Context, visit venuekey.Visit) error {
	if !visit.Listening && !u.TakesPaste() {
		return &venuekey.Error{Class: venuekey.ClassMisconfigured, Reason: visit.NotListening, Remedy: "free the port, or sign in from a terminal, where the address can be pasted"}
	}
	if u.Astray(visit) {
		return &venuekey.Error{Class: venuekey.ClassMisconfigured, Reason: visit.NotListening + "; a browser here would bring the code to whoever has the port", Remedy: "free the port, or register another redirect uri"}
	}
	u.mu.Lock()
	u.visit, u.hinted = visit, false
	u.mu.Unlock()
	u.invite(visit)
	if visit.CodeLife > 0 {
		u.tell(fmt.Sprintf("once access is allowed, the code is valid for %d s", int(visit.CodeLife.Seconds())))
	}
	if u.Browse != nil && visit.Open != "" {
		go func() {
			if err := u.Browse(visit.Open); err != nil {
				u.tell(fmt.Sprintf("no browser could be opened (%v): open the address yourself", foreign.FitError(err)))
			}
		}()
	}
	return nil
}

// Astray reports whether a browser that Browse opens would deliver the code to another
// program, because this sign-in does not hold the port of the redirect. A user who asked
// to paste the address, or has no browser opened here, can still use one on another
// machine.
func (u *UI) Astray(visit venuekey.Visit) bool {
	return visit.URL == "" && u.Browse != nil && !u.Piped
}

const pasteHere = "paste here the address that the browser shows at the end, or just the code in it"

// invite shows the user where to sign in.
func (u *UI) invite(visit venuekey.Visit) {
	elsewhere := "in a browser on another machine, then " + pasteHere + ":\n\n  " + visit.Elsewhere + "\n"
	switch {
	case visit.Listening:
		u.tell("open this address in a browser on this machine, sign in and allow access:\n\n  " + visit.URL + "\n")
		u.tell("waiting for the sign-in at " + visit.Redirect + " (Ctrl-C to give up)")
		if u.TakesPaste() {
			u.tell("or open this one " + elsewhere)
		}
	case visit.URL != "":
		u.tell("open this address in a browser, sign in and allow access:\n\n  " + visit.URL + "\n")
		u.tell("nothing is listening at " + visit.Redirect + ": " + visit.NotListening)
		u.tell("then " + pasteHere)
	default:
		u.tell("nothing is listening at " + visit.Redirect + ": " + visit.NotListening)
		u.tell("do not use a browser on this machine: it would deliver the code to the program that has that port.\nFree the port and start again, or open this address " + elsewhere)
	}
}

// tooLong stands for a line that is longer than any address.
const tooLong = "(a line without an end)"

// Paste implements venuekey.UI. If nothing can be pasted it only shows the hint in time,
// and waits until the context ends.
func (u *UI) Paste(ctx context.Context) (string, error) {
	silent := time.AfterFunc(u.silence(), u.hint)
	defer silent.Stop()
	if u.TakesPaste() {
		line, err := u.input().line(ctx)
		if errors.Is(err, errTooLong) {
			return tooLong, nil // a mistake like any other
		}
		return string(line), err
	}
	<-ctx.Done()
	return "", context.Cause(ctx)
}

func (u *UI) silence() time.Duration {
	if u.Silence > 0 {
		return u.Silence
	}
	return 30 * time.Second
}

// hint explains, once per visit, the usual cause of silence: with a wrong registration
// the venue does not send the browser back, so nothing arrives here.
func (u *UI) hint() {
	u.mu.Lock()
	visit, told := u.visit, u.hinted
	u.hinted = true
	u.mu.Unlock()
	if told {
		return
	}
	text := fmt.Sprintf("nothing has come back for %d s. Does the venue's page show an error? It sends the browser back only if\n"+
		"both of these match what is registered there exactly:\n\n", int(u.silence().Seconds()))
	address, err := url.Parse(visit.Elsewhere)
	if err == nil && address.Query().Get("client_id") != "" {
		text += "  client id     " + address.Query().Get("client_id") + "\n"
	}
	text += "  redirect uri  " + visit.Redirect + "\n"
	if err == nil && address.Query().Has("code_challenge") {
		text += "\nthe sign-in uses PKCE; if the venue does not support it, set the app's pkce to off\n"
	}
	if u.Advice != "" {
		text += "\n" + u.Advice
	}
	u.tell(text)
}

// Ask implements venuekey.UI. Questions are shown only if In is a terminal; otherwise
// each answer is a line of In. Errors wrap ErrNothingEntered, ErrInterrupted or that of a
// read.
func (u *UI) Ask(ctx context.Context, fields []venuekey.Field) (map[string]venuekey.Secret, error) {
	given := make(map[string]venuekey.Secret, len(fields))
	for _, field := range fields {
		value, err := u.ask(ctx, field)
		if err != nil {
			return nil, &venuekey.Error{Class: venuekey.ClassFailed, Reason: label(field) + ": " + err.Error(), Err: err}
		}
		given[field.Name] = value
	}
	return given, nil
}

func label(field venuekey.Field) string {
	if field.Help == "" {
		return field.Name
	}
	return field.Help
}

func (u *UI) ask(ctx context.Context, field venuekey.Field) (value venuekey.Secret, err error) {
	question := label(field)
	switch {
	case field.Default != "":
		question += " [" + field.Default + "]"
	case field.Optional:
		question += " (optional, press Enter to skip)"
	}
	if u.Interactive() {
		u.write(question + ": ")
	}
	if field.Secret && u.Interactive() {
		value, err = u.input().hidden(ctx)
		u.write("\n") // the user's own newline was not shown
	} else {
		value, err = u.input().line(ctx)
	}
	if errors.Is(err, io.EOF) {
		err = nil // nothing was entered
	}
	if value == "" {
		value = venuekey.Secret(field.Default)
	}
	if err == nil && value == "" && !field.Optional {
		err = ErrNothingEntered
	}
	return value, err
}
