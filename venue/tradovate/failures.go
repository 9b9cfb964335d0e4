package tradovate

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/internal/foreign"
	"github.com/venuekey/venuekey/oauth"
)

// failures.go owns the ways in which Tradovate reports errors.

// failure returns what went wrong in a JSON answer, nil if nothing did. The order is
// documented: errorText, p-ticket, error, violations, and then the status. With a grant,
// unknown errors do not end the sign-in.
func failure(grant string, answer oauth.Answer, fields map[string]json.RawMessage) *venuekey.Error {
	if stringOf(fields["errorText"]) == "" && stringOf(fields["p-ticket"]) == "" {
		if err := (oauth.Config{Meanings: meanings, ErrorsInOK: true}).OAuthError(grant, answer); err != nil {
			return err
		}
	}
	return ownWords(grant, answer, fields)
}

// ownWords returns the errors that Tradovate reports in ways other than OAuth's.
func ownWords(grant string, answer oauth.Answer, fields map[string]json.RawMessage) *venuekey.Error {
	config := oauth.Config{Meanings: meanings}
	if text := stringOf(fields["errorText"]); text != "" {
		return config.Explain(grant, answer.Status, "", text, answer.Sent)
	}
	if ticket := stringOf(fields["p-ticket"]); ticket != "" {
		return penaltyOf(ticket, fields)
	}
	if list := violationsOf(fields["violations"]); list != "" {
		return config.Explain(grant, http.StatusBadRequest, "violations", list, answer.Sent)
	}
	return nil
}

func penaltyOf(ticket string, fields map[string]json.RawMessage) *venuekey.Error {
	penalty := &Penalty{}
	if foreign.IsToken(ticket) { // what is sent back must not be a text
		penalty.Ticket = venuekey.Secret(ticket)
	}
	_ = json.Unmarshal(fields["p-captcha"], &penalty.Captcha)
	seconds, _ := strconv.ParseFloat(strings.Trim(string(fields["p-time"]), `"`), 64)
	penalty.Wait = time.Duration(min(max(seconds, 1), captchaWait.Seconds()) * float64(time.Second))
	if penalty.Captcha {
		penalty.Wait = captchaWait
	}
	return &venuekey.Error{Class: venuekey.ClassLater, RetryAfter: penalty.Wait, Reason: penalty.Error(), Err: penalty}
}

// violationsOf describes which fields of a request are wrong and how, without their
// values, which the server repeats.
func violationsOf(raw json.RawMessage) string {
	var violations []struct {
		Constraint  string `json:"constraint"`
		Description string `json:"description"`
	}
	if json.Unmarshal(raw, &violations) != nil {
		return ""
	}
	var list []string
	for _, v := range violations {
		list = append(list, strings.TrimSpace(v.Constraint+" "+v.Description))
	}
	return strings.Join(list, "; ")
}

func stringOf(raw json.RawMessage) string {
	var text string
	_ = json.Unmarshal(raw, &text)
	return text
}

// meanings are the errors that Tradovate has been seen to send.
var meanings = []oauth.Meaning{
	{Text: "incorrect username or password", Class: venuekey.ClassRefused, Reason: "Tradovate does not accept user name and password",
		Remedy: "check both; after five failures even right ones are refused for some minutes"},
	{Text: "incorrect password", Class: venuekey.ClassRefused, Reason: "Tradovate does not accept user name and password",
		Remedy: "check both; after five failures even right ones are refused for some minutes"},
	{Text: "app is not registered", Class: venuekey.ClassMisconfigured, Reason: "Tradovate does not know the API key", Remedy: "check cid, sec and app_id against Trader, Application Settings, API Access"},
	{Text: "should be called on live", Class: venuekey.ClassMisconfigured, Reason: "only Tradovate's live host answers this", Remedy: "set the app's environment to live"},
	{Text: "should be called on demo", Class: venuekey.ClassMisconfigured, Reason: "only Tradovate's demo host answers this", Remedy: "set the app's environment to demo"},
	{Text: "access is denied", Class: venuekey.ClassRefused, Reason: "Tradovate denies access"},
	{Text: "expired access token", Class: venuekey.ClassRefused, Reason: "the access token expired"},
	{Code: "violations", Class: venuekey.ClassMisconfigured},
	{Code: "invalid_token", Grant: "refresh_token", Class: venuekey.ClassRefused, Reason: "Tradovate no longer accepts the refresh token"},
	{Code: "invalid_client", Class: venuekey.ClassMisconfigured, Reason: "Tradovate does not accept client id, secret and redirect uri together",
		Remedy: "compare all three with Trader, API Access, OAuth Registration; the authorize and token addresses must belong to the same environment"},
}
