package socket

import (
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/stream"
)

// errors.go owns the errors of this package, and what to do about them.

// Kind is what only a connection knows of an error, beside its class.
type Kind int

const (
	// KindPlain is an error of which the class says all.
	KindPlain Kind = iota
	// KindTooMany means that the user asked too much and is locked out for RetryAfter;
	// each further request makes it longer. The class is venuekey.ClassLater.
	KindTooMany
	// KindPenalty means that the request was not carried out and may be sent again with
	// Ticket after RetryAfter, or not at all if Captcha is set. The class is
	// venuekey.ClassLater.
	KindPenalty
	// KindTokenDead means that the venue does not take the token. The class is
	// venuekey.ClassLater, since a newer one helps; whether there is one only the
	// sign-in knows.
	KindTokenDead
	// KindDenied means that the token is good and this request not allowed with it. The
	// class is venuekey.ClassDeclined.
	KindDenied
	// KindMaintenance means that the venue shuts down for a while. The class is
	// venuekey.ClassLater.
	KindMaintenance
	// KindLimit means that the user has too many connections, or has them from too many
	// addresses: the venue closed this one, and revoked its token. The class is
	// venuekey.ClassLater.
	KindLimit
	// KindMisdirected means that the user belongs to another host, which apiHosts of the
	// answer with the token names. The class is venuekey.ClassMisconfigured.
	KindMisdirected
	// KindSilent means that the other side said nothing when it should have: it did not
	// open the connection, or did not answer a question. The class is
	// venuekey.ClassNotSent or venuekey.ClassLater.
	KindSilent
	// KindProtocol means that something came that is none of the venue's frames. The
	// class is as for KindSilent.
	KindProtocol
)

// String is a few words.
func (k Kind) String() string {
	names := [...]string{
		"plain", "too many requests", "time penalty", "token dead", "access denied", "maintenance", "too many connections", "wrong host",
		"no answer", "not the venue's protocol",
	}
	if k < 0 || int(k) >= len(names) {
		return "kind " + strconv.Itoa(int(k))
	}
	return names[k]
}

// Error is what went wrong with a request or a connection. It carries no secret but
// Ticket, and that prints as nothing.
type Error struct {
	// Request is the endpoint that was asked; "" if the error is about the connection.
	Request string
	// Class is what became of the request, or what ended the connection, and thereby
	// what to do next. For a request venuekey.ClassUnknown means that it was sent and
	// nobody knows what became of it.
	Class venuekey.Class
	// Kind is what there is to know beside the class.
	Kind Kind
	// Status is that of the answer, as of HTTP, or of a handshake that failed; 0 if
	// there was none.
	Status int
	// Code is the venue's word: the reason of a shutdown or of a failed order; "" if it
	// has none.
	Code string
	// Text is the venue's sentence, for people.
	Text string
	// Address is the server's, host:port.
	Address string
	// RetryAfter is how long to leave the venue alone, 0 if nothing says so.
	RetryAfter time.Duration
	// MaintenanceEnd is when the venue's maintenance should be over by its published
	// windows (Tradovate facts §1.7), for KindMaintenance; zero outside of them.
	MaintenanceEnd time.Time
	// Ticket is that of a penalty.
	Ticket venuekey.Secret
	// Captcha says that no ticket helps, and nothing before RetryAfter.
	Captcha bool
	// Err is the cause, if it is not the venue's word.
	Err error
}

// Error gives "order/placeorder: Code: Text; remedy".
func (e *Error) Error() string {
	var parts []string
	if e.Request != "" {
		parts = append(parts, e.Request)
	} else {
		parts = append(parts, "connection to "+e.Address)
	}
	if e.Code == "" && e.Text == "" && (e.Request != "" || e.Err == nil) {
		parts = append(parts, e.words())
	}
	for _, part := range []string{e.Code, e.Text} {
		if part != "" {
			parts = append(parts, part)
		}
	}
	if e.Err != nil {
		parts = append(parts, e.Err.Error())
	}
	text := strings.Join(parts, ": ")
	if !e.MaintenanceEnd.IsZero() {
		text += "; its window ends " + e.MaintenanceEnd.UTC().Format(time.RFC3339)
	}
	if remedy := e.Remedy(); remedy != "" {
		text += "; " + remedy
	}
	return text
}

