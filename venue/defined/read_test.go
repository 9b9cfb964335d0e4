package defined

import (
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/oauth"
	"github.com/venuekey/venuekey/venue/defined/definition"
)

// of returns the venue of a definition in which only the answer is particular.
func of(t testing.TB, answer string) venue {
	t.Helper()
	d, err := Parse("my.json", []byte(`{"name": "acme", "login": "code", "authorize": {"url": "https://acme.example/authorize"},
		"exchange": {"url": "https://acme.example/token"}, "renew": {"with": "refresh"}, "answer": `+answer+`}`))
	if err != nil {
		t.Fatal(err)
	}
	return venue{d: d}
}

// Each answer becomes one of the standard's form, or stays as it is.
func TestAnswersInTheStandardsForm(t *testing.T) {
	sent := time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC)
	for name, row := range map[string]struct {
		answer, header, body string
		want                 string // "" means unchanged
	}{
		"nested": {answer: `{"access": "data.token", "refresh": "data.next"}`, body: `{"data": {"token": "a", "next": "r", "id": 7}}`,
			want: `{"access_token":"a","id":7,"next":"r","refresh_token":"r"}`},
		"the second path": {answer: `{"access": ["token", "newToken"], "life": {"jwt": true}}`, body: `{"newToken": "a"}`, want: `{"access_token":"a","newToken":"a"}`},
		"a header field":  {answer: `{"access": "header:CST"}`, header: "a", body: ``, want: `{"access_token":"a"}`},
		"milliseconds":    {answer: `{"life": {"expires_in": "ms", "unit": "ms"}}`, body: `{"access_token": "a", "ms": 1500}`, want: `{"access_token":"a","expires_in":1.500,"ms":1500}`},
		"minutes in text": {answer: `{"life": {"expires_in": "m", "unit": "min"}}`, body: `{"access_token": "a", "m": "2"}`, want: `{"access_token":"a","expires_in":120.000,"m":"2"}`},
		"a moment":        {answer: `{"life": {"expires_at": "at"}}`, body: `{"access_token": "a", "at": "2026-03-01T10:01:00Z"}`, want: `{"access_token":"a","at":"2026-03-01T10:01:00Z","expires_in":60.000}`},
		"a moment of unix": {answer: `{"life": {"expires_at": "at", "unit": "ms"}}`, body: `{"access_token": "a", "at": 1772359260000}`,
			want: `{"access_token":"a","at":1772359260000,"expires_in":60.000}`},
		"a moment in a zone": {answer: `{"life": {"expires_at": "at", "layout": "2006-01-02 15:04", "zone": "Asia/Kolkata"}}`, body: `{"access_token": "a", "at": "2026-03-01 15:31"}`,
			want: `{"access_token":"a","at":"2026-03-01 15:31","expires_in":60.000}`},
		"a moment in no form": {answer: `{"life": {"expires_at": "at"}}`, body: `{"access_token": "a", "at": "soon"}`, want: `{"access_token":"a","at":"soon"}`},
		"a JWT": {answer: `{"life": {"jwt": true}}`, body: `{"access_token": "e30.eyJleHAiOjE3NzIzNTkyNjB9.s"}`,
			want: `{"access_token":"e30.eyJleHAiOjE3NzIzNTkyNjB9.s","expires_in":60.000}`},
		"a JWT that is none": {answer: `{"life": {"jwt": true}}`, body: `{"access_token": "opaque", "expires_in": 5}`, want: `{"access_token":"opaque"}`},
		"a failure with 200": {answer: `{"access": "token", "ok": {"path": "success", "equals": "true"}, "error": "errorCode", "description": "msg"}`, body: `{"success": false, "errorCode": 3, "msg": "no", "token": null}`,
			want: `{"error":"3","errorCode":3,"error_description":"no","msg":"no","success":false,"token":null,"venuekey.failure":true}`},
		"an error inside": {answer: `{"error": "error.code", "description": "error.message"}`, body: `{"error": {"code": 13, "message": "no"}}`, want: `{"error":"13","error_description":"no"}`},
		"a user and a base": {answer: `{"user": "who.id", "base": "api"}`, body: `{"access_token": "a", "who": {"id": 7}, "api": "https://a.example"}`,
			want: `{"access_token":"a","api":"https://a.example","venuekey.base":"https://a.example","venuekey.user":7,"who":{"id":7}}`},
		"a field like one of ours": {answer: `{"user": "who"}`, body: `{"access_token": "a", "venuekey.user": "eve", "venuekey.failure": 1}`, want: `{"access_token":"a"}`},

		"a gateway's":   {answer: `{"access": "data.token", "ok": {"path": "ok", "equals": "1"}}`, body: `{"message": "Forbidden"}`},
		"a page":        {answer: `{"access": "data.token"}`, body: `<html>`},
		"half of it":    {answer: `{"access": "data.token"}`, body: `{"data": {"token": "a"`},
		"a list":        {answer: `{"access": "data.token"}`, body: `[1]`},
		"null":          {answer: `{"access": "data.token"}`, body: `null`},
		"other numbers": {answer: `{"life": {"expires_in": "ms", "unit": "ms"}}`, body: `{"ms": 1e400}`},
	} {
		header := http.Header{}
		if row.header != "" {
			header.Set("CST", row.header)
		}
		v := of(t, row.answer)
		if !v.rewrites() {
			t.Errorf("%s: it is not rewritten", name)
		}
		got := string(v.read(oauth.Answer{Status: 200, Header: header, Body: []byte(row.body)}, sent).Body)
		if want := row.want; got != want && !(want == "" && got == row.body) {
			t.Errorf("%s:\n%s\nwant\n%s", name, got, want)
		}
	}
}

