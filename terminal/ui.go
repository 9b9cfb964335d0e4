// Package terminal is a venuekey.UI for programs that are started in a terminal.
// The zero value talks on standard error and reads standard input:
//
//	token, err := keeper.SignIn(ctx, id, &terminal.UI{})
//
// It shows the address to open, takes what the user pastes in place of a callback,
// and says what is usually wrong when nothing comes back. A read from a terminal
// ends with its context and leaves nothing behind: the next line that is typed
// belongs to whoever reads next. On Windows, and where the input is no file, a
// read that was given up goes on until a line comes, which this UI keeps for its
// own next question.
package terminal

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"sync"
	"time"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/internal/foreign"
)

// ui.go owns the conversation with the person who signs in.

// UI is a venuekey.UI on a terminal. Set its fields before the first call; all
// methods may be called by many goroutines.
type UI struct {
	// In is where answers come from; nil means standard input.
	In io.Reader
	// Out is where questions and progress go; nil means standard error.
	Out io.Writer
	// Browse opens a browser and may take as long as that runs; nil means that
	// the address is only shown. It is never called where the callback would come
	// to somebody else's port.
	Browse func(address string) error
	// Piped takes a pasted address from In even where that is no terminal.
	Piped bool
	// Silence is how long nothing may come back before the user is told what is
	// usually wrong; zero means 30 s.
	Silence time.Duration
	// Advice is one more line of that hint, such as a command that examines the
	// registration.
	Advice string

	mu     sync.Mutex
	visit  venuekey.Visit
	hinted bool
	start  sync.Once
	in     *input
}

var _ venuekey.UI = (*UI)(nil)

// ErrNothingEntered is a question that must have an answer and got none.
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

// Interactive reports whether somebody sits at In.
func (u *UI) Interactive() bool {
	_, ok := Of(u.input().from)
	return ok
}

// TakesPaste reports whether Paste takes anything.
func (u *UI) TakesPaste() bool { return u.Piped || u.Interactive() }

func (u *UI) write(text string) {
	to := u.Out
	if to == nil {
		to = os.Stderr
	}
	_, _ = io.WriteString(to, text) // there is nobody else to tell
}

// Tell implements venuekey.UI. It writes one line, whatever it is told: who tells may
// repeat what a venue says.
func (u *UI) Tell(line string) { u.tell(foreign.Fit(line)) }

// tell writes what this package says, which may have several lines.
func (u *UI) tell(text string) { u.write(text + "\n") }

// Visit implements venuekey.UI. Nobody is sent anywhere that the answer could
// not come back from, or would come to somebody else.
func (u *UI) Visit(_ context.Context, visit venuekey.Visit) error {
	if !visit.Listening && !u.TakesPaste() {
		return &venuekey.Error{Class: venuekey.ClassMisconfigured, Reason: visit.NotListening, Remedy: "free the port, or sign in at a terminal, where the address can be pasted"}
	}
	if u.Astray(visit) {
		return &venuekey.Error{Class: venuekey.ClassMisconfigured, Reason: visit.NotListening + "; a browser here would bring the code to whoever has the port", Remedy: "free the port, or register another redirect uri"}
	}
	u.mu.Lock()
	u.visit, u.hinted = visit, false
	u.mu.Unlock()
	u.invite(visit)
	if visit.CodeLife > 0 {
		u.tell(fmt.Sprintf("once access is allowed, the code lives %d s", int(visit.CodeLife.Seconds())))
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

// Astray reports whether a browser that somebody wants opened here would go astray:
// the port of the redirect is not held for this sign-in. Whoever asked for pasting,
// or opens no browser here, can still use one on another machine.
func (u *UI) Astray(visit venuekey.Visit) bool {
	return visit.URL == "" && u.Browse != nil && !u.Piped
}

const pasteHere = "paste here the address that it ends at, or the code in it"

// invite shows where to go.
func (u *UI) invite(visit venuekey.Visit) {
	elsewhere := "in a browser on another machine, and " + pasteHere + ":\n\n  " + visit.Elsewhere + "\n"
	switch {
	case visit.Listening:
		u.tell("open this address in a browser on this machine, sign in and allow access:\n\n  " + visit.URL + "\n")
		u.tell("waiting for the sign-in at " + visit.Redirect + " (Ctrl-C to give up)")
		if u.TakesPaste() {
			u.tell("or open this one " + elsewhere)
		}
	case visit.URL != "":
		u.tell("open this address in a browser, sign in and allow access:\n\n  " + visit.URL + "\n")
		u.tell("nothing waits at " + visit.Redirect + ": " + visit.NotListening)
		u.tell(pasteHere)
	default:
		u.tell("nothing waits at " + visit.Redirect + ": " + visit.NotListening)
		u.tell("open no browser on this machine: it would bring the code to whoever has that port. Free the port and\nstart again, or open this address " + elsewhere)
	}
}

// tooLong stands for a line that is longer than any address.
const tooLong = "(a line without an end)"

// Paste implements venuekey.UI. Where nothing can be pasted it waits for the end
// of the sign-in, and only gives the hint.
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

// hint says, once a visit, what a wrong registration looks like from here: like
// nothing at all, because the venue sends nobody back.
func (u *UI) hint() {
	u.mu.Lock()
	visit, told := u.visit, u.hinted
	u.hinted = true
	u.mu.Unlock()
	if told {
		return
	}
	text := fmt.Sprintf("nothing came back for %d s. Does the venue's page show an error? It sends nobody back unless\n"+
		"both are what is registered there, letter by letter:\n\n", int(u.silence().Seconds()))
	address, err := url.Parse(visit.Elsewhere)
	if err == nil && address.Query().Get("client_id") != "" {
		text += "  client id     " + address.Query().Get("client_id") + "\n"
	}
	text += "  redirect uri  " + visit.Redirect + "\n"
	if err == nil && address.Query().Has("code_challenge") {
		text += "\na code challenge was sent (PKCE); if the venue takes none, set the app's pkce to off\n"
	}
	if u.Advice != "" {
		text += "\n" + u.Advice
	}
	u.tell(text)
}

// Ask implements venuekey.UI. Questions are shown on a terminal only; elsewhere
// each answer is a line of the input.
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
		question += " (Enter for none)"
	}
	if u.Interactive() {
		u.write(question + ": ")
	}
	if field.Secret && u.Interactive() {
		value, err = u.input().hidden(ctx)
		u.write("\n") // the one that was typed is not shown
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
