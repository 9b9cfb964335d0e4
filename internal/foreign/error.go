package foreign

import (
	"errors"
	"strconv"
)

// error.go owns errors from elsewhere.

// Error returns an error with the text of err, cleaned as by Tell, for a chain of causes:
// a log that prints each cause then prints no raw text. errors.Is and errors.As see
// through it; errors.Unwrap does not.
func Error(err error) error { return ErrorWithout[string](err) }

// ErrorWithout is Error, with the secrets removed.
func ErrorWithout[S ~string](err error, secrets ...S) error {
	if err == nil {
		return nil
	}
	return Cause(err, Tell(err.Error(), secrets...))
}

// FitError is Error for errors of this machine; see Fit.
func FitError(err error) error {
	if err == nil {
		return nil
	}
	return Cause(err, Fit(err.Error()))
}

// Cause returns an error with a text that was cleaned already.
func Cause(err error, text string) error {
	if known, ok := err.(*cause); ok && known.text == text {
		return err
	}
	return &cause{text, err}
}

// cause is a cleaned error.
type cause struct {
	text string
	err  error
}

func (c *cause) Error() string { return c.text }

// GoString keeps %#v from printing what is inside.
func (c *cause) GoString() string { return "foreign.Error(" + strconv.Quote(c.text) + ")" }

// Timeout and Temporary answer for the inner error, as a net.Error: url.Error queries its
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
