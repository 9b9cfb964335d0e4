package oauth

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/venuekey/venuekey"
)

// Answers that are not the token address's own word, and answers that are: what
// each means for the refresh token that was presented. A death is believed of
// invalid_grant alone, that nothing was burnt of an OAuth error, a 429, and a 503
// that says when to come again.
func TestWhoseWordAnAnswerIs(t *testing.T) {
	const page, forbidden, notFound = "<!doctype html><title>x</title>", `{"message":"Forbidden"}`, `{"error":"Not Found"}`
	const cloudflare = `{"success":false,"errors":[{"code":1020,"message":"Access denied"}],"error_code":1020}`
	const object = `{"error":{"code":401,"message":"invalid_grant","status":"UNAUTHENTICATED"}}`
	for _, row := range []struct {
		status int
		body   string
		class  venuekey.Class
	}{
		// Strangers' JSON ends no sign-in.
		{401, forbidden, venuekey.ClassUnknown}, {402, forbidden, venuekey.ClassUnknown}, {403, forbidden, venuekey.ClassUnknown},
		{404, forbidden, venuekey.ClassUnknown}, {405, forbidden, venuekey.ClassUnknown}, {409, forbidden, venuekey.ClassUnknown},
		{418, forbidden, venuekey.ClassUnknown}, {451, forbidden, venuekey.ClassUnknown}, {403, cloudflare, venuekey.ClassUnknown},
		{404, notFound, venuekey.ClassUnknown}, {400, object, venuekey.ClassUnknown}, {200, object, venuekey.ClassUnknown},
		{200, `{"error":"Down for maintenance"}`, venuekey.ClassUnknown}, {403, `{"error":"forbidden"}`, venuekey.ClassUnknown},
		{400, `{"error":true}`, venuekey.ClassUnknown}, {400, `{"error":"Forbidden"}`, venuekey.ClassUnknown}, {400, `{"error":"<script>"}`, venuekey.ClassUnknown},
		{500, `{"message":"oops"}`, venuekey.ClassUnknown}, {200, `{"status":"ok"}`, venuekey.ClassUnknown},
		{400, `{"message":"quoted","inner":{"error":"invalid_grant"}}`, venuekey.ClassUnknown},
		{400, `[{"error":"invalid_grant"},{"error":"invalid_client"}]`, venuekey.ClassUnknown},
		{200, page + `<script>x={"error":"invalid_grant"}</script>`, venuekey.ClassUnknown},
		// Unknown error codes end none either.
		{200, `{"error":"maintenance"}`, venuekey.ClassLater}, {400, `{"error":"SOMETHING_NEW"}`, venuekey.ClassLater},
		{400, `{"error":"rate_limit_exceeded"}`, venuekey.ClassLater}, {400, `{"error":"slow_down"}`, venuekey.ClassLater},
		{503, `{"error":"temporarily_unavailable"}`, venuekey.ClassLater}, {500, `{"error":"server_error"}`, venuekey.ClassLater},
		// Pages from elsewhere do not prove that the token is unused.
		{403, page, venuekey.ClassUnknown}, {404, page, venuekey.ClassUnknown}, {405, page, venuekey.ClassUnknown}, {500, page, venuekey.ClassUnknown},
		{400, "", venuekey.ClassUnknown}, {401, "", venuekey.ClassUnknown}, {408, "", venuekey.ClassUnknown}, {423, "", venuekey.ClassUnknown},
		{500, "", venuekey.ClassUnknown}, {502, "", venuekey.ClassUnknown}, {503, "", venuekey.ClassUnknown}, {504, "", venuekey.ClassUnknown},
		{301, "", venuekey.ClassUnknown}, {302, page, venuekey.ClassUnknown}, {307, "", venuekey.ClassUnknown}, {429, "", venuekey.ClassLater}, {429, page, venuekey.ClassLater},
		// The venue's own.
		{400, `{"error":"invalid_grant"}`, venuekey.ClassRefused}, {500, `{"error":"invalid_grant"}`, venuekey.ClassRefused}, {200, `{"error":"INVALID_GRANT"}`, venuekey.ClassRefused},
		{400, "\xef\xbb\xbf" + `{"error":"invalid_grant"}`, venuekey.ClassRefused}, {400, `<b>Notice</b>: x {"error":"invalid_grant"}`, venuekey.ClassRefused},
		{400, `{"data":{"error":"invalid_grant"}}`, venuekey.ClassRefused}, {401, `{"error":"invalid_client"}`, venuekey.ClassMisconfigured},
		{400, `{"error":"access_denied"}`, venuekey.ClassMisconfigured}, {400, `{"error":"invalid_request"}`, venuekey.ClassMisconfigured},
	} {
		client, asked := answering(t, says(row.status, row.body))
		client.ErrorsInOK = true
		_, err := client.Refresh(t.Context(), stageApp, sentRefresh)
		if venuekey.ClassOf(err) != row.class || err == nil || asked.Load() != 1 {
			t.Errorf("%d %s: %s: %v; want %s", row.status, row.body, venuekey.ClassOf(err), err, row.class)
		} else if strings.Contains(err.Error(), "does not say why") || strings.Contains(err.Error(), "something else") {
			t.Errorf("%d %s: %v", row.status, row.body, err)
		}
	}
}

