package venuekey

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// errors.go owns errors: their class, the sign-in they are about, and the remedy.

// Class says what became of a request, or why it could not be made: at a token
// endpoint, on a connection, in a store. It decides what happens next, so the set is
// closed.
type Class int

const (
	// ClassUnknown means that the outcome is unknown: the request was sent and no
	// answer could be read. It is the zero value because any other guess loses
	// tokens.
	ClassUnknown Class = iota
	// ClassRefused means that the venue will not renew or accept this token, or that
	// the user declined. A human must sign in.
	ClassRefused
	// ClassMisconfigured means that the configuration is wrong: client ID, secret,
	// redirect URI, scope, address. No token was used up; a human has to correct it.
	ClassMisconfigured
	// ClassNotSent means that the request never left this machine: no connection, no
	// route.
	ClassNotSent
	// ClassLater means "not now": overload, maintenance, a connection or session that
	// ended and can be established again.
	ClassLater
	// ClassDamaged means that stored data cannot be read: a seal that does not open, a
	// lost key.
	ClassDamaged
	// ClassFailed means any other failure on this machine.
	ClassFailed
	// ClassDeclined means that the venue declined the request and would decline it
	// again: an invalid volume, a closed market, insufficient funds, or something
	// already done. The sign-in is not affected.
	ClassDeclined
)

var classNames = [...]string{"unknown outcome", "refused", "misconfigured", "not sent", "later", "damaged", "failed", "declined"}

// String returns one or two words, or "class 9" for a class that this version does not
// know. MarshalText has the stable words for files.
func (c Class) String() string {
	if c < 0 || int(c) >= len(classNames) {
		return fmt.Sprintf("class %d", int(c))
	}
	return classNames[c]
}

// ErrAccessLives matches, by errors.Is, the error of a sign-out at a venue that revoked
// the refresh token but cannot revoke an access token (RFC 7009 §2.2.1). The access
// token expires by itself, and the sign-in is forgotten all the same.
var ErrAccessLives = errors.New("the venue cannot revoke an access token")

// Error is the error type of this package and of every venue. It never carries a
// response body, a URL with a query, or a secret. Text from elsewhere in it is one line
// without control characters. errors.Is and errors.As see the original causes;
// errors.Unwrap does not, where a cause had to be cleaned.
type Error struct {
	// ID is the sign-in concerned. An error about a venue has no name in it; the zero
	// ID means that the error concerns neither.
	ID ID
	// Op is the operation that failed, such as "refresh".
	Op string
	// Class is what became of the request.
	Class Class
	// Code is the venue's own error code, such as "invalid_grant", if it is one of the
	// codes that the venue or a standard documents.
	Code string
	// Reason is what happened, in lower case, without the ID.
	Reason string
	// Remedy is what a person can do about it; "" if nothing helps.
	Remedy string
	// Scopes are the scopes that the refused call requires, if the venue says that the
	// token has too few; see RefusalOf.
	Scopes []string
	// RetryAfter is how long the venue asked callers to wait; zero means that it did
	// not.
	RetryAfter time.Duration
	// OfUser says that the wait is of this sign-in's user alone: other sign-ins of the app
	// need not wait.
	OfUser bool
	// Err is the cause, for errors.Is and errors.As.
	Err error
}

// Error returns "ctrader/alice: refresh: reason (code)".
func (e *Error) Error() string {
	text := e.Reason
	if text == "" && e.Err != nil {
		text = e.Err.Error()
	} else if text == "" {
		text = e.Class.String()
	}
	if e.Code != "" && !strings.Contains(text, e.Code) {
		text = fmt.Sprintf("%s (%s)", text, e.Code)
	}
	if e.Op != "" {
		text = e.Op + ": " + text
	}
	if !e.ID.IsZero() {
		text = e.ID.String() + ": " + text
	}
	return text
}

// Unwrap returns the cause, or nil.
func (e *Error) Unwrap() error { return e.Err }

// annotate returns a copy of an error with its ID and operation filled in. An error of
// any other type becomes one with an unknown outcome.
func annotate(err error, id ID, op string) *Error {
	var known *Error
	if !errors.As(err, &known) {
		return &Error{ID: id, Op: op, Class: ClassUnknown, Err: err}
	}
	named := *known
	if named.ID.Name == "" {
		named.ID = id
	}
	if named.Op == "" {
		named.Op = op
	}
	return &named
}

// ClassOf returns the class of an error: that of the *Error in its chain, or else what
// a method ErrorClass() Class in its chain returns, as the errors of a venue's own
// protocol have (openapi.Error). It is ClassFailed for any other error.
func ClassOf(err error) Class {
	var known *Error
	if errors.As(err, &known) {
		return known.Class
	}
	var classed interface{ ErrorClass() Class }
	if errors.As(err, &classed) {
		return classed.ErrorClass()
	}
	return ClassFailed
}

// NeedsSignIn reports whether the user has to sign in again: nothing else helps.
func NeedsSignIn(err error) bool { return err != nil && ClassOf(err) == ClassRefused }

// Misconfigured reports whether the app's registration or an address has to be
// corrected first.
func Misconfigured(err error) bool { return err != nil && ClassOf(err) == ClassMisconfigured }

// Temporary reports whether the same call may succeed later without human help. It is
// false if the error has a method SafeToRetry() bool that returns false, as the error
// of an order in doubt has.
func Temporary(err error) bool {
	var asked interface{ SafeToRetry() bool }
	if err == nil || errors.As(err, &asked) && !asked.SafeToRetry() {
		return false
	}
	class := ClassOf(err)
	return class == ClassNotSent || class == ClassLater || class == ClassUnknown
}
