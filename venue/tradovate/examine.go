package tradovate

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/oauth"
)

// examine.go owns the question whether Tradovate still accepts an access token.

// Examine implements venuekey.Examiner. It lists the accounts: a read that both hosts
// answer, which an unapproved device may make, and which counts against nothing but the
// user's 5,000 requests an hour, whereas only ten calls of me may fail in one, and fifteen
// renewals be made (Tradovate facts §1.5, §1.6, §6). A 401 may also be about the API key's
// permissions, so me is asked then: it succeeds, which counts against nothing, or the token
// is dead and not asked about again. An answer as for a closed session is taken for one only
// if Tradovate answers a request without a token.
func (v Venue) Examine(ctx context.Context, app venuekey.App, token venuekey.Token) error {
	api := v.APIFor(app, token)
	err := api.listAccounts(ctx, token.Access)
	switch {
	case venuekey.ClassOf(err) == venuekey.ClassRefused:
		if _, unknown := api.Me(ctx, token.Access); unknown == nil {
			return &venuekey.Error{Class: venuekey.ClassDeclined, Reason: "Tradovate accepts the token, but does not let it list accounts",
				Remedy: "check the permissions of the API key in Trader, Application Settings, API Access"}
		}
	case errors.Is(err, venuekey.ErrSessionEnded):
		if silent := v.Probe(ctx, app); silent != nil {
			return &venuekey.Error{Class: venuekey.ClassLater, Reason: "Tradovate answers no one at present", Err: silent}
		}
	case venuekey.ClassOf(err) == venuekey.ClassMisconfigured && !lacksScope(err): // an address, or a certificate
		return &venuekey.Error{Class: venuekey.ClassLater, Reason: "the token could not be examined", Err: err}
	}
	return err
}

func lacksScope(err error) bool {
	var known *venuekey.Error
	return errors.As(err, &known) && known.Code == "insufficient_scope"
}

// listAccounts asks for the accounts and keeps none: GET /account/list. An empty list is an
// answer too: it is what the wrong host and some OAuth apps get (Tradovate facts §8).
func (a API) listAccounts(ctx context.Context, access venuekey.Secret) error {
	request, err := a.request(ctx, http.MethodGet, a.Base, "/account/list", "", nil)
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Bearer "+string(access))
	answer, address, err := oauth.SendWithin(a.domains(), a.Transport, request)
	if err != nil {
		return err
	}
	var list []json.RawMessage
	if answer.Status < 300 && json.Unmarshal(answer.Text(), &list) == nil {
		return nil
	}
	if fields, ok := answer.Fields(); ok {
		if err := failure("", answer, fields); err != nil {
			return err
		}
		return answer.NotJSON(address)
	}
	return notJSON(answer, address, "", true)
}
