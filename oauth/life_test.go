package oauth

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

const day = 24 * time.Hour

// A life that cannot be meant is neither a loop of renewals nor a token that seems
// fresh for a thousand days.
func TestLifetimes(t *testing.T) {
	for _, row := range []struct {
		written string
		life    time.Duration
		note    string
	}{
		{`60`, time.Minute, ""}, {`"60"`, time.Minute, ""}, {`60.5`, 60500 * time.Millisecond, ""}, {`"864000"`, 10 * day, ""},
		{`2`, 2 * time.Second, ""}, {`null`, day, ""}, {`""`, day, ""}, {`"soon"`, day, ""}, {`{}`, day, ""}, {`"NaN"`, day, ""},
		{`0`, day, "0 s for the access token"}, {`"0"`, day, "0 s"}, {`-5`, day, "-5 s"}, {`1.9`, day, "1.9 s"}, {`-1e300`, day, "for the access token"},
		{`1728000`, 20 * day, ""}, {`1728001`, day, "far beyond"}, {`86400000`, day, "86400000 s for the access token, far beyond the usual: taken as 24h0m0s"},
		{`1e300`, day, "far beyond"}, {`"Inf"`, day, "far beyond"},
	} {
		client, _ := answering(t, says(200, `{"access_token":"a","expires_in":`+row.written+`}`))
		client.DefaultLife = day
		token, err := client.Refresh(t.Context(), stageApp, sentRefresh)
		if err != nil || token.Life() != row.life || (len(token.Notes) == 0) != (row.note == "") || !strings.Contains(strings.Join(token.Notes, ""), row.note) {
			t.Errorf("%s gave %s, %q, %v; want %s", row.written, token.Life(), token.Notes, err, row.life)
		}
	}
}

func TestLifetimesOfRefreshTokens(t *testing.T) {
	for _, row := range []struct {
		written    string
		documented time.Duration
		life       time.Duration
		note       bool
	}{
		{`864000`, 0, 10 * day, false}, {`null`, 0, 0, false}, {`0`, 0, 0, true}, {`-1`, 10 * day, 0, true}, {`1`, 0, 0, true},
		{`1e300`, 0, 0, true}, {`864000000`, 10 * day, 10 * day, true}, {`864000000`, 0, 0, true},
	} {
		client, _ := answering(t, says(200, `{"access_token":"a","refresh_token":"r","refresh_token_expires_in":`+row.written+`}`))
		client.RefreshLife = row.documented
		token, err := client.Refresh(t.Context(), stageApp, sentRefresh)
		var life time.Duration
		if !token.RefreshExpires.IsZero() {
			life = token.RefreshExpires.Sub(token.Issued)
		}
		if err != nil || life != row.life || (len(token.Notes) > 0) != row.note {
			t.Errorf("%s gave %s, %q, %v; want %s", row.written, life, token.Notes, err, row.life)
		}
	}
}

// One odd Retry-After must not silence an app, and a date is judged by the clock
// that wrote it.
func TestRetryAfter(t *testing.T) {
	const date = "Wed, 25 Nov 2026 22:00:00 GMT"
	for written, want := range map[string]time.Duration{
		"": 0, "0": 0, "7": 7 * time.Second, " 7 ": 7 * time.Second, "86400": day, "999999999": day, "99999999999999999999999": day,
		"-5": 0, "soon": 0, "1h": 0, "Wed, 25 Nov 2026 22:00:09 GMT": 9 * time.Second, "Wed, 25 Nov 2026 21:00:00 GMT": 0, "Thu, 25 Nov 2027 22:00:00 GMT": day,
	} {
		if got, _ := retryAfter(http.Header{"Retry-After": {written}, "Date": {date}}); got != want {
			t.Errorf("%q: %s, want %s", written, got, want)
		}
	}
	soon := time.Now().Add(time.Hour).UTC().Format(http.TimeFormat)
	if got, _ := retryAfter(http.Header{"Retry-After": {soon}}); got < 59*time.Minute || got > time.Hour {
		t.Error("without a date of the answer's own:", got)
	}
}
