package defined

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"maps"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/venuekey/venuekey/oauth"
	"github.com/venuekey/venuekey/venue/defined/definition"
)

// read.go owns how an answer that is not in the standard's form is turned into one that is.
// What it does not understand stays as it is: package oauth judges it then, as it judges any
// stranger's answer.

// The fields of our own in such an answer. No venue's field has such a name: they are
// removed first.
const (
	ownField     = "venuekey."
	failureField = ownField + "failure"
	userField    = ownField + "user"
	baseField    = ownField + "base"
)

// rewrites reports whether an answer has to be rewritten.
func (v venue) rewrites() bool {
	a := v.d.Answer
	if a.OK != nil || len(a.User)+len(a.Base)+len(a.Extras)+len(a.Life.ExpiresAt) > 0 || a.Life.JWT || a.Life.Unit != "" && a.Life.Unit != definition.UnitSeconds {
		return true
	}
	for _, paths := range []definition.Paths{a.Access, a.Refresh, a.Type, a.Scope, a.Error, a.Description, a.Life.ExpiresIn, a.RefreshExpiresIn} {
		for _, path := range paths {
			if len(path.Steps) != 1 {
				return true
			}
		}
	}
	return false
}

// read is oauth.Client's Read.
func (v venue) read(answer oauth.Answer, sent time.Time) oauth.Answer {
	body := json.RawMessage(bytes.TrimSpace(answer.Text()))
	if len(body) == 0 {
		body = json.RawMessage("{}") // the tokens may be in header fields
	}
	var whole map[string]json.RawMessage
	if json.Unmarshal(body, &whole) != nil || whole == nil {
		return answer
	}
	a := v.d.Answer
	find := func(paths definition.Paths, standard string) (json.RawMessage, bool) {
		if len(paths) == 0 {
			paths = definition.Paths{{Steps: []string{standard}}}
		}
		return paths.Find(answer.Header, body)
	}
	access, granted := find(a.Access, "access_token")
	code, _ := find(a.Error, "error")
	failed := v.failed(answer, body)
	if !granted && !failed && (len(a.Error) == 0 || textOf(code) == "") {
		return answer
	}
	fields := siblings(a.Access, body)
	maps.DeleteFunc(fields, func(name string, _ json.RawMessage) bool { return strings.HasPrefix(name, ownField) })
	put := func(name string, paths definition.Paths) {
		if value, ok := find(paths, name); ok {
			fields[name] = value
		}
	}
	if granted && !failed {
		fields["access_token"] = access
		v.putLife(fields, find, access, sent)
	}
	put("refresh_token", a.Refresh)
	put("token_type", a.Type)
	put("scope", a.Scope)
	put("refresh_token_expires_in", a.RefreshExpiresIn)
	if len(a.User) > 0 {
		put(userField, a.User)
	}
	if len(a.Base) > 0 {
		put(baseField, a.Base)
	}
	for name, paths := range a.Extras {
		if value, ok := paths.Find(answer.Header, body); ok {
			fields[name] = value
		}
	}
	v.putError(fields, find, failed)
	if text, err := json.Marshal(fields); err == nil {
		answer.Body = text
	}
	return answer
}

// failed reports whether the answer itself says that it is no success.
func (v venue) failed(answer oauth.Answer, body json.RawMessage) bool {
	ok := v.d.Answer.OK
	if ok == nil {
		return false
	}
	value, found := ok.Path.Find(answer.Header, body)
	return found && textOf(value) != ok.Equals
}

// putError writes an error as the standard does.
func (v venue) putError(fields map[string]json.RawMessage, find func(definition.Paths, string) (json.RawMessage, bool), failed bool) {
	code, _ := find(v.d.Answer.Error, "error")
	delete(fields, "error")
	if text := textOf(code); text != "" && (failed || v.d.Answer.OK == nil) {
		fields["error"] = quoted(text)
	}
	if text, ok := find(v.d.Answer.Description, "error_description"); ok {
		fields["error_description"] = quoted(textOf(text))
	}
	if failed {
		fields[failureField] = json.RawMessage("true")
	}
}

