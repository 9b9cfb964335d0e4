package tradovate

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/venuekey/venuekey/emulator/internal/core"
)

// body.go owns request bodies: JSON or form, read into the same fields, and the schema's
// rules for them.

// fields are a request's parameters. JSON values that are not strings are kept as they
// were written: 42, true.
type fields map[string]string

// errBody is the only error about an invalid body, since the body may contain a password.
var errBody = errors.New("tradovate: request body is neither a JSON object nor a form")

// readFields reads the body whatever the method, since Tradovate does not enforce
// it (Tradovate facts §0). An empty body is an error.
func readFields(r *http.Request) (fields, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil || len(body) == 0 {
		return nil, errBody
	}
	return decode(body)
}

// presented is what tells the request from others.
func (f fields) presented() presented {
	body := ""
	for _, name := range slices.Sorted(maps.Keys(f)) {
		if name != "p-ticket" {
			body += fmt.Sprintf("%q=%q ", name, f[name])
		}
	}
	return presented{body, f["p-ticket"]}
}

// decode reads JSON if the body looks like it, and a form otherwise, whatever its content
// type says: both endpoints are documented with one and used with the other (Tradovate
// facts §1, §3.1). Nulls, arrays and objects count as absent.
func decode(body []byte) (fields, error) {
	out := make(fields)
	if text := strings.TrimSpace(string(body)); !strings.HasPrefix(text, "{") {
		form, err := url.ParseQuery(text)
		if err != nil || !strings.Contains(text, "=") {
			return nil, errBody
		}
		for name := range form {
			out[name] = form.Get(name)
		}
		return out, nil
	}
	var object map[string]json.RawMessage
	if err := json.Unmarshal(body, &object); err != nil || object == nil {
		return nil, errBody
	}
	for name, raw := range object {
		var text string
		switch raw[0] {
		case '{', '[', 'n':
		case '"':
			if err := json.Unmarshal(raw, &text); err != nil {
				return nil, errBody
			}
			out[name] = text
		default:
			out[name] = string(raw)
		}
	}
	return out, nil
}

// refuseBody answers a body that cannot be decoded (Tradovate facts §1.1).
func refuseBody(w http.ResponseWriter) {
	http.Error(w, "Bad Request", http.StatusBadRequest)
}

// rule is the schema's rule for one field.
type rule struct {
	name     string
	most     int // characters
	required bool
	secret   bool
}

// violation is one broken rule (Tradovate facts §6). The names of constraints are
// made up.
type violation struct {
	Constraint  string `json:"constraint"`
	Value       string `json:"value"`
	Description string `json:"description"`
}

// violations returns the rules that the fields break. It includes the value, unless the
// field is secret.
func (f fields) violations(rules []rule) []violation {
	var out []violation
	for _, r := range rules {
		v := f[r.name]
		switch {
		case v == "" && r.required:
			out = append(out, violation{Constraint: "required", Description: r.name + " must not be empty"})
		case utf8.RuneCountInString(v) > r.most:
			if r.secret {
				v = ""
			}
			out = append(out, violation{"maxLength", v, fmt.Sprintf("%s must not be longer than %d characters", r.name, r.most)})
		}
	}
	return out
}

// refuseViolations answers broken rules, with status 200.
func refuseViolations(w http.ResponseWriter, list []violation) {
	core.Reply(w, http.StatusOK, map[string]any{"violations": list})
}

// refuseText answers a failure as Tradovate does, with status 200 (Tradovate facts §10.1).
func refuseText(w http.ResponseWriter, text string) {
	core.Reply(w, http.StatusOK, map[string]string{"errorText": text})
}
