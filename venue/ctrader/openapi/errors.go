package openapi

import (
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/stream"
	"github.com/venuekey/venuekey/venue/ctrader/openapi/message"
)

// errors.go owns the errors of this package, and what to do about them.

// Kind is what only a connection knows of an error, beside its class.
type Kind int

const (
	// KindPlain is an error of which the class says all.
	KindPlain Kind = iota
	// KindTooMany means that too much was asked, see RetryAfter. The class is
	// venuekey.ClassLater.
	KindTooMany
	// KindAccountLost means that the account has to be authorised again. The class is
	// venuekey.ClassLater: a Client does that by itself.
	KindAccountLost
	// KindAppLost means that the application has to be authorised again, and after it
	// the accounts. The class is venuekey.ClassLater.
	KindAppLost
	// KindTokenDead means that the access token expired or was replaced. The class is
	// venuekey.ClassLater, since a newer one helps; whether there is one only the
	// sign-in knows.
	KindTokenDead
	// KindAlreadyDone means that the request had no effect because its goal was met
	// already. The class is venuekey.ClassDeclined.
	KindAlreadyDone
)

// String is a few words.
func (k Kind) String() string {
	names := [...]string{"plain", "too many requests", "account session lost", "application session lost", "token dead", "done already"}
	if k < 0 || int(k) >= len(names) {
		return "kind " + strconv.Itoa(int(k))
	}
	return names[k]
}

// Error is what went wrong with a request or a connection. It carries no secrets: if
// the service repeats one that it was given, the text has "[secret]" in its place.
type Error struct {
	// Request is what was asked; 0 if the error is about the connection.
	Request message.PayloadType
	// Account is the account's ID; 0 if the error is about none.
	Account int64
	// Class is what became of the request, or what ended the connection, and thereby
	// what to do next. For a request venuekey.ClassUnknown means that it was sent and
	// nobody knows what became of it. venuekey.ClassRefused says that only a new
	// sign-in helps, venuekey.ClassMisconfigured that a person has to mend something:
	// the application's credentials, a closed account.
	Class venuekey.Class
	// Kind is what there is to know beside the class.
	Kind Kind
	// Code is the service's word, the name of a message.ErrorCode or a
	// message.CommonErrorCode; "" if the service said nothing.
	Code string
	// Description is the service's sentence, for people.
	Description string
	// Address is the server's, host:port.
	Address string
	// RetryAfter is how long the service asked to be left alone, 0 if it did not
	// say. Its history quota was seen to refuse requests that had waited so long.
	RetryAfter time.Duration
	// MaintenanceEnd is when the service expects to be back, zero if it did not
	// say.
	MaintenanceEnd time.Time
	// Err is the cause, if it is not the service's word.
	Err error
}

// Error gives "ProtoOATraderReq for account 7: CODE: description; remedy".
func (e *Error) Error() string {
	var parts []string
	if e.Request != 0 {
		what := message.Name(e.Request)
		if e.Account != 0 {
			what += " for account " + strconv.FormatInt(e.Account, 10)
		}
		parts = append(parts, what)
	} else {
		parts = append(parts, "connection to "+e.Address)
	}
	if e.Code == "" && (e.Request != 0 || e.Description == "" && e.Err == nil) {
		parts = append(parts, e.words())
	}
	for _, part := range []string{e.Code, e.Description} {
		if part != "" {
			parts = append(parts, part)
		}
	}
	if e.Err != nil {
		parts = append(parts, e.Err.Error())
	}
	text := strings.Join(parts, ": ")
	if !e.MaintenanceEnd.IsZero() {
		text += "; maintenance ends " + e.MaintenanceEnd.UTC().Format(time.RFC3339)
	}
	if remedy := e.Remedy(); remedy != "" {
		text += "; " + remedy
	}
	return text
}

