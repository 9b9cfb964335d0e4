package tradovate

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/internal/foreign"
	"github.com/venuekey/venuekey/oauth"
)

// verdict.go owns what the answer to an operation means (Tradovate facts §6, §10.1).

// lockout is how long a user who asked too much is locked out; each further request begins
// it anew (Tradovate facts §6).
const lockout = time.Hour

// judge returns the JSON of an answer, or the failure that it is.
func (a API) judge(o Operation, answer oauth.Answer, at, to *url.URL) (json.RawMessage, error) {
	text := json.RawMessage(answer.Text())
	var failure *venuekey.Error
	switch {
	case to != nil:
		failure = a.moved(at, to)
	case answer.Status >= 300 || answer.Status < 200:
		failure = a.judgeStatus(o, answer, at)
	case !json.Valid(text):
		failure = &venuekey.Error{Class: venuekey.ClassLater, Reason: at.Host + " answered 200 with something that is not JSON"}
		if !o.Reads() {
			failure.Class = venuekey.ClassUnknown
		}
	default:
		failure = judgeBody(answer)
	}
	if failure != nil {
		return nil, failure
	}
	return text, nil
}

// moved is a redirect that is not followed.
func (a API) moved(from, to *url.URL) *venuekey.Error {
	host := foreign.Name(to.Host)
	if !a.mayFollow(to) {
		return wrong(from.Host+" redirects to "+host+", which is no host of Tradovate's: the token is not sent there", "find out what answers in Tradovate's place")
	}
	return wrong("Tradovate serves this user from another host, "+host+"; the operation was not carried out", "--host "+host)
}

// judgeBody finds the failures inside a 200: errorText, a penalty, a failureReason other
// than Success, and violations.
func judgeBody(answer oauth.Answer) *venuekey.Error {
	fields, ok := answer.Fields()
	if !ok {
		return nil // a list, or a bare value
	}
	said := func(name string) string { return foreign.LineWithout(stringOf(fields[name]), answer.Sent...) }
	reason, text := said("failureReason"), said("failureText")
	switch {
	case said("errorText") != "":
		return errorText(said("errorText"))
	case stringOf(fields["p-ticket"]) != "":
		return penaltyOf(stringOf(fields["p-ticket"]), fields)
	case reason != "" && reason != "Success" || text != "":
		return &venuekey.Error{Class: venuekey.ClassDeclined, Code: reason, Reason: "Tradovate declined: " + cmp.Or(text, reason)}
	}
	if list := violationsOf(fields["violations"]); list != "" {
		return &venuekey.Error{Class: venuekey.ClassDeclined, Code: "violations", Reason: "Tradovate found wrong fields: " + foreign.LineWithout(list, answer.Sent...), Remedy: "correct these fields"}
	}
	return nil
}

// errorText is a failure in Tradovate's own sentence.
func errorText(text string) *venuekey.Error {
	if _, host, ok := strings.Cut(strings.ToLower(text), "should be called on "); ok {
		name, _, _ := strings.Cut(host, ".")
		return wrong(`Tradovate answered "`+text+`"`, "--host "+foreign.Name(name))
	}
	return &venuekey.Error{Class: venuekey.ClassDeclined, Reason: `Tradovate declined: "` + text + `"`}
}

// judgeStatus gives a status other than 2xx its meaning.
func (a API) judgeStatus(o Operation, answer oauth.Answer, at *url.URL) *venuekey.Error {
	said := ""
	if !answer.IsPage() {
		said = foreign.LineWithout(strings.Trim(string(answer.Text()), " \t\r\n\""), answer.Sent...)
	}
	failure := &venuekey.Error{Class: venuekey.ClassDeclined, Reason: fmt.Sprintf("Tradovate answered %d %s", answer.Status, http.StatusText(answer.Status))}
	if said != "" {
		failure.Reason += `: "` + said + `"`
	}
	switch status := answer.Status; {
	case answer.IsPage():
		failure.Class, failure.Reason = venuekey.ClassLater, fmt.Sprintf("%s answered %d with an HTML page, which is not Tradovate's own word", at.Host, status)
		if !o.Reads() && status >= 500 {
			failure.Class = venuekey.ClassUnknown
		}
	case status == http.StatusUnauthorized || status == http.StatusForbidden:
		a.denied(o, failure, said)
	case status == http.StatusTooManyRequests || status == http.StatusLocked: // 423 comes before 429
		failure.Class, failure.RetryAfter = venuekey.ClassLater, lockout
		failure.Reason += "; every request within the hour extends the block"
	case status == http.StatusMisdirectedRequest:
		failure.Class, failure.Remedy = venuekey.ClassMisconfigured, "venuekey refresh, whose answer names this user's hosts"
	case status == http.StatusNotFound:
		failure.Remedy = "check the operation and its query"
	case status >= 500 || status == http.StatusRequestTimeout:
		failure.Class = venuekey.ClassUnknown
		if o.Reads() {
			failure.Class = venuekey.ClassLater
			failure.Reason += "; the token of a session that was closed gets this too"
		}
	}
	return failure
}

// denied explains a 401: the token is dead, the device is not approved, or the permission is
// missing. Of those on orders, 90 % are about the device (Tradovate facts §1.5, §8).
func (a API) denied(o Operation, failure *venuekey.Error, said string) {
	low := strings.ToLower(said)
	switch {
	case strings.Contains(low, "access token"):
		failure.Class, failure.Reason = venuekey.ClassRefused, "Tradovate does not accept the access token: \""+said+"\""
	case o.Reads():
		failure.Reason += "; the token has ended, or may not read this"
		failure.Remedy = "check that the token is good, with auth/me, and then what the API key or the app is allowed"
	case a.DeviceID != "":
		failure.Reason += "; nothing was carried out. Most often Tradovate has not approved this device for live orders"
		failure.Remedy = "approve this device by the link in Tradovate's mail; its device id is " + a.DeviceID + ". Then check what the API key is allowed"
	default:
		failure.Reason += "; nothing was carried out. The app is not allowed to do this, or Tradovate has not approved the device"
		failure.Remedy = "check the app's permissions in Trader, API Access, OAuth Registration"
	}
}
