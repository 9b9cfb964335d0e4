package oauth

import (
	"encoding/json"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/venuekey/venuekey"
)

// token reads the answer to a token request (RFC 6749 §5). Errors come first,
// whatever the status: venues put them into a 200 too.
func (c Config) token(answer Answer, form url.Values, sent time.Time, clientSecret venuekey.Secret) (venuekey.Token, error) {
	names := c.Names.withDefaults()
	fields, ok := answer.Fields()
	if !ok {
		address, _ := url.Parse(c.TokenURL)
		return venuekey.Token{}, answer.NotJSON(address)
	}
	secrets := []venuekey.Secret{clientSecret}
	for _, name := range []string{"code", "refresh_token", "code_verifier"} {
		secrets = append(secrets, venuekey.Secret(form.Get(name)))
	}
	if code := text(fields, names.Error); code != "" || answer.Status >= 300 {
		failure := c.Explain(form.Get("grant_type"), answer.Status, code, text(fields, names.Description), secrets)
		failure.RetryAfter = retryAfter(answer.Header, time.Now())
		return venuekey.Token{}, failure
	}
	token := venuekey.Token{
		Access:  venuekey.Secret(text(fields, names.Access)),
		Refresh: venuekey.Secret(text(fields, names.Refresh)),
		Type:    text(fields, names.Type),
		Issued:  sent,
	}
	if token.Access == "" {
		return venuekey.Token{}, &venuekey.Error{Class: venuekey.Unknown, Reason: "the answer is JSON but holds neither a token nor an error"}
	}
	answered, _ := http.ParseTime(answer.Header.Get("Date"))
	token.EndsAfter(orLife(lifetime(fields, names.ExpiresIn), c.DefaultLife), answered)
	if life := lifetime(fields, names.RefreshExpiresIn); life != 0 {
		token.RefreshExpires = sent.Add(life)
	}
	token.Scopes = scopes(text(fields, names.Scope))
	token.Extras = extras(fields, names)
	return token, nil
}

// text gives the first of the named fields that holds a string that is not
// empty. null counts as absent.
func text(fields map[string]json.RawMessage, names []string) string {
	for _, name := range names {
		var value string
		if raw, ok := fields[name]; ok && json.Unmarshal(raw, &value) == nil && value != "" {
			return value
		}
	}
	return ""
}

// longestLife bounds what an answer may claim: ten years in place of a number
// that does not fit a time.
const longestLife = 10 * 365 * 24 * time.Hour

// lifetime reads seconds, as a number or as a string that holds one. Zero
// means that none of the fields tells. A negative life is a token that was
// dead on arrival, and stays one.
func lifetime(fields map[string]json.RawMessage, names []string) time.Duration {
	for _, name := range names {
		raw := strings.Trim(string(fields[name]), `" `)
		seconds, err := strconv.ParseFloat(raw, 64)
		if err != nil || math.IsNaN(seconds) || seconds == 0 {
			continue
		}
		limit := longestLife.Seconds()
		return time.Duration(min(max(seconds, -limit), limit) * float64(time.Second))
	}
	return 0
}

func orLife(stated, otherwise time.Duration) time.Duration {
	if stated != 0 {
		return stated
	}
	if otherwise > 0 {
		return otherwise
	}
	return time.Hour
}

// scopes splits a scope field; venues separate by spaces (RFC 6749 §3.3), and
// some by commas.
func scopes(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return r == ' ' || r == ',' })
}

// extras keeps every field that no other part of the token holds.
func extras(fields map[string]json.RawMessage, names Names) map[string]venuekey.Secret {
	known := map[string]bool{}
	for _, list := range [][]string{names.Access, names.Refresh, names.Type, names.ExpiresIn, names.RefreshExpiresIn, names.Scope, names.Error, names.Description} {
		for _, name := range list {
			known[name] = true
		}
	}
	kept := map[string]venuekey.Secret{}
	for name, raw := range fields {
		if !known[name] && string(raw) != "null" {
			kept[name] = venuekey.Secret(raw)
		}
	}
	if len(kept) == 0 {
		return nil
	}
	return kept
}
