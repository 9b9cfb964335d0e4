package oauth

import (
	"encoding/json"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/venuekey/venuekey"
)

// A Config is data: every field of it can be written down and read back.
func TestAConfigSurvivesJSON(t *testing.T) {
	full := Config{
		Rename: map[string]string{"client_id": "api_key", "state": ""}, StatePrefix: "state=", CodeParam: "request_token", ScopeSeparator: ",",
		AuthorizeURL: "https://venue.example/a", AuthorizeParams: url.Values{"audience": {"api"}}, OmitResponseType: true, DefaultScopes: []string{"trade"}, PKCE: true, StateNotEchoed: true,
		Issuer: "https://venue.example", Domains: []string{"venue.example", "127.0.0.1:1"}, TokenURL: "https://venue.example/t", TokenFallbacks: []Way{{URL: "https://venue.example/u", ByGet: true, Learned: map[string]string{"form": "u"}}},
		ReuseHarmless: true, TokenByGet: true, ProbeForm: url.Values{"grant_type": {""}}, ClientAuth: AuthBasicAndID, Header: http.Header{"Accept": {"application/json"}},
		RevokeURL: "https://venue.example/r", Names: Names{Access: []string{"accessToken"}}, ErrorsInOK: true, CodeLife: 30 * time.Second, DefaultLife: 80 * time.Minute, RefreshLife: 24 * time.Hour,
		Meanings: []Meaning{{Code: "c", Text: "t", Grant: grantRefresh, Class: venuekey.ClassNotSent, Reason: "r", Remedy: "m"}},
	}
	for i := range reflect.TypeOf(full).NumField() {
		if reflect.ValueOf(full).Field(i).IsZero() {
			t.Errorf("the test does not set %s", reflect.TypeOf(full).Field(i).Name)
		}
	}
	for _, config := range []Config{full, {}} {
		text, err := json.Marshal(config)
		var back Config
		if err != nil || json.Unmarshal(text, &back) != nil || !reflect.DeepEqual(back, config) {
			t.Errorf("%s %v", text, err)
		}
	}
	text, _ := json.Marshal(full)
	for _, part := range []string{`"default_life":"1h20m"`, `"client_auth":"basic-and-id"`, `"class":"not-sent"`} {
		if !strings.Contains(string(text), part) {
			t.Errorf("%s lacks %s", text, part)
		}
	}
}

func TestAConfigOfUnknownWordsIsRefused(t *testing.T) {
	for text, want := range map[string]string{
		`{"client_auth":"digest"}`:               "body, basic, basic-plain, basic-and-id, public",
		`{"meanings":[{"class":"fatal"}]}`:       "unknown, refused, misconfigured, not-sent, later, damaged, failed",
		`{"token_uri":"https://venue.example/"}`: "token_uri",
		`{"meanings":[{"words":"no"}]}`:          "words",
	} {
		var config Config
		if err := json.Unmarshal([]byte(text), &config); err == nil || !strings.Contains(err.Error(), want) || !reflect.DeepEqual(config, Config{}) {
			t.Errorf("%s: %v", text, err)
		}
	}
	if _, err := authNone.MarshalText(); err == nil {
		t.Error("nobody's authentication has a word")
	}
}
