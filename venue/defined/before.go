package defined

import (
	"context"
	"encoding/json"
	"maps"
	"net/url"
	"strings"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/internal/foreign"
	"github.com/venuekey/venuekey/oauth"
)

// before.go owns the request that some venues want before the user is shown the page.

// keptParam is the beginning of the parameters that hold what such a request brought, in the
// copy of the app that one sign-in has. They are saved nowhere.
const keptParam = ownField + "before."

// before sends the request, and returns the app with what its answer brought.
func (v venue) before(ctx context.Context, app venuekey.App) (venuekey.App, error) {
	if v.d.Before == nil {
		return app, nil
	}
	r := v.d.Before.Request
	address, err := v.address(app, "before", r.URL)
	if err != nil {
		return app, err
	}
	request, err := v.shape(&r)(ctx, app, oauth.Way{URL: address}, url.Values{})
	if err != nil {
		return app, err
	}
	sent := request.URL
	answer, err := oauth.Send(oauth.Trusting(v.transport, app), request)
	if err != nil {
		return app, err
	}
	body := json.RawMessage(answer.Text())
	app.Params = maps.Clone(app.Params)
	if app.Params == nil {
		app.Params = map[string]venuekey.Secret{}
	}
	for name, paths := range v.d.Before.Keep {
		value, found := paths.Find(answer.Header, body)
		if text := textOf(value); found && text != "" && foreign.IsToken(text) && answer.Status < 300 && !v.failed(answer, body) {
			app.Params[keptParam+name] = venuekey.Secret(text)
			continue
		}
		if failure := (oauth.Config{Names: v.names(), Meanings: v.meanings(), ErrorsInOK: v.d.Answer.OK != nil}).OAuthError("", answer); failure != nil {
			return app, failure
		}
		return app, answer.NotJSON(sent)
	}
	return app, nil
}

// kept returns what the request before the page brought, by its name in templates.
func (v venue) kept(app venuekey.App) map[string]venuekey.Secret {
	values := map[string]venuekey.Secret{}
	for name, value := range app.Params {
		if kept, ok := strings.CutPrefix(name, keptParam); ok {
			values["extra."+kept] = value
		}
	}
	return values
}