func (e *Error) words() string {
	switch {
	case e.Class == venuekey.ClassUnknown && message.IsOrder(e.Request):
		return "was sent and got no answer: it may have been carried out, look with ProtoOAReconcileReq before sending it again"
	case e.Class == venuekey.ClassUnknown && e.Request != 0:
		return "was sent and got no answer"
	case e.Kind != KindPlain:
		return e.Kind.String()
	}
	return e.Class.String()
}

// ErrorClass is the class, for venuekey.ClassOf.
func (e *Error) ErrorClass() venuekey.Class { return e.Class }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// SafeToRetry reports whether sending the same request again can neither do
// anything twice nor is in vain for sure. An order that was sent and got no
// answer is never safe.
func (e *Error) SafeToRetry() bool {
	switch e.Class {
	case venuekey.ClassNotSent:
		return true
	case venuekey.ClassUnknown:
		return repeatable(e.Request)
	case venuekey.ClassLater:
		return !e.MayBeDone()
	}
	return false
}

// MayBeDone reports whether the request may have been carried out, and would be
// twice if it were sent again: an order without a readable answer, or one that
// the service gave up on, which does not say how far it came.
func (e *Error) MayBeDone() bool {
	return message.IsRequest(e.Request) && !repeatable(e.Request) && (e.Class == venuekey.ClassUnknown || e.Code == timeoutError)
}

// repeatable reports whether a request may be sent twice: it reads, or asks for
// a state that may be asked for again.
func repeatable(t message.PayloadType) bool {
	switch t {
	case message.TypeRefreshTokenReq, message.TypeAccountLogoutReq, message.TypeMarginCallUpdateReq:
		return false
	}
	return message.IsRequest(t) && !message.IsOrder(t)
}

// Remedy is what a person can do about it, and "" if nothing helps.
func (e *Error) Remedy() string {
	switch e.Code {
	case "CANT_ROUTE_REQUEST":
		return "the account may belong to the other environment" + otherHost(e.Address) + ", or its broker be under maintenance"
	case "CH_CLIENT_AUTH_FAILURE", "CH_OA_CLIENT_NOT_FOUND":
		return "check client ID and secret, and that the application is active at openapi.ctrader.com/apps"
	case "CONNECTIONS_LIMIT_EXCEEDED":
		return "close other connections of this application"
	case "RET_NO_SUCH_LOGIN", "CH_CTID_TRADER_ACCOUNT_NOT_FOUND":
		return "use ctidTraderAccountId of ProtoOAGetAccountListByAccessTokenRes, which is not the login number"
	case "NOT_SUBSCRIBED_TO_SPOTS":
		return "subscribe to spots of the symbol first"
	}
	switch {
	case e.Kind == KindTokenDead:
		return "renew the token, or sign in again"
	case e.MayBeDone() && e.Code != "" && message.IsOrder(e.Request):
		return "it may have been carried out, look with ProtoOAReconcileReq before sending it again"
	}
	return ""
}

func otherHost(address string) string {
	switch {
	case strings.HasPrefix(address, LiveHost):
		return ": this is live, demo accounts are at " + DemoHost
	case strings.HasPrefix(address, DemoHost):
		return ": this is demo, live accounts are at " + LiveHost
	}
	return " (live or demo)"
}

// ErrClosed is the cause of errors after Close, or after the end of Run. It is that of
// streams, too.
var ErrClosed = stream.ErrClosed

// classOf gives the class of an error of this package, whatever its cause is, and
// venuekey.ClassUnknown for any other.
func classOf(err error) venuekey.Class {
	var known *Error
	if errors.As(err, &known) {
		return known.Class
	}
	return venuekey.ClassUnknown
}

// kindOf gives the kind of an error of this package, and KindPlain for any other.
func kindOf(err error) Kind {
	var known *Error
	if errors.As(err, &known) {
		return known.Kind
	}
	return KindPlain
}

// final reports whether only a person can help.
func final(err error) bool {
	class := classOf(err)
	return class == venuekey.ClassRefused || class == venuekey.ClassMisconfigured
}