// putLife writes how long the access token lives in seconds.
func (v venue) putLife(fields map[string]json.RawMessage, find func(definition.Paths, string) (json.RawMessage, bool), access json.RawMessage, sent time.Time) {
	l := v.d.Answer.Life
	delete(fields, "expires_in")
	put := func(life time.Duration) {
		fields["expires_in"] = json.RawMessage(strconv.FormatFloat(life.Seconds(), 'f', 3, 64))
	}
	switch {
	case len(l.ExpiresAt) > 0:
		if at, ok := moment(find, l); ok {
			put(at.Sub(sent))
		}
	case l.JWT:
		if at, ok := expiryOf(textOf(access)); ok {
			put(at.Sub(sent))
		}
	default:
		value, ok := find(l.ExpiresIn, "expires_in")
		if number, err := strconv.ParseFloat(strings.TrimSpace(textOf(value)), 64); ok && err == nil && math.Abs(number) < 1e13 {
			put(time.Duration(math.Max(math.Min(number*float64(l.Unit.Of()), math.MaxInt64/2), math.MinInt64/2)))
		}
	}
}

// moment reads when the access token expires.
func moment(find func(definition.Paths, string) (json.RawMessage, bool), l definition.AnswerLife) (time.Time, bool) {
	value, ok := find(l.ExpiresAt, "")
	if !ok {
		return time.Time{}, false
	}
	text := textOf(value)
	if number, err := strconv.ParseFloat(text, 64); err == nil && l.Layout == "" {
		if math.Abs(number) > 1e13 {
			return time.Time{}, false
		}
		return time.UnixMilli(int64(number * float64(l.Unit.Of()) / float64(time.Millisecond))), true
	}
	if l.Layout == "" {
		at, err := time.Parse(time.RFC3339, text)
		return at, err == nil
	}
	zone, err := time.LoadLocation(l.Zone) // "" is UTC
	if err != nil {
		return time.Time{}, false
	}
	at, err := time.ParseInLocation(l.Layout, text, zone)
	return at, err == nil
}

// expiryOf reads when a JWT expires (RFC 7519 §4.1.4). Whether the token is genuine is the
// venue's question.
func expiryOf(jwt string) (time.Time, bool) {
	parts := strings.Split(jwt, ".")
	if len(parts) != 3 {
		return time.Time{}, false
	}
	payload, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(parts[1], "="))
	var claims struct {
		Exp float64 `json:"exp"`
	}
	if err != nil || json.Unmarshal(payload, &claims) != nil || claims.Exp <= 0 || claims.Exp > 1e11 {
		return time.Time{}, false
	}
	return time.Unix(int64(claims.Exp), 0), true
}

// siblings returns the fields beside the access token, which become the token's extras.
func siblings(access definition.Paths, body json.RawMessage) map[string]json.RawMessage {
	fields := map[string]json.RawMessage{}
	for _, path := range access {
		if len(path.Steps) < 2 {
			continue
		}
		around := definition.Path{Steps: path.Steps[:len(path.Steps)-1]}
		if object, ok := around.Find(nil, body); ok && json.Unmarshal(object, &fields) == nil && fields[path.Steps[len(path.Steps)-1]] != nil {
			delete(fields, path.Steps[len(path.Steps)-1])
			return fields
		}
		fields = map[string]json.RawMessage{}
	}
	_ = json.Unmarshal(body, &fields)
	return fields
}

// textOf returns a JSON string without its quotes, and any other value as it is written.
func textOf(value json.RawMessage) string {
	var text string
	if json.Unmarshal(value, &text) == nil {
		return text
	}
	return string(value)
}

func quoted(text string) json.RawMessage {
	value, err := json.Marshal(text)
	if err != nil {
		return json.RawMessage(`""`)
	}
	return value
}
