package main

import (
	"cmp"
	"context"
	"errors"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/internal/environ"
	"github.com/venuekey/venuekey/terminal"
)

// ui.go owns the conversation with the person who signs in or sets up. It uses standard
// error; what a program may want to read goes to standard output.

// ask asks for one value.
func (p *program) ask(ctx context.Context, field venuekey.Field) (venuekey.Secret, error) {
	if field.Secret && p.interactive() {
		p.orderly() // a run that is killed here would leave the terminal without echo
	}
	given, err := p.ui.Ask(ctx, []venuekey.Field{field})
	if errors.Is(err, terminal.ErrNothingEntered) {
		return "", misused("answer at a terminal, or with one line for each on standard input", "%s: nothing was entered", cmp.Or(field.Help, field.Name))
	}
	if known, ok := errors.AsType[*venuekey.Error](err); ok && known.Err != nil {
		err = known.Err
	}
	return given[field.Name], err
}

// console is the venuekey.UI of the command login.
type console struct {
	*terminal.UI
	p  *program
	id venuekey.ID
	// open means that a browser is wanted.
	open bool
}

var _ venuekey.UI = (*console)(nil)

// console returns the UI for one sign-in. It opens a browser if there is a display.
func (p *program) console(id venuekey.ID, flags loginFlags) *console {
	p.ui.Piped = flags.paste
	p.ui.Advice = "venuekey doctor shows more; venuekey app add " + id.Venue + " changes it (Ctrl-C first)"
	if !flags.noBrowser && p.hasDisplay() {
		p.ui.Browse = p.browse
	}
	return &console{UI: p.ui, p: p, id: id, open: !flags.noBrowser}
}

// Visit implements venuekey.UI.
func (c *console) Visit(ctx context.Context, visit venuekey.Visit) error {
	if !visit.Listening && !c.TakesPaste() {
		return &venuekey.Error{Class: venuekey.ClassMisconfigured, Reason: visit.NotListening,
			Remedy: "free the port; or, with a browser on another machine: venuekey login " + c.id.String() + " --paste"}
	}
	if c.Astray(visit) {
		return &venuekey.Error{Class: venuekey.ClassMisconfigured, Reason: visit.NotListening + "; a browser here would bring the code to the program that has the port",
			Remedy: "free the port, or register another redirect uri; or, with a browser on another machine: venuekey login " + c.id.String() + " --paste"}
	}
	err := c.UI.Visit(ctx, visit)
	if err == nil && !c.TakesPaste() && (c.p.remote() || !c.p.hasDisplay()) {
		c.Tell("a browser on another machine does not reach this one: forward the port (ssh -L), or use --paste")
	}
	if c.open && c.Browse == nil && visit.URL != "" { // else there is a better reason, which was reported
		c.Tell("no browser is opened: there is no display")
	}
	return err
}

// Ask implements venuekey.UI. It takes what it can from the environment, so that a service
// can sign in without a person.
func (c *console) Ask(ctx context.Context, fields []venuekey.Field) (map[string]venuekey.Secret, error) {
	given := map[string]venuekey.Secret{}
	for _, field := range fields {
		value, err := c.p.secret(ctx, environ.Variable(c.id.Venue, field.Name))
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

// answer asks one question. Having no answer is a plain failure: nothing was sent to the
// venue, so the outcome is not unknown.
func (c *console) answer(ctx context.Context, field venuekey.Field) (venuekey.Secret, error) {
	value, err := c.p.ask(ctx, field)
	if _, ok := errors.AsType[usage](err); err == nil || ok {
		return value, err
	}
	reason := "no answer could be read: " + err.Error()
	if ctx.Err() != nil {
		reason = "no one answered in time"
	}
	return "", &venuekey.Error{Class: venuekey.ClassFailed, Reason: reason, Err: err}
}