func TestA503ThatSaysWhenToComeAgainGrantedNothing(t *testing.T) {
	for when, class := range map[string]venuekey.Class{"7": venuekey.ClassLater, "0": venuekey.ClassLater, "soon": venuekey.ClassUnknown, "": venuekey.ClassUnknown} {
		client, _ := answering(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", when)
			w.WriteHeader(http.StatusServiceUnavailable)
			fmt.Fprint(w, "<html>")
		})
		if _, err := client.Refresh(t.Context(), stageApp, sentRefresh); venuekey.ClassOf(err) != class {
			t.Errorf("%q: %v", when, err)
		}
	}
}

// A rotation that arrived is read, whatever stands around it: the token before it
// is dead.
func TestATokenThatIsThereIsTaken(t *testing.T) {
	const good = `{"access_token":"a","refresh_token":"r","expires_in":3600,"token_type":"bearer"}`
	const page = "<!doctype html>\n<html><script>x={\"access_token\":\"widget\"}</script><pre>"
	wide := func(mark string, swap int) string {
		bytes := []byte(mark)
		for _, unit := range utf16.Encode([]rune(good)) {
			pair := [2]byte{byte(unit), byte(unit >> 8)}
			bytes = append(bytes, pair[swap], pair[1-swap])
		}
		return string(bytes)
	}
	for _, row := range []struct {
		name, body string
		status     int
		note       string
	}{
		{"as it should be", good, 200, ""},
		{"created", good, 201, ""},
		{"a byte-order mark", "\xef\xbb\xbf" + good, 200, "byte-order mark"},
		{"UTF-16", wide("\xff\xfe", 0), 200, "UTF-16"},
		{"UTF-16, the other way", wide("\xfe\xff", 1), 200, "UTF-16"},
		{"UTF-16 without a mark", wide("", 0), 200, "UTF-16"},
		{"a notice before it", "<br />\n<b>Notice</b>: Undefined index: {x} in plugin.php<br />\n" + good, 200, "bytes before"},
		{"a comment behind it", good + "\n<!-- Cached page generated by a plugin { } -->", 200, "bytes after"},
		{"a comment before and behind it", "<!-- x -->" + good + "<!-- y -->", 200, "bytes before"},
		{"wrapped", `{"data":` + good + `}`, 200, "wrapped"},
		{"wrapped beside other things", `{"success":true,"data":` + good + `}`, 200, "wrapped"},
		{"quoted in a string", `{"statusCode":200,"body":"` + strings.ReplaceAll(good, `"`, `\"`) + `"}`, 200, "wrapped"},
		{"in a list", `[` + good + `]`, 200, "wrapped"},
		{"twice", `{"access_token":"a","data":` + good + `,"refresh_token":"r"}`, 200, ""},
		{"twice, the second time whole", `[{"access_token":"a"},` + good + `]`, 200, "wrapped"},
		{"white space", strings.Replace(good, `"a"`, `" a\r\n"`, 1), 200, "access token had white space"},
		{"white space around the other", strings.Replace(good, `"r"`, `"r\n"`, 1), 200, "refresh token had white space"},
		{"status 403", good, 403, "status 403"}, {"status 404", good, 404, "status 404"}, {"status 405", good, 405, "status 405"},
		{"status 500", good, 500, "status 500"}, {"status 302", good, 302, "status 302"}, {"status 429", good, 429, "status 429"},
		{"in a web page", page + good + "</pre></html>", 200, "bytes before"},
		{"beside an error, with a new refresh token", strings.Replace(good, `{`, `{"error":"invalid_grant",`, 1), 200, "names an error"},
		{"beside a word that is no error", strings.Replace(good, `{`, `{"error":"none",`, 1), 400, "names an error"},
	} {
		t.Run(row.name, func(t *testing.T) {
			client, asked := answering(t, says(row.status, row.body))
			client.TokenFallbacks, client.ReuseHarmless = []Way{{URL: client.TokenURL}}, true
			token, err := client.Refresh(t.Context(), stageApp, sentRefresh)
			if err != nil || token.Access != "a" || token.Refresh != "r" || token.Life().Hours() != 1 || asked.Load() != 1 {
				t.Fatalf("%d requests, %v", asked.Load(), err)
			}
			if notes := strings.Join(token.Notes, "\n"); !strings.Contains(notes, row.note) || (row.note == "") != (notes == "") {
				t.Fatalf("notes %q, want %q", notes, row.note)
			}
		})
	}
}

