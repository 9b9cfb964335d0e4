package backup

import (
	"bytes"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/store/memory"
)

// format_test.go owns what a backup that is damaged within its seal leads to,
// and what becomes of a record on its way.

const (
	headOfBackup  = `{"venuekey":"backup","version":1,"made":"2030-01-02T03:04:05Z"}` + "\n"
	tokenOfBackup = `{"token":{"id":"ttp/alice","generation":7,"access":"s-e-c-r-e-t","expires":"2030-01-02T03:04:05Z"}}` + "\n"
)

func sampleBackup() Backup {
	at := time.Date(2020, 1, 2, 3, 4, 5, 6000, time.UTC) // a renewal cannot have begun in the future
	return Backup{
		Made: at,
		Apps: []venuekey.App{{Venue: "ctrader", ClientID: "1_a", ClientSecret: "s", RedirectURI: "http://localhost:1/cb", Scopes: []string{"trading"},
			Environment: "demo", URLs: map[string]string{"base": "http://127.0.0.1:1"}, Pace: time.Second, Burst: 3, Params: map[string]venuekey.Secret{"sec": "<&>"}}},
		SignIns: []venuekey.Snapshot{
			{ID: venuekey.ID{Venue: "ttp", Name: "alice"},
				Token: venuekey.Token{Access: "a", Refresh: "r", Type: "bearer", Issued: at, Expires: at.Add(time.Hour), RefreshExpires: at.Add(24 * time.Hour), RefreshIssued: at.Add(-time.Hour), SignedIn: at.Add(-2 * time.Hour),
					Scopes: []string{"x"}, Asked: []string{"x", "y"}, User: "u", Extras: map[string]venuekey.Secret{"n": "9007199254740993", "s": `"<text>"`}},
				Generation: 7, Attempt: 1, IntentAt: at, Condition: venuekey.ConditionUncertain, Reason: "lost"},
			{ID: venuekey.ID{Venue: "ttp", Name: "bob"}, Token: venuekey.Token{Access: "b", Expires: at}},
		},
	}
}

func written(t *testing.T, b Backup) []byte {
	t.Helper()
	var text bytes.Buffer
	w, err := newWriter(&text, b.Made, mostOfBackup)
	for _, app := range b.Apps {
		if err == nil {
			err = w.app(app)
		}
	}
	for _, s := range b.SignIns {
		if err == nil {
			err = w.signIn(s)
		}
	}
	if err == nil {
		err = w.end()
	}
	if err != nil {
		t.Fatal(err)
	}
	return text.Bytes()
}

func TestABackupReadsAsItWasWritten(t *testing.T) {
	want := sampleBackup()
	got, err := Read(bytes.NewReader(written(t, want)))
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Fatalf("%v\n%+v, want\n%+v", err, got, want)
	}
}

func TestABackupThatLostItsEndIsNoticedWhereverItEnds(t *testing.T) {
	text := written(t, sampleBackup())
	for end := range len(text) - 1 { // the last line break may be missing
		if _, err := Read(bytes.NewReader(text[:end])); err == nil {
			t.Fatalf("%d of %d bytes are taken for a backup", end, len(text))
		}
	}
}

func TestWhatIsWrongWithABackupIsSaid(t *testing.T) {
	for name, test := range map[string]struct{ text, want string }{
		"empty":        {"", "truncated"},
		"other":        {"{}\n", "not a venuekey backup"},
		"text":         {"hello\n", "not a venuekey backup"},
		"newer":        {strings.Replace(headOfBackup, ":1,", ":2,", 1), "has version 2, and this venuekey reads version 1"},
		"no end":       {headOfBackup + tokenOfBackup, "its end is missing"},
		"no JSON":      {headOfBackup + "{s-e-c-r-e-t\n", "line 2 of the backup is not a line of a backup"},
		"nothing":      {headOfBackup + "{}\n", "line 2 of the backup is neither"},
		"no access":    {headOfBackup + strings.Replace(tokenOfBackup, "s-e-c-r-e-t", "", 1), "line 2 of the backup has no access token"},
		"bad id":       {headOfBackup + strings.Replace(tokenOfBackup, "ttp/", "../", 1), "line 2 of the backup"},
		"generation":   {headOfBackup + strings.Replace(tokenOfBackup, ":7", ":9223372036854775807", 1), "has an invalid count"},
		"condition":    {headOfBackup + strings.Replace(tokenOfBackup, `"generation"`, `"condition":"hope","generation"`, 1), "unknown condition"},
		"app":          {headOfBackup + `{"app":{"venue":"a/b"}}`, "line 2 of the backup names no venue"},
		"twice":        {headOfBackup + tokenOfBackup + tokenOfBackup, "line 3 of the backup repeats ttp/alice"},
		"lines lost":   {headOfBackup + `{"end":{"apps":0,"tokens":1}}`, "should have 0 apps and 1 sign-in, and has 0 and 0"},
		"goes on":      {headOfBackup + `{"end":{"apps":0,"tokens":0}}` + "\n" + tokenOfBackup, "line 3 of the backup comes after the end"},
		"endless line": {headOfBackup + strings.Repeat("x", longestRecord+1), "line 2 of the backup is too long"},
	} {
		_, err := Read(strings.NewReader(test.text))
		if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(fmt.Sprintf("%v %#v", err, err), "s-e-c-r-e-t") {
			t.Errorf("%s: %v, want %q", name, err, test.want)
		}
	}
}

func FuzzReadBackup(f *testing.F) {
	f.Add([]byte(headOfBackup + tokenOfBackup + `{"end":{"apps":0,"tokens":1}}`))
	f.Add([]byte(headOfBackup + `{"app":{"venue":"ttp","params":{"a":"b"}}}` + "\n" + `{"end":{"apps":1,"tokens":0}}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		read, err := Read(bytes.NewReader(text))
		if err != nil {
			return
		}
		again := written(t, read)
		second, err := Read(bytes.NewReader(again))
		if err != nil || !bytes.Equal(written(t, second), again) {
			t.Errorf("what was read cannot be written and read again: %v\n%s", err, again)
		}
	})
}

// The refresh token dies long before the access token: a sign-in from a backup is
// renewed in time, as any other.
func TestASignInFromABackupIsRenewedBeforeItsRefreshTokenDies(t *testing.T) {
	keeper := emptyKeeper()
	now := time.Now()
	b := Backup{SignIns: []venuekey.Snapshot{{ID: venuekey.ID{Venue: "ttp", Name: "alice"}, Generation: 7,
		Token: venuekey.Token{Access: "a", Refresh: "r", Issued: now, Expires: now.Add(24 * time.Hour), RefreshExpires: now.Add(2 * time.Hour)}}}}
	err := b.Import(t.Context(), keeper, Options{Each: func(o Outcome) {
		if o.There || !o.Changed {
			t.Errorf("%+v", o)
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	status, err := keeper.Status(t.Context(), b.SignIns[0].ID)
	if err != nil || status.Generation < 7 || status.NextRefresh.After(now.Add(2*time.Hour)) {
		t.Errorf("%v, generation %d, due in %s", err, status.Generation, status.NextRefresh.Sub(now))
	}
}

// emptyKeeper keeps nothing yet, for one venue that is never asked.
func emptyKeeper() *venuekey.Keeper {
	return &venuekey.Keeper{Vault: &venuekey.Vault{Store: &memory.Store{}}, Venues: []venuekey.Venue{idleVenue{}}}
}

type idleVenue struct{ venuekey.Venue }

func (idleVenue) Name() string            { return "ttp" }
func (idleVenue) Policy() venuekey.Policy { return venuekey.Policy{} }
