package ttp

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/internal/foreign"
	"github.com/venuekey/venuekey/oauth"
)

// me.go owns the question which user a token belongs to.

// Me is the user that a token belongs to. The site returns more, such as roles and
// capabilities, which is not needed here. The fields are as the site sent them: sanitise
// them before showing them on a terminal.
type Me struct {
	ID          string `json:"ID"`
	Login       string `json:"user_login"`
	Nicename    string `json:"user_nicename"`
	Email       string `json:"user_email"`
	Registered  string `json:"user_registered"`
	Status      string `json:"user_status"`
	DisplayName string `json:"display_name"`
}

// Me returns the user that a token belongs to. The token travels in the header only: the
// server refuses a request that carries it twice. Errors are of ClassRefused if the site
// does not accept the token.
func (v Venue) Me(ctx context.Context, app venuekey.App, access venuekey.Secret) (Me, error) {
	answer, err := v.ask(ctx, app, v.address(app, "me"), access)
	if err == nil && answer.Status == http.StatusNotFound && app.URLs["me"] == "" {
		answer, err = v.ask(ctx, app, v.query(app, "me"), access)
	}
	if err != nil {
		return Me{}, err
	}
	fields, ok := answer.Fields()
	switch refusal := answer.Refusal(access); {
	case refusal != nil && refusal.Code == "insufficient_scope":
		refusal.Op = "me"
		return Me{}, refusal
	case !ok:
		return Me{}, &venuekey.Error{Op: "me", Class: venuekey.ClassLater, Reason: fmt.Sprintf("the site answered %d and no JSON", answer.Status)}
	case answer.Status == http.StatusUnauthorized, answer.Status == http.StatusBadRequest:
		// 401 invalid_token, expired_token and malformed_token, or 400 invalid_request:
		// in each case the token is not accepted.
		return Me{}, &venuekey.Error{Op: "me", Class: venuekey.ClassRefused, Reason: "the site does not accept the access token"}
	case answer.Status == http.StatusNotFound, answer.Status == http.StatusMethodNotAllowed:
		return Me{}, &venuekey.Error{Op: "me", Class: venuekey.ClassMisconfigured, Reason: fmt.Sprintf("the site answered %d", answer.Status), Remedy: "check the address"}
	case answer.Status != http.StatusOK: // a firewall in front of the site, or a rate limit
		return Me{}, &venuekey.Error{Op: "me", Class: venuekey.ClassLater, Reason: fmt.Sprintf("the site answered %d", answer.Status)}
	}
	me := readMe(fields)
	if me.ID == "" && me.Login == "" {
		return Me{}, &venuekey.Error{Op: "me", Class: venuekey.ClassLater, Reason: "the site did not say whose token it is"}
	}
	return me, nil
}

func (v Venue) ask(ctx context.Context, app venuekey.App, address string, access venuekey.Secret) (oauth.Answer, error) {
	target, err := oauth.Endpoint("me", address)
	if err != nil {
		return oauth.Answer{}, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, target.String(), nil)
	if err != nil {
		return oauth.Answer{}, wrong("the me address is not usable", "")
	}
	request.Header.Set("Authorization", "Bearer "+string(access))
	return oauth.Send(oauth.Trusting(v.Transport, app), request)
}

// readMe accepts numbers for strings and the reverse: WordPress plugins change them.
func readMe(fields map[string]json.RawMessage) Me {
	text := func(name string) string {
		var value string
		if json.Unmarshal(fields[name], &value) == nil {
			return value
		}
		var number json.Number
		_ = json.Unmarshal(fields[name], &number)
		return number.String()
	}
	return Me{
		ID: text("ID"), Login: text("user_login"), Nicename: text("user_nicename"), Email: text("user_email"),
		Registered: text("user_registered"), Status: text("user_status"), DisplayName: text("display_name"),
	}
}

// Identify implements venuekey.Identifier.
func (v Venue) Identify(ctx context.Context, app venuekey.App, token venuekey.Token) (string, error) {
	me, err := v.Me(ctx, app, token.Access)
	if err != nil {
		return "", err
	}
	return foreign.NameWithout(fmt.Sprintf("%s (user %s)", me.Login, me.ID), token.Access), nil
}
