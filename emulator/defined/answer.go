package defined

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/venuekey/venuekey/emulator"
	"github.com/venuekey/venuekey/emulator/internal/core"
	"github.com/venuekey/venuekey/internal/loopback"
	"github.com/venuekey/venuekey/venue/defined/definition"
)

// answer.go owns the answers: values at the definition's paths, in its units.

// answer is a JSON object, and header fields.
type answer struct {
	body   map[string]any
	header http.Header
}

// put puts a value at the first of the paths, or under the standard's name.
func (a answer) put(paths definition.Paths, standard string, value any) {
	path := definition.Path{Steps: []string{standard}}
	if len(paths) > 0 {
		path = paths[0]
	}
	a.set(path, value)
}

func (a answer) set(path definition.Path, value any) {
	if path.Header != "" {
		a.header.Set(path.Header, fmt.Sprint(value))
		return
	}
	var put func(inside any, steps []string) any
	put = func(inside any, steps []string) any {
		if len(steps) == 0 {
			return value
		}
		if _, err := strconv.Atoi(steps[0]); err == nil { // a list of one is enough
			list, _ := inside.([]any)
			if len(list) == 0 {
				list = []any{nil}
			}
			list[0] = put(list[0], steps[1:])
			return list
		}
		object, ok := inside.(map[string]any)
		if !ok {
			object = map[string]any{}
		}
		object[steps[0]] = put(object[steps[0]], steps[1:])
		return object
	}
	put(a.body, path.Steps)
}

// like returns a text as the JSON value that it looks like.
func like(text string) any {
	var value any
	if json.Unmarshal([]byte(text), &value) == nil {
		switch value.(type) {
		case bool, float64:
			return json.RawMessage(text)
		}
	}
	return text
}

// ok puts what tells success from failure.
func (r rules) ok(a answer, success bool) {
	switch ok := r.Answer.OK; {
	case ok == nil:
	case success:
		a.set(ok.Path, like(ok.Equals))
	case ok.Equals == "true":
		a.set(ok.Path, false)
	default:
		a.set(ok.Path, "error")
	}
}

// grant answers with tokens.
func (r rules) grant(w http.ResponseWriter, request *http.Request, p emulator.Pair, renewal bool, t taken, now time.Time) {
	a := answer{map[string]any{}, w.Header()}
	access := p.Access
	if r.Answer.Life.JWT {
		access = jwt(p)
	}
	paths := r.Answer.Access
	if renewal && r.Renew.With != definition.WithRefresh && len(paths) > 1 {
		paths = paths[len(paths)-1:] // a renewal may call it something else
	}
	a.put(paths, "access_token", access)
	if r.Exchange == nil || r.Exchange.Params == nil {
		a.put(r.Answer.Type, "token_type", "Bearer")
	}
	refresh := p.Refresh
	if refresh == "" && renewal && r.Renew.With == definition.WithRefresh && !r.knobs.OmitRefresh {
		refresh = t.values["refresh"]
	}
	if refresh != "" {
		a.put(r.Answer.Refresh, "refresh_token", refresh)
	}
	if len(r.Answer.User) > 0 {
		a.put(r.Answer.User, "", p.Grant.User)
	}
	if len(r.Answer.Base) > 0 {
		a.put(r.Answer.Base, "", baseOf(request))
	}
	for name, paths := range r.Answer.Extras {
		a.put(paths, name, extra(p.Access, name))
	}
	if len(r.Answer.RefreshExpiresIn) > 0 && !p.RefreshExpires.IsZero() {
		a.put(r.Answer.RefreshExpiresIn, "", core.Seconds(p.RefreshExpires.Sub(now)))
	}
	r.life(a, p)
	r.ok(a, true)
	core.Reply(w, http.StatusOK, a.body)
}

// extra returns a value that goes with an access token, and that nobody else knows.
func extra(access, name string) string { return emulator.Fingerprint(access + " " + name) }

// baseOf returns the address at which the request arrived.
func baseOf(r *http.Request) string {
	if at := (&url.URL{Host: r.Host}); r.TLS == nil && loopback.Host(at.Hostname()) {
		return "http://" + r.Host + "/"
	}
	return "https://" + r.Host + "/"
}

// life puts how long the access token lives, if the definition knows of a place for that.
func (r rules) life(a answer, p emulator.Pair) {
	l := r.Answer.Life
	standard := r.Life.Cutoff == nil && !r.Life.Never && !l.JWT && (r.Exchange == nil || r.Exchange.Params == nil)
	switch {
	case r.knobs.OmitExpiry:
	case len(l.ExpiresAt) > 0 && l.Layout == "" && l.Unit != "":
		a.put(l.ExpiresAt, "", int64(p.AccessExpires.Sub(time.Unix(0, 0))/l.Unit.Of()))
	case len(l.ExpiresAt) > 0:
		zone, err := time.LoadLocation(l.Zone)
		if err != nil {
			zone = time.UTC
		}
		a.put(l.ExpiresAt, "", p.AccessExpires.In(zone).Format(cmp.Or(l.Layout, time.RFC3339)))
	case len(l.ExpiresIn) > 0 || standard:
		a.put(l.ExpiresIn, "expires_in", int64(p.AccessExpires.Sub(p.Issued)/l.Unit.Of()))
	}
}

// jwt puts a token into a JWT that says when it expires. Its signature is the token.
func jwt(p emulator.Pair) string {
	part := func(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }
	return part(`{"alg":"none"}`) + "." + part(fmt.Sprintf(`{"exp":%d}`, p.AccessExpires.Unix())) + "." + p.Access
}

// bare returns the token in a JWT.
func bare(access string) string { return access[strings.LastIndexByte(access, '.')+1:] }

// refusal is an error as it is sent.
type refusal struct {
	status     int // 0: the usual one
	code, text string
}

func (e refusal) Error() string { return "emulator: " + e.code + ": " + e.text }

func bad(code, text string) refusal { return refusal{0, code, text} }

// row returns the refusal that the definition's own table explains so, or the standard's.
func (r rules) row(class definition.Class, grant definition.Grant, code, text string) refusal {
	for _, of := range []definition.Grant{grant, ""} { // the particular row first
		for _, row := range r.Errors {
			own := r.Answer.OK != nil || len(r.Answer.Error) > 0 || row.Grant == grant && grant != ""
			if own && row.Class == class && row.Code != "" && row.Grant == of {
				return refusal{row.Status, row.Code, text + " " + row.Text}
			}
		}
	}
	return refusal{0, code, text}
}

// refuse answers with an error.
func (r rules) refuse(w http.ResponseWriter, err error) {
	e, ok := err.(refusal)
	if !ok {
		e = bad("server_error", "something went wrong")
	}
	a := answer{map[string]any{}, w.Header()}
	var code any = e.code
	if r.Answer.OK != nil {
		code = like(e.code)
	}
	a.put(r.Answer.Error, "error", code)
	a.put(r.Answer.Description, "error_description", strings.TrimSpace(e.text))
	r.ok(a, false)
	core.Reply(w, cmp.Or(e.status, r.errorStatus()), a.body)
}

// asPage answers HTML if a knob says so.
func (r rules) asPage(w http.ResponseWriter) bool {
	if r.knobs.HTMLStatus == 0 {
		return false
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(r.knobs.HTMLStatus)
	fmt.Fprint(w, "<!DOCTYPE html><html><body><h1>Sorry</h1></body></html>\n")
	return true
}
