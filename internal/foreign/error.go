package foreign

import (
	"errors"
	"strconv"
)

// error.go owns errors that are not ours.

// Error gives an error whose text passed the gate, for a chain of causes: a log that
// prints each of them prints no raw one. errors.Is and errors.As look through it;
// errors.Unwrap does not.
func Error(err error) error { return ErrorWithout[string](err) }

// ErrorWithout is Error without secrets.
func ErrorWithout[S ~string](err error, secrets ...S) error {
	if err == nil {
		return nil
	}
	return Cause(err, Tell(err.Error(), secrets...))
}

// FitError is Error for errors of this machine: see Fit.
func FitError(err error) error {
	if err == nil {
		return nil
	}
	return Cause(err, Fit(err.Error()))
}

// Cause is an error whose text passed the gate already.
func Cause(err error, text string) error {
	if known, ok := err.(*cause); ok && known.text == text {
		return err
	}
	return &cause{text, err}
}

// cause is an error that was cleaned.
type cause struct {
	text string
	err  error
}

func (c *cause) Error() string { return c.text }

// GoString keeps %#v from printing what is inside.
func (c *cause) GoString() string { return "foreign.Error(" + strconv.Quote(c.text) + ")" }

// Timeout and Temporary answer for what is inside, as a net.Error: url.Error asks its
// cause without errors.As.
func (c *cause) Timeout() bool {
	var inner interface{ Timeout() bool }
	return errors.As(c.err, &inner) && inner.Timeout()
}

// Temporary is part of net.Error.
func (c *cause) Temporary() bool {
	var inner interface{ Temporary() bool }
	return errors.As(c.err, &inner) && inner.Temporary()
}

func (c *cause) Is(target error) bool { return errors.Is(c.err, target) }
func (c *cause) As(target any) bool   { return errors.As(c.err, target) }
