package venuekey

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// errors.go owns what an error says: which class it is of, whose it is, and what helps.

// Class says what became of a request, or what stands in the way of one, on every
// wire: a token endpoint's, a connection's, a store's. It decides what happens next,
// so it is a closed set.
type Class int

const (
	// ClassUnknown is an outcome that nobody knows: the request was sent and no
	// answer could be read. It is the zero value because guessing otherwise
	// loses tokens.
	ClassUnknown Class = iota
	// ClassRefused means that the venue will not renew or accept this token, or that
	// the user said no. A human must sign in.
	ClassRefused
	// ClassMisconfigured means misconfigured: client id, secret, redirect, scope, address.
	// No token is burnt; somebody has to mend the configuration.
	ClassMisconfigured
	// ClassNotSent means that the request never left: no connection, no route.
	ClassNotSent
	// ClassLater means "not now": overload, maintenance, a connection or a session that
	// ended and can be had again.
	ClassLater
	// ClassDamaged means that what is stored cannot be read: a seal that does not
	// open, a lost key.
	ClassDamaged
	// ClassFailed is everything else that went wrong on this machine.
	ClassFailed
	// ClassDeclined means that the venue will not do what was asked, and would not if it
	// were asked again: an invalid volume, a closed market, no money, or something that
	// is done already. The sign-in is as good as before.
	ClassDeclined
)

var classNames = [...]string{"unknown outcome", "refused", "misconfigured", "not sent", "later", "damaged", "failed", "declined"}

// String is a word or two, "class 9" for a class that this version does not know.
func (c Class) String() string {
	if c < 0 || int(c) >= len(classNames) {
		return fmt.Sprintf("class %d", int(c))
	}
	return classNames[c]
}

// ErrAccessLives is what errors.Is finds in the error of a sign-out where the venue ended what renews
// the sign-in and has no way to end an access token (RFC 7009 §2.2.1): that one dies
// by itself. The sign-in is forgotten all the same.
var ErrAccessLives = errors.New("the venue has no way to end an access token")

// Error is what venuekey says went wrong. It never carries a response body, a
// URL with a query, or a secret. What others say in it is one line, without control
// characters; errors.Is and errors.As look into causes that were cleaned, and
// errors.Unwrap does not.
type Error struct {
	// ID is the sign-in that it is about; zero where it is about a venue.
	ID ID
	// Op is what was being done, as in "refresh".
	Op string
	// Class is what became of it.
	Class Class
	// Code is the venue's own word for it, of the venue's documented words.
	Code string
	// Reason is what happened, in lower case, without the ID.
	Reason string
	// Remedy is what to do about it, for a person; "" where nothing helps.
	Remedy string
	// Scopes are those that the venue wants for what it refused, where it says that
	// the token's are too few; see RefusalOf.
	Scopes []string
	// RetryAfter is how long the venue asked to be left alone.
	RetryAfter time.Duration
	// Err is the cause, for errors.Is and errors.As.
	Err error
}

// Error gives "ctrader/alice: refresh: reason (code)".
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

func (e *Error) Unwrap() error { return e.Err }

// annotate fills in which sign-in and which step an error belongs to, on a copy. An
// error of a foreign type is one whose outcome nobody knows.
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

// ClassOf gives the class of an error: that of the *Error in it, else what the method
// ErrorClass() Class of an error in it says, as those of packages for a venue's own
// wire have it. It is ClassFailed for any other.
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

// NeedsSignIn reports whether only a human signing in will help.
func NeedsSignIn(err error) bool { return err != nil && ClassOf(err) == ClassRefused }

// Misconfigured reports whether the app's registration or an address has to be
// mended first.
func Misconfigured(err error) bool { return err != nil && ClassOf(err) == ClassMisconfigured }

// Temporary reports whether the same call may succeed later without anybody
// doing anything. If an error has the method SafeToRetry() bool that says no, as
// that of an order in doubt does, it is not.
func Temporary(err error) bool {
	var asked interface{ SafeToRetry() bool }
	if err == nil || errors.As(err, &asked) && !asked.SafeToRetry() {
		return false
	}
	class := ClassOf(err)
	return class == ClassNotSent || class == ClassLater || class == ClassUnknown
}
