package defined

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/internal/foreign"
	"github.com/venuekey/venuekey/oauth"
)

// who.go owns the question whose token it is.

// Identify implements venuekey.Identifier.
func (i identifier) Identify(ctx context.Context, app venuekey.App, token venuekey.Token) (string, error) {
	v := i.of
	answer, err := v.askWho(ctx, app, token)
	if err != nil {
		return "", err
	}
	fields, isJSON := answer.Fields()
	body := json.RawMessage(answer.Text())
	refusal := answer.Refusal(token.Access)
	switch {
	case refusal != nil && refusal.Code == "insufficient_scope":
		refusal.Op = "who"
		return "", refusal
	case !isJSON: // also a 401: a proxy may have lost the token
		return "", &venuekey.Error{Op: "who", Class: venuekey.ClassLater, Reason: fmt.Sprintf("%s answered %d and no JSON", v.d.Name, answer.Status)}
	case answer.Status == http.StatusUnauthorized:
		return "", &venuekey.Error{Op: "who", Class: venuekey.ClassRefused, Reason: v.d.Name + " does not accept the access token"}
	case v.failed(answer, body):
		code, _ := v.d.Answer.Error.Find(answer.Header, body)
		text, _ := v.d.Answer.Description.Find(answer.Header, body)
		failure := v.explain("refresh_token", answer, textOf(code), textOf(text))
		failure.Op = "who"
		return "", failure
	case answer.Status == http.StatusNotFound, answer.Status == http.StatusMethodNotAllowed:
		return "", &venuekey.Error{Op: "who", Class: venuekey.ClassMisconfigured, Reason: fmt.Sprintf("%s answered %d", v.d.Name, answer.Status), Remedy: "check the address"}
	case answer.Status != http.StatusOK || len(fields) == 0:
		return "", &venuekey.Error{Op: "who", Class: venuekey.ClassLater, Reason: fmt.Sprintf("%s answered %d", v.d.Name, answer.Status)}
	}
	user, found := v.d.Who.User.Find(answer.Header, body)
	name := foreign.NameWithout(textOf(user), token.Access, token.Refresh)
	if !found || name == "" {
		return "", &venuekey.Error{Op: "who", Class: venuekey.ClassLater, Reason: v.d.Name + " did not say whose token it is"}
	}
	return name, nil
}

// askWho sends the request, to another address of the same thing if there is nothing at the
// first one: the question uses nothing up.
func (v venue) askWho(ctx context.Context, app venuekey.App, token venuekey.Token) (answer oauth.Answer, err error) {
	r := v.d.Who.Request
	shape := v.withExtras(v.shape(&r), token)
	for _, text := range append([]string{r.URL}, r.Fallbacks...) {
		address, err := v.address(app, "who", text)
		if err != nil {
			return answer, err
		}
		request, err := shape(ctx, app, oauth.Way{URL: address}, url.Values{})
		if err != nil {
			return answer, err
		}
		answer, err = oauth.Send(oauth.Trusting(v.transport, app), request)
		if err != nil || answer.Status != http.StatusNotFound {
			return answer, err
		}
	}
	return answer, nil
}
