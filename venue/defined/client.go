package defined

import (
	"cmp"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/oauth"
	"github.com/venuekey/venuekey/venue/defined/definition"
)

// client.go owns the oauth.Client that sends a definition's requests.

// What the requests are called, where the app's own addresses are named.
const (
	exchanging = "exchange"
	renewing   = "renew"
)

// wayParam returns the app's parameter that remembers which of a request's addresses answers.
func wayParam(name string) string { return name + "_way" }

// client returns the client for a request, and the app with all that is asked of it. A
// request without parameters of its own is what OAuth 2 says.
func (v venue) client(app venuekey.App, r *definition.Request, name string) (oauth.Client, venuekey.App, error) {
	config, err := v.config(app, r, name)
	if err != nil {
		return oauth.Client{}, app, err
	}
	client := oauth.Client{Config: config, Transport: oauth.Trusting(v.transport, app), Own: v.own}
	if v.shapes(r) {
		client.Shape = v.shape(r)
	}
	if v.rewrites() {
		client.Read = v.read
	}
	return client, app, nil
}

// config returns what the standard's part of a definition is.
func (v venue) config(app venuekey.App, r *definition.Request, name string) (oauth.Config, error) {
	config := oauth.Config{
		Names: v.names(), Meanings: v.meanings(), ErrorsInOK: v.d.Answer.OK != nil,
		ReuseHarmless: v.Policy().AfterLostAnswer >= venuekey.RetryUntilRefused,
		DefaultLife:   v.life(), RefreshLife: time.Duration(v.d.Renew.Life),
		ClientAuth: v.clientAuth(app, r.Auth), TokenByGet: method(*r) == http.MethodGet,
	}
	if !v.shapes(r) {
		config.Header = header(r)
	}
	if err := v.ways(app, r, name, &config); err != nil {
		return config, err
	}
	if v.d.Authorize == nil {
		return config, nil
	}
	return config, v.authorize(app, &config)
}

// ways fills in the addresses of a request, beginning with the one that answered last.
func (v venue) ways(app venuekey.App, r *definition.Request, name string, config *oauth.Config) error {
	if name == renewing && v.d.Renew.Request == nil {
		name = exchanging // the same address, under its own name
	}
	var ways []oauth.Way
	for i, text := range append([]string{r.URL}, r.Fallbacks...) {
		address, err := v.address(app, name, text)
		if err != nil {
			return err
		}
		if len(ways) > 0 && address == ways[0].URL {
			continue // the environment, or the app, has one address in their place
		}
		ways = append(ways, oauth.Way{URL: address, ByGet: config.TokenByGet, Learned: map[string]string{wayParam(name): strconv.Itoa(i)}})
	}
	if first, err := strconv.Atoi(string(app.Param(wayParam(name)))); err == nil && first > 0 && first < len(ways) {
		way := ways[first]
		ways = slices.Insert(slices.Delete(ways, first, first+1), 0, way)
	}
	config.TokenURL = ways[0].URL
	config.TokenFallbacks = ways[1:]
	return nil
}

// authorize fills in the page at which the user signs in.
func (v venue) authorize(app venuekey.App, config *oauth.Config) (err error) {
	a := v.d.Authorize
	if config.AuthorizeURL, err = v.address(app, "authorize", a.URL); err != nil {
		return err
	}
	values := v.answers(app)
	maps.Copy(values, v.kept(app))
	values["client_id"], values["redirect_uri"] = venuekey.Secret(app.ClientID), venuekey.Secret(app.RedirectURI)
	config.AuthorizeParams = url.Values{}
	for name, template := range a.Params {
		if value := template.Render(values); value != "" {
			config.AuthorizeParams.Set(name, string(value))
		}
	}
	config.Rename = map[string]string{}
	for name, other := range a.Rename {
		config.Rename[name] = other
	}
	if a.State.SendAs != "" {
		config.Rename["state"] = a.State.SendAs
	}
	config.StatePrefix, config.StateNotEchoed = a.State.Prefix, a.State.Lost
	config.DefaultScopes, config.ScopeSeparator = a.Scopes, a.Separator
	config.PKCE, config.CodeParam, config.CodeLife = a.PKCE == definition.PKCES256, a.CodeParam, time.Duration(a.CodeLife)
	return nil
}

// clientAuth returns how an app identifies itself.
func (v venue) clientAuth(app venuekey.App, auth definition.Auth) oauth.ClientAuth {
	switch {
	case auth == definition.AuthBasic:
		return oauth.AuthBasic
	case auth == definition.AuthBasicPlain:
		return oauth.AuthBasicPlain
	case auth == definition.AuthBasicAndID:
		return oauth.AuthBasicAndID
	case v.d.Client == definition.ClientPublic && app.ClientSecret == "":
		return oauth.AuthPublic
	}
	return oauth.AuthInBody
}

// names returns the names of the answer's fields that are not inside of others.
func (v venue) names() oauth.Names {
	a := v.d.Answer
	return oauth.Names{
		Access: flat(a.Access, "access_token"), Refresh: flat(a.Refresh, "refresh_token"), Type: flat(a.Type, "token_type"),
		Scope: flat(a.Scope, "scope"), Error: flat(a.Error, "error"), Description: flat(a.Description, "error_description"),
		ExpiresIn: flat(a.Life.ExpiresIn, "expires_in"), RefreshExpiresIn: flat(a.RefreshExpiresIn, "refresh_token_expires_in"),
	}
}

// flat returns the standard's name and those of a list that are fields of the outermost
// object, the definition's first.
func flat(paths definition.Paths, standard string) (names []string) {
	for _, path := range paths {
		if len(path.Steps) == 1 {
			names = append(names, path.Steps[0])
		}
	}
	if slices.Contains(names, standard) {
		return names
	}
	return append(names, standard)
}

func (v venue) meanings() (rows []oauth.Meaning) {
	for _, row := range v.d.Errors {
		if row.Code != "" || row.Text != "" { // one that is a status alone is for own
			rows = append(rows, oauth.Meaning{Status: row.Status, Code: row.Code, Text: row.Text, Grant: string(row.Grant),
				Class: row.Class.Of(), Reason: row.Reason, Remedy: row.Remedy})
		}
	}
	return rows
}

// own recognises the venue's errors that are none of OAuth's: those that an answer calls a
// failure itself, and those that are known by their status.
func (v venue) own(grant string, answer oauth.Answer, fields map[string]json.RawMessage) *venuekey.Error {
	for _, row := range v.d.Errors {
		if row.Code == "" && row.Text == "" && row.Status == answer.Status && (row.Grant == "" || string(row.Grant) == grant) {
			return &venuekey.Error{Class: row.Class.Of(), Reason: row.Reason, Remedy: row.Remedy}
		}
	}
	if _, failed := fields[failureField]; !failed {
		return nil
	}
	return v.explain(grant, answer, textOf(fields["error"]), textOf(fields["error_description"]))
}

// explain returns what an error means that is certainly the venue's.
func (v venue) explain(grant string, answer oauth.Answer, code, description string) *venuekey.Error {
	return oauth.Config{Meanings: v.meanings()}.Explain(grant, answer.Status, code, description, answer.Sent)
}

func method(r definition.Request) string {
	usual := http.MethodPost
	if r.Encoding == definition.EncodingQuery {
		usual = http.MethodGet
	}
	return cmp.Or(string(r.Method), usual)
}