func (e *Error) words() string {
	switch {
	case e.Class == venuekey.ClassUnknown && e.Request != "" && e.Status == 0:
		if e.MayBeDone() {
			return "was sent and got no answer: it may have been carried out, look before sending it again"
		}
		return "was sent and got no answer"
	case e.Kind != KindPlain:
		return e.Kind.String()
	case e.Status != 0:
		return "status " + strconv.Itoa(e.Status) + " without a text"
	}
	return e.Class.String()
}

// ErrorClass is the class, for venuekey.ClassOf.
func (e *Error) ErrorClass() venuekey.Class { return e.Class }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// SafeToRetry reports whether sending the same request again can neither do anything
// twice nor is in vain for sure. An order that was sent and got no answer is never safe.
// After a penalty or a lockout it is, once RetryAfter is over.
func (e *Error) SafeToRetry() bool {
	switch e.Class {
	case venuekey.ClassNotSent:
		return true
	case venuekey.ClassUnknown:
		return e.Request != "" && repeatable(e.Request)
	case venuekey.ClassLater:
		return true
	}
	return false
}

// MayBeDone reports whether the request may have been carried out, and would be twice if
// it were sent again.
func (e *Error) MayBeDone() bool {
	return e.Class == venuekey.ClassUnknown && e.Request != "" && !repeatable(e.Request)
}

// repeatable reports whether a request may be sent twice: it reads, or asks for a state
// that may be asked for again. What is not known to be so is not.
func repeatable(endpoint string) bool {
	endpoint = strings.ToLower(endpoint)
	switch endpoint {
	case authorizeEndpoint, syncEndpoint, "auth/me":
		return true
	}
	if strings.HasPrefix(endpoint, "md/") {
		return true
	}
	switch endpoint[strings.LastIndexByte(endpoint, '/')+1:] {
	case "find", "list", "item", "items", "deps", "ldeps", "suggest":
		return true
	}
	return false
}

// Remedy is what a person can do about it, and "" if nothing helps.
func (e *Error) Remedy() string {
	switch e.Kind {
	case KindTokenDead:
		return "renew the token, or sign in again"
	case KindDenied:
		if strings.HasPrefix(strings.ToLower(e.Request), "md/") {
			return "check that the user subscribes to market data for the API, and that the API key has the permission Prices: Read"
		}
		return "check that the venue approved this device, and what the API key may do"
	case KindLimit:
		return "close other connections of this user, 50 are allowed and from 5 addresses"
	case KindMisdirected:
		return "connect to the host that apiHosts of the sign-in names: set Hosts, or the address"
	case KindTooMany:
		return "send nothing for an hour, since each request makes the lockout longer"
	case KindPenalty:
		if e.Captcha {
			return "wait an hour: no program can solve the captcha"
		}
		return "send it again with its ticket after " + e.RetryAfter.String()
	case KindMaintenance:
		return "wait: it ends by itself"
	case KindSilent:
		return "check the network, and the venue's status page"
	case KindProtocol:
		return "check the address, whether a proxy answers in the venue's place, and whether less was asked for than MaxFrame has room for"
	}
	return e.remedyOfStatus()
}

// remedyOfStatus is Remedy for an error of which only the status is known.
func (e *Error) remedyOfStatus() string {
	switch {
	case e.MayBeDone() && e.Status != 0:
		return "it may have been carried out, look before sending it again"
	case e.Status == 400:
		return "check the request's query and body"
	case e.Status == 404:
		return "check the endpoint's name and host, and the number or name it was asked for"
	case e.Status >= 500:
		return "try again later"
	}
	return ""
}

// ErrClosed is the cause of errors after Close, or after the end of Run. It is that of
// streams, too.
var ErrClosed = stream.ErrClosed

// kindOf gives the kind of an error of this package, and KindPlain for any other.
func kindOf(err error) Kind {
	var known *Error
	if errors.As(err, &known) {
		return known.Kind
	}
	return KindPlain
}
