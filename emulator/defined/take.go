package defined

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"github.com/venuekey/venuekey/emulator"
	"github.com/venuekey/venuekey/emulator/internal/core"
	"github.com/venuekey/venuekey/venue/defined/definition"
)

// take.go owns how a request is taken apart: from what arrived, and what the definition says
// would arrive, follow the values that the client had.

// taken is what a request holds.
type taken struct {
	params map[string]string
	// values are what the names in the templates stand for.
	values map[string]string
	// open are the templates whose text can only be compared once all values are known.
	open []comparison
}

// comparison is a text that arrived and the template that it has to be.
type comparison struct {
	template definition.Template
	text     string
}

// read returns the parameters of a request in the encoding that the definition wants, or an
// error that says why there are none.
func read(r *http.Request, want definition.Request) (map[string]string, error) {
	params := map[string]string{}
	fill := func(values url.Values) {
		for name := range values {
			params[name] = values.Get(name)
		}
	}
	method := string(want.Method)
	if method == "" && want.Encoding == definition.EncodingQuery {
		method = http.MethodGet
	} else if method == "" {
		method = http.MethodPost
	}
	if r.Method != method {
		return nil, refusal{http.StatusMethodNotAllowed, "invalid_request", "the method must be " + method}
	}
	if want.Encoding == definition.EncodingQuery || method == http.MethodGet {
		fill(r.URL.Query())
		return params, nil
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, core.MaxBody))
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	switch {
	case err != nil:
		return nil, bad("invalid_request", "the body cannot be read")
	case want.Encoding == definition.EncodingJSON:
		var object map[string]any
		if kind != "application/json" || len(bytes.TrimSpace(body)) > 0 && json.Unmarshal(body, &object) != nil {
			return nil, bad("invalid_request", "the body must be a JSON object")
		}
		for name, value := range object {
			if _, isText := value.(string); isText == want.Params[name].Literal() {
				return nil, bad("invalid_request", name+" must be of another type")
			}
			params[name] = fmt.Sprint(value)
		}
	default:
		form, err := url.ParseQuery(string(body))
		if kind != "application/x-www-form-urlencoded" || err != nil {
			return nil, bad("invalid_request", "the body must be a form")
		}
		fill(form)
	}
	return params, nil
}

// take takes a request apart.
func take(r *http.Request, want definition.Request) (taken, error) {
	params, err := read(r, want)
	if err != nil {
		return taken{}, err
	}
	t := taken{params: params, values: map[string]string{}}
	for name, template := range want.Params {
		if text, given := params[name]; given && !t.match(template, text) {
			return t, bad("invalid_request", "the parameter "+name+" is not what it should be")
		}
	}
	for name, template := range want.Headers {
		text := r.Header.Get(name)
		if text == "" && len(template.Names()) == 0 || text != "" && !t.match(template, text) {
			return t, bad("invalid_request", "the header field "+name+" is not what it should be")
		}
	}
	if want.Params == nil {
		for name, stands := range map[string]string{"client_id": "client_id", "client_secret": "client_secret", "code": "code", "redirect_uri": "redirect_uri", "code_verifier": "verifier", "refresh_token": "refresh"} {
			if params[name] != "" {
				t.values[stands] = params[name]
			}
		}
	}
	return t, t.authorization(r, want.Auth)
}

// authorization takes the Authorization field apart.
func (t *taken) authorization(r *http.Request, auth definition.Auth) error {
	id, secret, basic := r.BasicAuth()
	switch auth {
	case definition.AuthBearer:
		t.values["access"] = core.Bearer(r)
	case definition.AuthBasic, definition.AuthBasicAndID:
		plainID, wrong := url.QueryUnescape(id)
		plain, err := url.QueryUnescape(secret)
		if basic && (wrong != nil || err != nil) {
			return bad("invalid_client", "the Authorization header is malformed")
		}
		t.values["client_id"], t.values["client_secret"] = plainID, plain
	case definition.AuthBasicPlain:
		t.values["client_id"], t.values["client_secret"] = id, secret
	}
	return nil
}

// match compares a text with a template, and learns the values in it. A template with a call
// is compared later.
func (t *taken) match(template definition.Template, text string) bool {
	var pattern strings.Builder
	var names []string
	for _, part := range template.Parts() {
		switch {
		case part.Call != "":
			t.open = append(t.open, comparison{template, text})
			return true
		case part.Name != "":
			names = append(names, part.Name)
			pattern.WriteString("(.*?)")
		default:
			pattern.WriteString(regexp.QuoteMeta(part.Text))
		}
	}
	found := regexp.MustCompile(`(?s)\A` + pattern.String() + `\z`).FindStringSubmatch(text)
	if found == nil {
		return false
	}
	for i, name := range names {
		t.values[name] = found[i+1]
	}
	return true
}

// compare checks what was left open. secrets holds the values that only the venue knows
// beside the client.
func (t taken) compare(app emulator.App) bool {
	values := map[string]string{"client_id": app.ClientID, "client_secret": app.ClientSecret}
	for name, value := range t.values {
		values[name] = value
	}
	for _, c := range t.open {
		if text(c.template.Parts(), values) != c.text {
			return false
		}
	}
	return true
}

// text writes a template out. It is written anew here: the client has another.
func text(parts []definition.Part, values map[string]string) (out string) {
	for _, part := range parts {
		switch argument := text(part.Args, values); {
		case part.Call == definition.CallSHA256:
			out += fmt.Sprintf("%x", sha256.Sum256([]byte(argument)))
		case part.Call == definition.CallBase64:
			out += base64.StdEncoding.EncodeToString([]byte(argument))
		case part.Call == definition.CallURLEncode:
			out += url.QueryEscape(argument)
		case part.Name != "":
			out += values[part.Name]
		default:
			out += part.Text
		}
	}
	return out
}
