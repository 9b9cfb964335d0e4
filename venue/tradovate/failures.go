package tradovate

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/oauth"
)

// failures.go owns the ways in which Tradovate says no.

// Penalty is Tradovate's demand to wait: the request was not executed, and may
// be sent again with the ticket once the wait is over. Find it in an error with
// errors.As.
type Penalty struct {
	// Ticket goes into the repeated request as p-ticket.
	Ticket venuekey.Secret
	// Wait is how long to wait first.
	Wait time.Duration
	// Captcha says that a person has to solve one, which no program can offer:
	// the user has to wait for an hour.
	Captcha bool
}

// captchaWait is how long the documentation says users should wait.
const captchaWait = time.Hour

// Error names the wait.
func (p *Penalty) Error() string {
	if p.Captcha {
		return "Tradovate wants a captcha solved, which no program can: wait an hour before the next try"
	}
	return fmt.Sprintf("Tradovate makes callers wait: the next try is allowed in %s", p.Wait)
}

// failure finds what went wrong in an answer that is JSON, in the order of the
// fact sheet: errorText, p-ticket, error, violations, and then the status. If a
// grant is named, a word that nobody knows ends nothing.
func failure(grant string, answer oauth.Answer, fields map[string]json.RawMessage) *venuekey.Error {
	if stringOf(fields["errorText"]) == "" && stringOf(fields["p-ticket"]) == "" {
		if err := (oauth.Config{Meanings: meanings, ErrorsInOK: true}).OAuthError(grant, answer); err != nil {
			return err
		}
	}
	return ownWords(grant, answer, fields)
}

// ownWords finds what Tradovate says beside the errors of OAuth.
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
	penalty := &Penalty{Ticket: venuekey.Secret(ticket)}
	_ = json.Unmarshal(fields["p-captcha"], &penalty.Captcha)
	seconds, _ := strconv.ParseFloat(strings.Trim(string(fields["p-time"]), `"`), 64)
	penalty.Wait = time.Duration(min(max(seconds, 1), captchaWait.Seconds()) * float64(time.Second))
	if penalty.Captcha {
		penalty.Wait = captchaWait
	}
	return &venuekey.Error{Class: venuekey.ClassLater, RetryAfter: penalty.Wait, Reason: penalty.Error(), Err: penalty}
}

// violationsOf lists which fields of a request are wrong, and how. The values,
// which the server repeats, are left out.
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

// meanings are the words that Tradovate was seen to use.
var meanings = []oauth.Meaning{
	{Text: "incorrect username or password", Class: venuekey.ClassRefused, Reason: "Tradovate does not accept user name and password",
		Remedy: "check both; after five failures even right ones are refused for some minutes"},
	{Text: "incorrect password", Class: venuekey.ClassRefused, Reason: "Tradovate does not accept user name and password",
		Remedy: "check both; after five failures even right ones are refused for some minutes"},
	{Text: "app is not registered", Class: venuekey.ClassMisconfigured, Reason: "Tradovate does not know the API key", Remedy: "check cid, sec and app_id against Trader, Application Settings, API Access"},
	{Text: "should be called on live", Class: venuekey.ClassMisconfigured, Reason: "Tradovate answers this at its live host only", Remedy: "set the app's environment to live"},
	{Text: "should be called on demo", Class: venuekey.ClassMisconfigured, Reason: "Tradovate answers this at its demo host only", Remedy: "set the app's environment to demo"},
	{Text: "access is denied", Class: venuekey.ClassRefused, Reason: "Tradovate denies access"},
	{Text: "expired access token", Class: venuekey.ClassRefused, Reason: "the access token expired"},
	{Code: "violations", Class: venuekey.ClassMisconfigured},
	{Code: "invalid_token", Grant: "refresh_token", Class: venuekey.ClassRefused, Reason: "Tradovate does not accept the refresh token any more"},
	{Code: "invalid_client", Class: venuekey.ClassMisconfigured, Reason: "Tradovate does not accept client id, secret and redirect uri together",
		Remedy: "compare all three with Trader, API Access, OAuth Registration; authorize and token address must be of the same environment"},
}