func TestAFlatAnswerIsLeftToTheStandard(t *testing.T) {
	if of(t, `{"access": ["token"], "refresh": ["refresh_token", "next"], "life": {"expires_in": "ttl"}}`).rewrites() {
		t.Error("it is rewritten")
	}
}

// A cut-off is at the wall clock's time, on days with daylight saving too.
func TestTheCutoff(t *testing.T) {
	for name, row := range map[string]struct{ time, zone, issued, want string }{
		"later today":                {"16:00", "America/New_York", "2026-01-05T10:00:00-05:00", "2026-01-05T16:00:00-05:00"},
		"tomorrow":                   {"03:30", "Asia/Kolkata", "2026-01-05T03:30:00+05:30", "2026-01-06T03:30:00+05:30"},
		"a second before":            {"03:30", "Asia/Kolkata", "2026-01-05T03:29:59+05:30", "2026-01-05T03:30:00+05:30"},
		"over the end of a year":     {"06:00", "Asia/Kolkata", "2026-12-31T12:00:00Z", "2027-01-01T06:00:00+05:30"},
		"the day is 23 hours long":   {"00:00", "America/New_York", "2026-03-08T00:00:00-05:00", "2026-03-09T00:00:00-04:00"},
		"the day is 25 hours long":   {"00:00", "America/New_York", "2026-11-01T00:00:00-04:00", "2026-11-02T00:00:00-05:00"},
		"a time that is left out":    {"02:30", "America/New_York", "2026-03-08T01:00:00-05:00", "2026-03-08T01:30:00-05:00"},
		"a time that comes twice":    {"01:30", "America/New_York", "2026-11-01T00:00:00-04:00", "2026-11-01T01:30:00-04:00"},
		"after the first of the two": {"01:30", "America/New_York", "2026-11-01T01:30:00-04:00", "2026-11-02T01:30:00-05:00"},
	} {
		issued, err := time.Parse(time.RFC3339, row.issued)
		if err != nil {
			t.Fatal(err)
		}
		v := venue{d: &definition.Definition{Life: definition.Life{Cutoff: &definition.Cutoff{Time: row.time, Zone: row.zone}}}}
		if at, ok := v.cutoff(issued); !ok || at.Format(time.RFC3339) != row.want {
			t.Errorf("%s: %s, want %s", name, at.Format(time.RFC3339), row.want)
		}
	}
}

func FuzzRead(f *testing.F) {
	answers := []string{`{"access": "data.token", "error": "error.code", "ok": {"path": "ok", "equals": "true"}}`, `{"access": ["a.0.b", "header:CST"], "life": {"expires_at": "at", "unit": "ms"}, "user": "u"}`, `{"life": {"jwt": true}, "base": "b"}`}
	f.Add(0, 200, `{"data": {"token": "x"}, "ok": true}`)
	f.Add(1, 200, `{"a": [{"b": "x"}], "at": 1e300}`)
	f.Add(2, 400, `{"access_token": "e30.eyJleHAiOjF9.s"}`)
	f.Fuzz(func(t *testing.T, which, status int, body string) {
		v := of(t, answers[uint(which)%uint(len(answers))])
		answer := oauth.Answer{Status: status, Header: http.Header{}, Body: []byte(body)}
		got := v.read(answer, time.Unix(1e9, 0))
		if string(got.Body) != body && !json.Valid(got.Body) {
			t.Errorf("%q became %q", body, got.Body)
		}
	})
}

func TestTheAddressOfTheAPI(t *testing.T) {
	d := &definition.Definition{API: definition.API{Base: "https://api.example/v1/"}}
	for named, want := range map[string]string{
		"": "https://api.example/v1", `"https://api01.example/"`: "https://api01.example", `"https:\/\/api01.example\/"`: "https://api01.example", `"http://127.0.0.1:9/"`: "http://127.0.0.1:9",
		`"http://api.example"`: "", `"https://user:pass@api.example"`: "", `"https://api.example/?a=b"`: "", `"nowhere"`: "", `"https://"`: "",
	} {
		token := venuekey.Token{}
		if named != "" {
			token.Extras = map[string]venuekey.Secret{baseField: venuekey.Secret(named)}
		}
		if got, ok := Base(d, venuekey.App{}, token); got != want || ok != (want != "") {
			t.Errorf("%s: %q %t", named, got, ok)
		}
	}
}
