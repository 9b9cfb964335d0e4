package venuekey_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/venue/ctrader"
	"github.com/venuekey/venuekey/venue/tradovate"
	"github.com/venuekey/venuekey/venue/ttp"
)

// What a venue says of its tokens can be written down, every field of it: a time as
// text, and each choice as a word.
func TestAPolicySurvivesJSON(t *testing.T) {
	full := venuekey.Policy{
		RenewsWith: venuekey.RenewWithAccessToken, AfterLostAnswer: venuekey.RetryFreely, Grace: 80 * time.Minute, Doubt: time.Minute, RenewalEnds: venuekey.EndAfterUse, RenewalLife: 24 * time.Hour,
		Warn:        []time.Duration{48 * time.Hour, time.Hour},
		KillsAccess: true, RefreshAt: 0.5, LeastInterval: time.Second, DefaultLife: time.Hour, CodeLife: time.Minute, Pace: 200 * time.Millisecond, Burst: 3, PacePerMachine: true, Quota: venuekey.Quota{Count: 15, Window: time.Hour}, MaxSessions: 2, FailedSignIns: 3,
		Maintenance: venuekey.Maintenance{Zone: "UTC", Weekly: []venuekey.WeeklyWindow{{From: venuekey.WeekTime{Day: time.Friday, Hour: 16}, To: venuekey.WeekTime{Day: time.Friday, Hour: 20}}}},
	}
	for i := range reflect.TypeOf(full).NumField() {
		if reflect.ValueOf(full).Field(i).IsZero() {
			t.Errorf("the test does not set %s", reflect.TypeOf(full).Field(i).Name)
		}
	}
	for name, policy := range map[string]venuekey.Policy{"full": full, "zero": {}, "ctrader": ctrader.Venue{}.Policy(), "tradovate": tradovate.Venue{}.Policy(), "ttp": ttp.Venue{}.Policy()} {
		text, err := json.Marshal(policy)
		var back venuekey.Policy
		if err != nil || json.Unmarshal(text, &back) != nil || !reflect.DeepEqual(back, policy) {
			t.Errorf("%s: %s %v", name, text, err)
		}
		var fields map[string]any
		_ = json.Unmarshal(text, &fields)
		for field, value := range fields {
			if number, ok := value.(float64); ok && number > 1e6 {
				t.Errorf("%s: %s is a number of nanoseconds", name, field)
			}
		}
	}
	if text, _ := json.Marshal(full); !strings.Contains(string(text), `"grace":"1h20m"`) || !strings.Contains(string(text), `"after_lost_answer":"freely"`) {
		t.Errorf("%s", text)
	}
}

// A word or a field that is misspelt is an error, never a default.
func TestAPolicyOfUnknownWordsIsRefused(t *testing.T) {
	for text, want := range map[string]string{
		`{"after_lost_answer":"often"}`:      "never, once, until-refused, freely",
		`{"renews_with":"password"}`:         "refresh-token, access-token, app-key",
		`{"renewal_ends":"after-lunch"}`:     "unknown, never, after-login, after-issue, after-use",
		`{"default_life":"80"}`:              "80m",
		`{"default_life":80}`:                "default_life",
		`{"lifetime":"80m"}`:                 "lifetime",
		`{"maintenance":{"weekly":["Fri"]}}`: "Sun 06:30",
	} {
		kept := venuekey.Policy{Burst: 7}
		if err := json.Unmarshal([]byte(text), &kept); err == nil || !strings.Contains(err.Error(), want) || !reflect.DeepEqual(kept, venuekey.Policy{Burst: 7}) {
			t.Errorf("%s: %v %+v", text, err, kept)
		}
	}
	var policy venuekey.Policy
	if err := json.Unmarshal([]byte(`{"default_life":"80m"}`), &policy); err != nil || policy.DefaultLife != 80*time.Minute {
		t.Error(err, policy.DefaultLife)
	}
}

func TestEveryClassHasAWord(t *testing.T) {
	for class := venuekey.ClassUnknown; class <= venuekey.ClassDeclined; class++ {
		word, err := class.MarshalText()
		var back venuekey.Class
		if err != nil || back.UnmarshalText(word) != nil || back != class {
			t.Errorf("%s: %q %v", class, word, err)
		}
	}
	if _, err := (venuekey.ClassDeclined + 1).MarshalText(); err == nil {
		t.Error("a class of a newer program has a word")
	}
}
