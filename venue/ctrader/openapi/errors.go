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

// Kind refines the class of an error with what is specific to the Open API.
type Kind int

const (
	// KindPlain adds nothing to the class.
	KindPlain Kind = iota
	// KindTooMany means that the service's rate limit was exceeded, see RetryAfter. The
	// class is venuekey.ClassLater.
	KindTooMany
	// KindAccountLost means that the account must be authorised again, which a Client
	// does by itself. The class is venuekey.ClassLater.
	KindAccountLost
	// KindAppLost means that the application must be authorised again, and then its
	// accounts; a Client does so by itself. The class is venuekey.ClassLater.
	KindAppLost
	// KindTokenDead means that the access token has expired or been replaced. The class
	// is venuekey.ClassLater, since a newer token helps; whether there can be one, only
	// the sign-in knows.
	KindTokenDead
	// KindAlreadyDone means that the request had no effect because its goal was already
	// met. The class is venuekey.ClassDeclined.
	KindAlreadyDone
)

// String returns the kind in a few words, such as "too many requests".
func (k Kind) String() string {
	names := [...]string{"plain", "too many requests", "account session lost", "application session lost", "token dead", "already done"}
	if k < 0 || int(k) >= len(names) {
		return "kind " + strconv.Itoa(int(k))
	}
	return names[k]
}

// Error describes a request that failed, or why a connection ended. It contains no
// secrets: if the service echoes one that it was sent, "[secret]" takes its place.
type Error struct {
	// Request is the type of the request, or 0 if the error is about the connection.
	Request message.PayloadType
	// Account is the account's ctidTraderAccountId, or 0 if the error is about none.
	Account int64
	// Class says what to do next. For a request, venuekey.ClassUnknown means that it
	// was sent and its outcome is not known. venuekey.ClassRefused means that only a
	// new sign-in helps, venuekey.ClassMisconfigured that a person must fix something,
	// such as the application's credentials or a closed account.
	Class venuekey.Class
	// Kind refines the class.
	Kind Kind
	// Code is the service's error code, in most cases the name of a message.ErrorCode
	// or message.CommonErrorCode. It is empty if the error is not the service's.
	Code string
	// Description is the service's explanation, for people. It may be empty.
	Description string
	// Address is the server's host:port.
	Address string
	// RetryAfter is how long the service asked us to wait, or 0 if it did not say. The
	// history quota has been seen to refuse requests even after that wait.
	RetryAfter time.Duration
	// MaintenanceEnd is when the service expects its maintenance to end. It is zero if
	// the service did not say.
	MaintenanceEnd time.Time
	// Err is the underlying error, if there is one.
	Err error
}

// Error returns the request or connection, the service's code and description, the
// cause and the remedy, as far as there are any:
// "ProtoOATraderReq for account 7: CODE: description; remedy".
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
		return "was sent and got no answer: it may have been carried out, check with ProtoOAReconcileReq before sending it again"
	case e.Class == venuekey.ClassUnknown && e.Request != 0:
		return "was sent and got no answer"
	case e.Kind != KindPlain:
		return e.Kind.String()
	}
	return e.Class.String()
}

// ErrorClass returns the class, for venuekey.ClassOf.
func (e *Error) ErrorClass() venuekey.Class { return e.Class }

// Unwrap returns Err.
func (e *Error) Unwrap() error { return e.Err }

// SafeToRetry reports whether the same request may be sent again: it cannot take effect
// twice, and it may succeed. An order that was sent and got no answer is never safe to
// retry.
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

// MayBeDone reports whether the request may have been carried out, so that sending it
// again could carry it out twice: an order that got no readable answer, or one that
// timed out inside the service, which does not say how far it got.
func (e *Error) MayBeDone() bool {
	return message.IsRequest(e.Request) && !repeatable(e.Request) && (e.Class == venuekey.ClassUnknown || e.Code == timeoutError)
}

// repeatable reports whether a request is idempotent: it only reads, or asks for a state
// that may be asked for again.
func repeatable(t message.PayloadType) bool {
	switch t {
	case message.TypeRefreshTokenReq, message.TypeAccountLogoutReq, message.TypeMarginCallUpdateReq:
		return false
	}
	return message.IsRequest(t) && !message.IsOrder(t)
}

// Remedy returns what a person can do about the error, or "" if there is nothing to
// suggest.
func (e *Error) Remedy() string {
	switch e.Code {
	case "CANT_ROUTE_REQUEST":
		return "the account may belong to the other environment" + otherHost(e.Address) + ", or its broker may be under maintenance"
	case "CH_CLIENT_AUTH_FAILURE", "CH_OA_CLIENT_NOT_FOUND":
		return "check the client ID and secret, and that the application is active at openapi.ctrader.com/apps"
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
		return "it may have been carried out, check with ProtoOAReconcileReq before sending it again"
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

// ErrClosed is the cause of errors after Close, or after Run has ended. It is the same
// value as stream.ErrClosed.
var ErrClosed = stream.ErrClosed

// kindOf returns the kind of an error of this package, and KindPlain for any other error.
func kindOf(err error) Kind {
	var known *Error
	if errors.As(err, &known) {
		return known.Kind
	}
	return KindPlain
}
