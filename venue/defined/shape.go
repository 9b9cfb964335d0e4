package defined

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"strings"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/oauth"
	"github.com/venuekey/venuekey/venue/defined/definition"
)

// shape.go owns what a request looks like on the wire if it is not a form of OAuth 2.

// shaper is what oauth.Client.Shape is.
type shaper = func(context.Context, venuekey.App, oauth.Way, url.Values) (*http.Request, error)

// shapes reports whether a request differs from what the standard says.
func (v venue) shapes(r *definition.Request) bool {
	get := r.Encoding == definition.EncodingQuery && method(*r) == http.MethodGet
	standard := r.Encoding == "" || r.Encoding == definition.EncodingForm || get && len(r.Headers) == 0
	for _, template := range r.Headers {
		standard = standard && len(template.Names()) == 0 // a probe must not show what they stand for
	}
	return r.Params != nil || !standard || !get && method(*r) != http.MethodPost || r.Auth == definition.AuthBearer || r.Auth == definition.AuthNone
}

// shape returns the shaper of a request. It asks the app that it gets for everything that
// the app authenticates with, and knows only the addresses by itself: a probe is nobody's.
func (v venue) shape(r *definition.Request) shaper {
	return func(ctx context.Context, app venuekey.App, way oauth.Way, form url.Values) (*http.Request, error) {
		values := v.values(app, form)
		params := url.Values{}
		if r.Params == nil && r.Auth != definition.AuthBearer {
			params = v.standard(app, r, form)
		}
		for name, template := range r.Params {
			if value := template.Render(values); value != "" {
				params.Set(name, string(value))
			}
		}
		request, err := assembled(ctx, way.URL, *r, params)
		if err != nil {
			return nil, err
		}
		v.decorate(request, app, r, values)
		return request, nil
	}
}

// own parameters of a form, which are ours and go into no request as they are.
const (
	formAccess = "venuekey.access"
	formExtra  = "venuekey.extra."
)

// renewalForm is the form of a renewal that presents the access token.
func renewalForm(token venuekey.Token) url.Values {
	return url.Values{"grant_type": {"refresh_token"}, formAccess: {string(token.Access)}}
}

// keyForm is the form of a sign-in with the app's own key, as a renewal.
func keyForm() url.Values { return url.Values{"grant_type": {"refresh_token"}} }

// withExtras returns a shaper that also knows what came with the token.
func (v venue) withExtras(shape shaper, token venuekey.Token) shaper {
	return func(ctx context.Context, app venuekey.App, way oauth.Way, form url.Values) (*http.Request, error) {
		full := maps.Clone(form)
		for name := range token.Extras {
			full.Set(formExtra+name, string(token.Extra(name)))
		}
		if token.Access != "" && !full.Has(formAccess) {
			full.Set(formAccess, string(token.Access))
		}
		return shape(ctx, app, way, full)
	}
}

// values returns what the names in a request's templates stand for.
func (v venue) values(app venuekey.App, form url.Values) map[string]venuekey.Secret {
	values := map[string]venuekey.Secret{
		"client_id": venuekey.Secret(app.ClientID), "client_secret": app.ClientSecret, "redirect_uri": venuekey.Secret(app.RedirectURI),
		"code": venuekey.Secret(form.Get("code")), "verifier": venuekey.Secret(form.Get("code_verifier")),
		"refresh": venuekey.Secret(form.Get("refresh_token")), "access": venuekey.Secret(form.Get(formAccess)),
		"scope": venuekey.Secret(v.scope(app)),
	}
	if app.ClientID != "" || len(app.Params) > 0 { // else it is a probe, which shows no default either
		maps.Copy(values, v.answers(app))
		maps.Copy(values, v.kept(app))
	}
	for name, list := range form {
		if extra, ok := strings.CutPrefix(name, formExtra); ok {
			values["extra."+extra] = venuekey.Secret(list[0])
		}
	}
	return values
}

// scope returns the scopes that a sign-in asks for.
func (v venue) scope(app venuekey.App) string {
	a := v.d.Authorize
	switch {
	case a == nil:
		return strings.Join(app.Scopes, " ")
	case len(app.Scopes) > 0:
		return strings.Join(app.Scopes, cmp.Or(a.Separator, " "))
	}
	return strings.Join(a.Scopes, cmp.Or(a.Separator, " "))
}

// standard returns the standard's parameters, with the app's credentials if they travel with
// them.
func (v venue) standard(app venuekey.App, r *definition.Request, form url.Values) url.Values {
	params := url.Values{}
	for name, list := range form {
		if !strings.HasPrefix(name, "venuekey.") {
			params[name] = list
		}
	}
	inBody := r.Auth == "" || r.Auth == definition.AuthBody
	if app.ClientID != "" && (inBody || r.Auth == definition.AuthBasicAndID) {
		params.Set("client_id", app.ClientID)
	}
	if app.ClientSecret != "" && inBody {
		params.Set("client_secret", string(app.ClientSecret))
	}
	return params
}

// assembled returns a request with its parameters where its encoding has them.
func assembled(ctx context.Context, address string, r definition.Request, params url.Values) (*http.Request, error) {
	target, err := oauth.Endpoint("venue's", address)
	if err != nil {
		return nil, err
	}
	var body []byte
	kind := "application/x-www-form-urlencoded"
	switch {
	case r.Encoding == definition.EncodingQuery || method(r) == http.MethodGet:
		query := target.Query()
		maps.Copy(query, params)
		target.RawQuery, kind = query.Encode(), ""
	case r.Encoding == definition.EncodingJSON:
		kind = "application/json"
		object := map[string]any{}
		for name, list := range params {
			if object[name] = list[0]; r.Params[name].Literal() {
				object[name] = json.RawMessage(list[0])
			}
		}
		if body, err = json.Marshal(object); err != nil {
			return nil, wrong("the request cannot be written as JSON", "")
		}
	default:
		body = []byte(params.Encode())
	}
	request, err := http.NewRequestWithContext(ctx, method(r), target.String(), bytes.NewReader(body))
	if err != nil {
		return nil, wrong("the address at "+target.Host+" is not usable", "")
	}
	if kind != "" {
		request.Header.Set("Content-Type", kind)
	}
	return request, nil
}

// decorate sets a request's header fields.
func (v venue) decorate(request *http.Request, app venuekey.App, r *definition.Request, values map[string]venuekey.Secret) {
	for name, template := range r.Headers {
		if value := template.Render(values); value != "" {
			request.Header.Set(name, string(value))
		}
	}
	switch {
	case r.Auth == definition.AuthBearer && values["access"] != "":
		request.Header.Set("Authorization", "Bearer "+string(values["access"]))
	case app.ClientID == "":
	case r.Auth == definition.AuthBasic, r.Auth == definition.AuthBasicAndID:
		request.SetBasicAuth(url.QueryEscape(app.ClientID), url.QueryEscape(string(app.ClientSecret)))
	case r.Auth == definition.AuthBasicPlain:
		request.SetBasicAuth(app.ClientID, string(app.ClientSecret))
	}
}

// header returns the header fields of a request that the standard shapes: they are the same
// for everybody.
func header(r *definition.Request) http.Header {
	header := http.Header{}
	for name, template := range r.Headers {
		if value := template.Render(nil); value != "" {
			header.Set(name, string(value))
		}
	}
	if len(header) == 0 {
		return nil
	}
	return header
}