func TestANumberIsATokenToo(t *testing.T) {
	client, _ := answering(t, says(200, `{"access_token":12345678901234567890,"refresh_token":77}`))
	token, err := client.Refresh(t.Context(), stageApp, sentRefresh)
	if err != nil || token.Access != "12345678901234567890" || token.Refresh != "77" || len(token.Notes) != 2 {
		t.Fatal(token.Notes, err)
	}
}

// A token that may not be ours is not taken for ours.
func TestTokensThatAreNotTaken(t *testing.T) {
	for name, row := range map[string]struct {
		body  string
		class venuekey.Class
	}{
		"two different ones":             {`[{"access_token":"a"},{"access_token":"b"}]`, venuekey.ClassUnknown},
		"two refresh tokens":             {`[{"access_token":"a","refresh_token":"r"},{"access_token":"a","refresh_token":"s"}]`, venuekey.ClassUnknown},
		"a widget's, in a page":          {`<html><script>x={"access_token":"a"}</script>`, venuekey.ClassUnknown},
		"an echo beside an error":        {`{"error":"invalid_grant","access_token":"a"}`, venuekey.ClassRefused},
		"an echo of both":                {`{"error":"invalid_grant","access_token":"a","refresh_token":"` + sentRefresh + `"}`, venuekey.ClassRefused},
		"an echo, the error wrapping it": {`{"error":"temporarily_unavailable","data":{"access_token":"a"}}`, venuekey.ClassLater},
		"an error in a string":           {`{"statusCode":400,"body":"{\"error\":\"invalid_grant\"}"}`, venuekey.ClassUnknown},
		"white space alone":              {`{"access_token":" \n"}`, venuekey.ClassUnknown},
		"zero":                           {`{"access_token":0}`, venuekey.ClassUnknown},
		"a truth":                        {`{"access_token":true}`, venuekey.ClassUnknown},
		"cut off":                        {`{"access_token":"a","refresh_token":"r`, venuekey.ClassUnknown},
		"very deep":                      {strings.Repeat(`[`, 9) + `{"access_token":"a"}` + strings.Repeat(`]`, 9), venuekey.ClassUnknown},
		"braces without end":             {strings.Repeat(`{"a":`, 100_000), venuekey.ClassUnknown},
		"objects without end":            {strings.Repeat(`{}`, 500_000) + "x", venuekey.ClassUnknown},
	} {
		client, _ := answering(t, says(200, row.body))
		if token, err := client.Refresh(t.Context(), stageApp, sentRefresh); token.Access != "" || err == nil || venuekey.ClassOf(err) != row.class {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A sign-in has nothing to lose: there the class is what helps, and a stranger's
// words are never put into the venue's mouth.
func TestStrangersAtASignIn(t *testing.T) {
	for _, row := range []struct {
		status         int
		body           string
		class          venuekey.Class
		reason, remedy string
	}{
		{403, `{"message":"Forbidden"}`, venuekey.ClassLater, "403 Forbidden with JSON that holds neither", ""},
		{401, `{"message":"Unauthorized"}`, venuekey.ClassMisconfigured, "neither a token nor an OAuth error", "check the address"},
		{400, `{"error":{"code":1}}`, venuekey.ClassMisconfigured, "neither a token nor an OAuth error", "check the address"},
		{404, `<html>`, venuekey.ClassMisconfigured, "404 Not Found with an HTML page", "check the address"},
		{503, `upstream down`, venuekey.ClassLater, "503 Service Unavailable with plain text", ""},
		{307, ``, venuekey.ClassMisconfigured, "redirects", "the one that it leads to"},
		{400, `{"error":"SOMETHING_NEW","error_description":"why not"}`, venuekey.ClassRefused, `the venue refused: "why not" (SOMETHING_NEW)`, ""},
		{400, `{"error":"SOMETHING_NEW"}`, venuekey.ClassRefused, `the venue refused (SOMETHING_NEW)`, ""},
	} {
		client, _ := answering(t, says(row.status, row.body))
		_, err := client.Exchange(t.Context(), stageApp, "code", "")
		if venuekey.ClassOf(err) != row.class || !strings.Contains(err.Error(), row.reason) || !strings.Contains(remedyOf(err), row.remedy) {
			t.Errorf("%d %s: %s: %v; %s", row.status, row.body, venuekey.ClassOf(err), err, remedyOf(err))
		}
	}
}

func remedyOf(err error) string {
	known, _ := err.(*venuekey.Error)
	if known == nil {
		return ""
	}
	return known.Remedy
}
