package oauth

import (
	"encoding/json"
	"net/http"
	"strings"

	"github.com/venuekey/venuekey"
)

// refusal.go owns what the body of an answer says about a bearer token.

// Refusal returns what the answer to a call with a bearer token says about that token, as
// venuekey.RefusalOf does, nil if it says nothing. Some servers leave out the challenge
// and put its words into the body; they count if the status fits (RFC 6750 §3.1).
func (a Answer) Refusal(access venuekey.Secret) *venuekey.Error {
	header := http.Header{"Www-Authenticate": a.Header.Values("WWW-Authenticate")}
	if len(header["Www-Authenticate"]) == 0 {
		header.Set("WWW-Authenticate", a.bodyChallenge())
	}
	request := &http.Request{Header: http.Header{"Authorization": {"Bearer " + string(access)}}}
	failure, _ := venuekey.RefusalOf(&http.Response{StatusCode: a.Status, Header: header, Request: request}).(*venuekey.Error)
	return failure
}

// bodyChallenge turns an error in the body into a challenge; "" if there is none.
func (a Answer) bodyChallenge() string {
	fields, ok := a.Fields()
	word := text(fields, []string{"error"})
	status := map[string]int{"insufficient_scope": http.StatusForbidden, "invalid_token": http.StatusUnauthorized}
	if !ok || status[word] != a.Status {
		return ""
	}
	return "Bearer error=" + word + ", scope=" + quoted(fields["scope"])
}

// quoted writes a JSON string as a quoted-string (RFC 9110 §5.6.4). Characters that
// cannot appear in one become question marks.
func quoted(raw json.RawMessage) string {
	var scope string
	_ = json.Unmarshal(raw, &scope)
	return `"` + strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' || r == '"' || r == '\\' {
			return '?'
		}
		return r
	}, scope) + `"`
}
