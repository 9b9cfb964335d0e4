package main

import (
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/venuekey/venuekey"
)

// import_format.go owns the formats in which other tools keep a token.

// foreignNames are the names that other tools use for a field, in lower case and without
// separators.
var foreignNames = map[string][]string{
	"access":          {"accesstoken"},
	"refresh":         {"refreshtoken"},
	"type":            {"tokentype"},
	"scope":           {"scope", "scopes"},
	"expires in":      {"expiresin"},
	"expires at":      {"expiresat", "expiry", "expires", "expirationtime"},
	"issued at":       {"issuedat", "createdat", "obtainedat"},
	"refresh expires": {"refreshexpiresin", "refreshtokenexpiresin"},
}

// foreignToken parses a token from another tool.
func foreignToken(text venuekey.Secret, written time.Time, bare venuekey.Renewal) (venuekey.Token, error) {
	plain := strings.TrimSpace(strings.TrimPrefix(string(text), "\ufeff"))
	switch {
	case plain == "":
		return venuekey.Token{}, noToken("there is nothing to import")
	case strings.HasPrefix(plain, "{") || strings.HasPrefix(plain, "["):
		return foreignJSON(plain, written)
	case strings.ContainsFunc(plain, func(r rune) bool { return r <= ' ' || r > '~' }):
		return venuekey.Token{}, noToken("the input is neither JSON nor a token on a line of its own")
	case bare == venuekey.RenewWithAccessToken:
		return venuekey.Token{Access: venuekey.Secret(plain)}, nil
	}
	return venuekey.Token{Refresh: venuekey.Secret(plain)}, nil
}

func noToken(reason string) error {
	return &venuekey.Error{Class: venuekey.ClassMisconfigured, Reason: reason, Remedy: "give JSON with refresh_token, or only the refresh token"}
}

// foreignJSON parses the one object that holds a token, at any depth.
func foreignJSON(plain string, written time.Time) (venuekey.Token, error) {
	var document any
	decoder := json.NewDecoder(strings.NewReader(plain))
	decoder.UseNumber()
	if decoder.Decode(&document) != nil || decoder.More() {
		return venuekey.Token{}, noToken("the input looks like JSON but cannot be parsed")
	}
	switch found := objectsWithTokens(document); len(found) {
	case 0:
		return venuekey.Token{}, noToken("the input has no field refresh_token or access_token")
	case 1:
		return found[0].token(written)
	default:
		return venuekey.Token{}, &venuekey.Error{Class: venuekey.ClassMisconfigured, Reason: "the input has several tokens, and it is not clear which one is meant", Remedy: "give only the one that is meant"}
	}
}

// foreign is an object of another tool, with its names normalised.
type foreign map[string]any

func objectsWithTokens(value any) (found []foreign) {
	switch v := value.(type) {
	case []any:
		for _, one := range v {
			found = append(found, objectsWithTokens(one)...)
		}
	case map[string]any:
		object := foreign{}
		for name, one := range v {
			plain := strings.NewReplacer("_", "", "-", "", " ", "").Replace(strings.ToLower(name))
			object[plain] = one
			found = append(found, objectsWithTokens(one)...)
		}
		if object.text("access") != "" || object.text("refresh") != "" {
			found = append(found, object)
		}
	}
	return found
}

// token reads the fields. It does not guess.
func (f foreign) token(written time.Time) (venuekey.Token, error) {
	token := venuekey.Token{Access: venuekey.Secret(f.text("access")), Refresh: venuekey.Secret(f.text("refresh")), Type: f.text("type"), Scopes: words(f.text("scope"))}
	if values, ok := f.get("scope").([]any); ok {
		for _, value := range values {
			if scope, ok := value.(string); ok {
				token.Scopes = append(token.Scopes, scope)
			}
		}
	}
	issued, known, err := f.moment("issued at")
	if err != nil {
		return token, err
	}
	if !known {
		issued = written
	}
	expires, ends, err := f.moment("expires at")
	if err != nil {
		return token, err
	}
	life, lives := f.number("expires in")
	switch {
	case ends:
		token.Expires = expires
	case lives && life > 0:
		token.Expires = issued.Add(seconds(life))
	}
	if known || lives && !ends {
		token.Issued = issued
	}
	if life, ok := f.number("refresh expires"); ok && life > 0 {
		token.RefreshExpires = issued.Add(seconds(life))
	}
	return token, nil
}

func (f foreign) get(field string) any {
	for _, name := range foreignNames[field] {
		if value, ok := f[name]; ok && value != nil {
			return value
		}
	}
	return nil
}

// text returns a field that is text; "" for a scope that is a list.
func (f foreign) text(field string) string {
	text, _ := f.get(field).(string)
	return strings.TrimSpace(text)
}

// number returns a field that is a number, even if it is written as text.
func (f foreign) number(field string) (float64, bool) {
	text := f.text(field)
	if number, ok := f.get(field).(json.Number); ok {
		text = number.String()
	}
	number, err := strconv.ParseFloat(text, 64)
	return number, err == nil && !math.IsNaN(number) && !math.IsInf(number, 0)
}

// mostSeconds keeps an absurd number from overflowing.
const mostSeconds = 100 * 365 * 24 * 3600

func seconds(number float64) time.Duration {
	return time.Duration(min(number, mostSeconds) * float64(time.Second))
}

// moment returns a field that is a time: RFC 3339, or seconds or milliseconds since 1970.
func (f foreign) moment(field string) (at time.Time, known bool, err error) {
	if f.get(field) == nil {
		return at, false, nil
	}
	if number, ok := f.number(field); ok && number >= 0 {
		if number > 1e11 { // milliseconds, or the year 5138
			number /= 1000
		}
		return time.Unix(0, 0).Add(seconds(number)), number > 0, nil
	}
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02 15:04:05.999999999Z07:00"} {
		if at, err := time.Parse(layout, f.text(field)); err == nil {
			return at, at.Year() > 1, nil // the year 1 is Go's zero time
		}
	}
	name := foreignNames[field]
	return at, false, noToken("the field " + name[slices.IndexFunc(name, func(n string) bool { return f[n] != nil })] + " is not a time in RFC 3339 or in seconds since 1970")
}
