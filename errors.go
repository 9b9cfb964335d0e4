package venuekey

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// Class says what became of a request, or what stands in the way of one. It
// decides what happens next, so it is a closed set.
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
	// ClassLater means that the venue answered "not now": overload, maintenance.
	ClassLater
	// ClassDamaged means that what is stored cannot be read: a seal that does not
	// open, a lost key.
	ClassDamaged
	// ClassFailed is everything else that went wrong on this machine.
	ClassFailed
)

func (c Class) String() string {
	names := [...]string{"unknown outcome", "refused", "misconfigured", "not sent", "later", "damaged", "failed"}
	if c < 0 || int(c) >= len(names) {
		return fmt.Sprintf("class %d", int(c))
	}
	return names[c]
}

// ErrAccessLives is told by errors.Is of a sign-out where the venue ended what renews
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

// ClassOf gives the class of an error that venuekey returned; Failed for any
// other.
func ClassOf(err error) Class {
	var known *Error
	if errors.As(err, &known) {
		return known.Class
	}
	return ClassFailed
}

// NeedsSignIn reports whether only a human signing in will help.
func NeedsSignIn(err error) bool { return err != nil && ClassOf(err) == ClassRefused }

// Misconfigured reports whether the app's registration or an address has to be
// mended first.
func Misconfigured(err error) bool { return err != nil && ClassOf(err) == ClassMisconfigured }

// Temporary reports whether the same call may succeed later without anybody
// doing anything.
func Temporary(err error) bool {
	class := ClassOf(err)
	return err != nil && (class == ClassNotSent || class == ClassLater || class == ClassUnknown)
}
