package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"golang.org/x/term"

	"github.com/venuekey/venuekey"
)

// ui.go owns the conversation with the person who signs in. It is held on
// standard error; what a program may want to read goes to standard output.

// prompt reads lines that somebody types, or that a program writes. A read
// cannot be interrupted, so it has a goroutine of its own, which the end of the
// run may leave behind. It begins only when a line is wanted: whatever else
// reads from the terminal, as what asks for a password, gets what is typed for
// it.
type prompt struct {
	p       *program
	reader  *bufio.Reader // made when the first line is wanted
	pending chan typed    // the read that is under way
}

// typed is what somebody entered.
type typed struct {
	Text venuekey.Secret
	err  error
}

// longestLine is more than any address that a venue redirects to.
const longestLine = 64 << 10

// line waits for the next line of standard input.
func (q *prompt) line(ctx context.Context) (string, error) {
	if q.reader == nil {
		q.reader = bufio.NewReaderSize(q.p.stdin, longestLine)
	}
	if q.pending == nil {
		q.pending = make(chan typed, 1)
		go func(to chan<- typed) { to <- q.read() }(q.pending)
	}
	select {
	case got := <-q.pending:
		q.pending = nil
		return string(got.Text), got.err
	case <-ctx.Done():
		return "", context.Cause(ctx)
	}
}

func (q *prompt) read() typed {
	line, err := q.reader.ReadSlice('\n')
	if errors.Is(err, io.EOF) && len(line) > 0 {
		err = nil // the last line needs no end
	}
	return typed{venuekey.Secret(bytes.TrimRight(line, "\r\n")), err}
}

// secret waits for a line that is not shown while it is typed.
func (q *prompt) secret(ctx context.Context) (venuekey.Secret, error) {
	fd, ok := terminal(q.p.stdin)
	if !ok {
		line, err := q.line(ctx)
		return venuekey.Secret(line), err
	}
	q.p.orderly() // a run that is killed here leaves a terminal that shows nothing
	before, err := term.GetState(fd)
	if err != nil {
		return "", err
	}
	done := make(chan typed, 1)
	go func() {
		text, err := term.ReadPassword(fd)
		done <- typed{venuekey.Secret(text), err}
	}()
	defer fmt.Fprintln(q.p.stderr)
	select {
	case got := <-done:
		return got.Text, got.err
	case <-ctx.Done():
		// The terminal would stay silent after the end of the run.
		return "", errors.Join(context.Cause(ctx), term.Restore(fd, before))
	}
}

// ask asks for one value.
func (q *prompt) ask(ctx context.Context, field venuekey.Field) (venuekey.Secret, error) {
	label := field.Help
	if label == "" {
		label = field.Name
	}
	if field.Default != "" {
		label += " [" + field.Default + "]"
	} else if field.Optional {
		label += " (Enter for none)"
	}
	if q.p.interactive() {
		fmt.Fprint(q.p.stderr, label+": ")
	}
	var value venuekey.Secret
	var err error
	if field.Secret {
		value, err = q.secret(ctx)
	} else {
		var line string
		line, err = q.line(ctx)
		value = venuekey.Secret(line)
	}
	if errors.Is(err, io.EOF) {
		err = nil // nothing was entered
	}
	if value == "" {
		value = venuekey.Secret(field.Default)
	}
	if err == nil && value == "" && !field.Optional {
		err = misused("answer at a terminal, or one line each on standard input", "%s: nothing was entered", label)
	}
	return value, err
}

// console is the venuekey.UI of a terminal.
type console struct {
	p  *program
	id venuekey.ID
	// open opens a browser; paste takes pasted addresses.
	open, paste bool
}

var _ venuekey.UI = (*console)(nil)

// Visit implements venuekey.UI. Nobody is sent anywhere that the answer could
// not come back from.
func (c *console) Visit(_ context.Context, visit venuekey.Visit) error {
	c.paste = c.paste || !visit.Listening && c.p.interactive()
	if !visit.Listening && !c.paste {
		return &venuekey.Error{Class: venuekey.Wrong, Reason: visit.NotListening,
			Remedy: "free the port, or: venuekey login " + c.id.String() + " --paste"}
	}
	c.p.tell("open this address in a browser, sign in and allow access:\n\n  %s\n", visit.URL)
	if visit.Listening {
		c.p.tell("waiting for the sign-in at %s (Ctrl-C to give up)", visit.Redirect)
	} else {
		c.p.tell("nothing waits at %s: %s", visit.Redirect, visit.NotListening)
	}
	switch {
	case c.paste:
		c.p.tell("or paste here the address that the browser ends at, or the code in it")
	case c.p.remote() || !c.p.hasDisplay():
		c.p.tell("a browser on another machine does not reach this one: forward the port (ssh -L), or use --paste")
	}
	if visit.CodeLife > 0 {
		c.p.tell("once access is allowed, the code lives %d s", int(visit.CodeLife.Seconds()))
	}
	if c.open {
		c.browse(visit.URL)
	}
	return nil
}

// browse opens a browser and does not wait for it: some run on in the
// foreground. That none opens is no error, since the address is there to see.
func (c *console) browse(address string) {
	if !c.p.hasDisplay() {
		c.p.tell("no browser is opened: there is no display here")
		return
	}
	go func() {
		if err := c.p.browse(address); err != nil {
			c.p.tell("no browser could be opened (%v): open the address yourself", err)
		}
	}()
}

// Paste implements venuekey.UI.
func (c *console) Paste(ctx context.Context) (string, error) {
	if !c.paste {
		return "", errors.ErrUnsupported
	}
	return c.p.prompt.line(ctx)
}

// Ask implements venuekey.UI. A service signs in without anybody there: what
// the environment holds is not asked for.
func (c *console) Ask(ctx context.Context, fields []venuekey.Field) (map[string]venuekey.Secret, error) {
	given := map[string]venuekey.Secret{}
	for _, field := range fields {
		value, err := c.p.envSecret(variable(c.id.Venue, field.Name))
		if err == nil && value == "" {
			value, err = c.answer(ctx, field)
		}
		if err != nil {
			return nil, err
		}
		given[field.Name] = value
	}
	return given, nil
}

// answer asks. No answer is nothing that a venue knows of, so that it must not
// be taken for a request whose outcome nobody knows.
func (c *console) answer(ctx context.Context, field venuekey.Field) (venuekey.Secret, error) {
	value, err := c.p.prompt.ask(ctx, field)
	if _, ok := errors.AsType[usage](err); err == nil || ok {
		return value, err
	}
	reason := "no answer could be read: " + err.Error()
	if ctx.Err() != nil {
		reason = "nobody answered in time"
	}
	return "", &venuekey.Error{Class: venuekey.Failed, Reason: reason, Err: err}
}

// Tell implements venuekey.UI.
func (c *console) Tell(line string) { c.p.tell("%s", line) }
