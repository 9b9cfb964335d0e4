package openapi

import (
	"strings"
	"time"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/internal/foreign"
	"github.com/venuekey/venuekey/venue/ctrader/openapi/message"
)

// classify.go owns the meaning of the service's error codes. The codes are those of the
// published ProtoErrorCode and ProtoOAErrorCode, their meaning is that of the comments
// there; where the service has been seen to behave differently, a comment says so.

const (
	timeoutError      = "TIMEOUT_ERROR"
	alreadySubscribed = "ALREADY_SUBSCRIBED"
)

// meaningOf returns the class and the kind of a code. An unlisted code leaves the
// outcome unknown.
func meaningOf(code, description string) (venuekey.Class, Kind) {
	switch code {
	case "CANT_ROUTE_REQUEST", timeoutError, "SERVER_IS_UNDER_MAINTENANCE", "CH_SERVER_NOT_REACHABLE",
		"CONNECTIONS_LIMIT_EXCEEDED", "CONCURRENT_MODIFICATION", "PENDING_EXECUTION":
		return venuekey.ClassLater, KindPlain
	case "REQUEST_FREQUENCY_EXCEEDED", "BLOCKED_PAYLOAD_TYPE":
		return venuekey.ClassLater, KindTooMany
	case "ACCOUNT_NOT_AUTHORIZED":
		return venuekey.ClassLater, KindAccountLost
	case "CH_CLIENT_NOT_AUTHENTICATED":
		return venuekey.ClassLater, KindAppLost
	case "OA_AUTH_TOKEN_EXPIRED", "CH_ACCESS_TOKEN_INVALID": // the latter is what an expired token has been seen to give
		return venuekey.ClassLater, KindTokenDead
	case "CH_CLIENT_AUTH_FAILURE", "CH_OA_CLIENT_NOT_FOUND", "RET_NO_SUCH_LOGIN", "RET_ACCOUNT_DISABLED",
		"CH_CTID_TRADER_ACCOUNT_NOT_FOUND", "CHANNEL_IS_BLOCKED":
		return venuekey.ClassMisconfigured, KindPlain
	case "ALREADY_LOGGED_IN", "CH_CLIENT_ALREADY_AUTHENTICATED", alreadySubscribed:
		return venuekey.ClassDeclined, KindAlreadyDone
	case "INVALID_REQUEST":
		// The service has been seen to send "Trading account is not authorized" with this code.
		if strings.Contains(strings.ToLower(description), "not authorized") {
			return venuekey.ClassLater, KindAccountLost
		}
		return venuekey.ClassDeclined, KindPlain
	case "UNKNOWN_ERROR", "":
		return venuekey.ClassUnknown, KindPlain
	}
	if _, err := message.ParseErrorCode(code); err == nil && !digitsOnly(code) {
		return venuekey.ClassDeclined, KindPlain
	}
	if _, err := message.ParseCommonErrorCode(code); err == nil && !digitsOnly(code) {
		return venuekey.ClassDeclined, KindPlain
	}
	return venuekey.ClassUnknown, KindPlain
}

func digitsOnly(text string) bool { return strings.Trim(text, "0123456789") == "" }

// refusal returns the error that a message carries, or nil if it carries none. Errors
// come as an ErrorRes, a CommonErrorRes, an OrderErrorEvent, or inside an
// ExecutionEvent. secrets returns what has been sent to the service in secret.
func refusal(m message.Message, secrets func() []venuekey.Secret) *Error {
	switch m := m.(type) {
	case *message.ErrorRes:
		e := verdict(m.ErrorCode, m.Description.Or(""), secrets())
		e.Account = m.CtidTraderAccountID.Or(0)
		if seconds, ok := m.RetryAfter.Get(); ok {
			e.RetryAfter = time.Duration(min(seconds, 24*60*60)) * time.Second
		}
		e.MaintenanceEnd, _ = m.MaintenanceEnd()
		return e
	case *message.CommonErrorRes:
		e := verdict(m.ErrorCode, m.Description.Or(""), secrets())
		e.MaintenanceEnd, _ = m.MaintenanceEnd()
		return e
	case *message.OrderErrorEvent:
		e := verdict(m.ErrorCode, m.Description.Or(""), secrets())
		e.Account = m.CtidTraderAccountID
		return e
	case *message.ExecutionEvent:
		if code := m.ErrorCode.Or(""); code != "" {
			e := verdict(code, "", secrets())
			e.Account = m.CtidTraderAccountID
			return e
		}
	}
	return nil
}

// verdict classifies what the service said, and only then removes secrets from it: the
// class must not depend on what was removed.
func verdict(code, description string, secrets []venuekey.Secret) *Error {
	class, kind := meaningOf(code, description)
	return &Error{Class: class, Kind: kind, Code: foreign.LineWithout(code, secrets...), Description: foreign.LineWithout(description, secrets...)}
}

// about fills in the request that an error is about.
func (e *Error) about(req message.Message, address string) *Error {
	e.Address = address
	if req == nil {
		return e
	}
	e.Request = req.PayloadType()
	if e.Account == 0 {
		e.Account, _ = accountOf(req)
	}
	return e
}

func secretsOf(req message.Message) []venuekey.Secret {
	switch req := opened(req).(type) {
	case *message.ApplicationAuthReq:
		return []venuekey.Secret{req.ClientSecret}
	case *message.AccountAuthReq:
		return []venuekey.Secret{req.AccessToken}
	case *message.GetAccountListByAccessTokenReq:
		return []venuekey.Secret{req.AccessToken}
	case *message.GetCtidProfileByTokenReq:
		return []venuekey.Secret{req.AccessToken}
	case *message.RefreshTokenReq:
		return []venuekey.Secret{req.RefreshToken}
	}
	return nil
}
