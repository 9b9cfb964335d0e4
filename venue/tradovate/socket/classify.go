package socket

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/internal/foreign"
)

// classify.go owns what the venue's answers mean (Tradovate facts §5, §6, §10.1).

const (
	// lockout is how long a user who asked too much is locked out.
	lockout = time.Hour
	// afterLimit is how long is waited after a connection was closed for a limit: a new
	// one may close another's.
	afterLimit = time.Minute
)

// failure is what a body says of failure although its status is 200.
type failure struct {
	ErrorText     string          `json:"errorText"`
	ErrorCode     string          `json:"errorCode"`
	FailureReason string          `json:"failureReason"`
	FailureText   string          `json:"failureText"`
	Violations    json.RawMessage `json:"violations"`
	Ticket        venuekey.Secret `json:"p-ticket"`
	Time          json.Number     `json:"p-time"`
	Captcha       bool            `json:"p-captcha"`
}

// verdict is the error that an answer is, or nil for one that is none. It judges what the
// venue said, and then lets it through the gate: what a class is must not depend on what
// was struck.
func verdict(endpoint string, status int, data []byte, secrets func() []venuekey.Secret) *Error {
	fine := status >= 200 && status < 300
	if fine && !mayFail(data) {
		return nil
	}
	e := &Error{Request: endpoint, Status: status}
	var text string
	if fine {
		if text = e.judgeBody(data); text == "" && e.Kind == KindPlain && e.Class == venuekey.ClassUnknown {
			return nil
		}
	} else {
		text = errorText(data)
		e.judgeStatus(text)
	}
	known := secrets()
	e.Text, e.Code = foreign.LineWithout(text, known...), foreign.LineWithout(e.Code, known...)
	return e
}

// errorText is the text of an error: a string, or none (Tradovate facts §5). An object that
// has one, as over HTTP, will do.
func errorText(data []byte) (text string) {
	if json.Unmarshal(data, &text) != nil {
		var f failure
		_ = json.Unmarshal(data, &f)
		text = f.ErrorText
	}
	return text
}

// judgeBody finds failures of status 200. It leaves the class unknown if there is none.
func (e *Error) judgeBody(data []byte) (text string) {
	var f failure
	if json.Unmarshal(data, &f) != nil {
		return ""
	}
	switch {
	case f.Ticket != "" || f.Captcha:
		e.Class, e.Kind, e.Ticket, e.Captcha = venuekey.ClassLater, KindPenalty, f.Ticket, f.Captcha
		seconds, _ := strconv.ParseFloat(f.Time.String(), 64)
		e.RetryAfter = time.Duration(min(max(seconds, 1), lockout.Seconds()) * float64(time.Second))
		if f.Captcha {
			e.RetryAfter = lockout
		}
	case strings.Contains(strings.ToLower(f.ErrorText), "should be called on"):
		e.Class, e.Kind, text = venuekey.ClassMisconfigured, KindMisdirected, f.ErrorText
	case f.ErrorText != "":
		e.Class, e.Code, text = venuekey.ClassDeclined, f.ErrorCode, f.ErrorText
	case f.FailureReason != "" && f.FailureReason != "Success" || f.FailureText != "":
		e.Class, e.Code, text = venuekey.ClassDeclined, f.FailureReason, f.FailureText
		if text == "" {
			text = "the venue declined"
		}
	case len(f.Violations) > 2:
		e.Class, e.Code, text = venuekey.ClassDeclined, "violations", string(f.Violations)
	}
	return text
}

// failureWords are the keys by which judgeBody knows a failure.
var failureWords = [...][]byte{[]byte(`"errorText"`), []byte(`"failure`), []byte(`"p-`), []byte(`"violations"`)}

// mayFail is a quick look for what judgeBody reads.
func mayFail(data []byte) bool {
	if len(data) == 0 || data[0] != '{' {
		return false
	}
	head := data[:min(len(data), 4096)] // failures are short
	for _, word := range failureWords {
		if bytes.Contains(head, word) {
			return true
		}
	}
	return false
}

// judgeStatus gives a status other than 200 its meaning.
func (e *Error) judgeStatus(text string) {
	said := strings.ToLower(text)
	tokenSaid := strings.Contains(said, "access token")
	switch e.Status {
	case 0:
		e.Code = "the answer has no status"
	case http.StatusUnauthorized, http.StatusForbidden:
		e.Class, e.Kind = venuekey.ClassDeclined, KindDenied
		if tokenSaid || e.Request == authorizeEndpoint {
			e.Class, e.Kind = venuekey.ClassLater, KindTokenDead
		}
	case http.StatusTooManyRequests, http.StatusLocked: // 423 comes before 429
		e.Class, e.Kind, e.RetryAfter = venuekey.ClassLater, KindTooMany, lockout
	case http.StatusMisdirectedRequest, http.StatusTemporaryRedirect:
		e.Class, e.Kind = venuekey.ClassMisconfigured, KindMisdirected
	case http.StatusServiceUnavailable:
		e.Class = venuekey.ClassLater
	case http.StatusRequestTimeout, http.StatusInternalServerError, http.StatusBadGateway, http.StatusGatewayTimeout:
		if repeatable(e.Request) { // else it may have been carried out
			e.Class = venuekey.ClassLater
		}
	default:
		if e.Status >= 400 && e.Status < 500 {
			e.Class = venuekey.ClassDeclined
		}
	}
}

// handshakeError is a connection that did not come to be.
func handshakeError(address string, status int, err error) *Error {
	e := &Error{Address: address, Status: status, Class: venuekey.ClassNotSent, Err: foreign.Error(err)}
	if errors.Is(err, errPlain) {
		e.Class = venuekey.ClassMisconfigured
	}
	switch status {
	case http.StatusMisdirectedRequest, http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		e.Class, e.Kind = venuekey.ClassMisconfigured, KindMisdirected
	case http.StatusTooManyRequests, http.StatusLocked:
		e.Class, e.Kind, e.RetryAfter = venuekey.ClassLater, KindTooMany, lockout
	}
	return e
}

// shutdownError is why the venue says that it ends the connection.
func shutdownError(data []byte, secrets []venuekey.Secret) *Error {
	var d struct {
		ReasonCode string `json:"reasonCode"`
		Reason     string `json:"reason"`
	}
	_ = json.Unmarshal(data, &d)
	e := &Error{
		Class: venuekey.ClassLater,
		Code:  foreign.LineWithout(d.ReasonCode, secrets...), Text: foreign.LineWithout(d.Reason, secrets...),
	}
	switch d.ReasonCode {
	case "Maintenance":
		e.Kind, e.MaintenanceEnd = KindMaintenance, windowEnd(time.Now())
	case "ConnectionQuotaReached", "IPQuotaReached":
		e.Kind, e.RetryAfter = KindLimit, afterLimit
	}
	if e.Code == "" && e.Text == "" {
		e.Code = "shutdown"
	}
	return e
}
