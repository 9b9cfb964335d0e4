package venuekey

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"
)

var noon = time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)

func TestABudgetIsReadInBothForms(t *testing.T) {
	soon, late, far := noon.Add(time.Second), noon.Add(time.Minute), noon.AddDate(100, 0, 0)
	full := func(text string) string { return `{"full":"` + text + `"}` }
	for name, row := range map[string]struct {
		record Record
		want   budgetNote
	}{
		"nothing":     {Record{}, budgetNote{}},
		"a note":      {budgetNote{Full: soon, Closed: late, TryDead: soon}.record(Record{}), budgetNote{Full: soon, Closed: late, TryDead: soon}},
		"three times": {Record{IntentAt: soon, LeaseUntil: late, NextRefresh: soon}, budgetNote{Full: soon, Closed: late, TryDead: soon}},
		// A program older than notes has written beside one.
		"both":                        {Record{IntentAt: late, LeaseUntil: soon, Text: full("2026-11-26T12:00:01Z")}, budgetNote{Full: late, Closed: soon}},
		"both, and the note is later": {Record{IntentAt: soon, Text: full("2026-11-26T12:01:00Z")}, budgetNote{Full: late}},

		"what was sent":           {budgetNote{Sent: []int64{noon.UnixMilli()}}.record(Record{}), budgetNote{Sent: []int64{noon.UnixMilli()}}},
		"sent in no order":        {Record{Text: `{"sent":[2,1]}`}, budgetNote{}},
		"sent in another century": {Record{Text: `{"sent":[9000000000000]}`}, budgetNote{}},

		"times that nobody wrote":    {Record{IntentAt: far, LeaseUntil: far, NextRefresh: far}, budgetNote{}},
		"a note that nobody wrote":   {Record{Text: full("2126-11-26T12:00:00Z")}, budgetNote{}},
		"beside a note that is good": {Record{IntentAt: far, Text: full("2026-11-26T12:00:01Z")}, budgetNote{Full: soon}},
		"a field of a later version": {Record{Text: `{"full":"2026-11-26T12:00:01Z","more":[1]}`}, budgetNote{Full: soon}},

		"no JSON":        {Record{IntentAt: soon, Text: "the venue said no"}, budgetNote{Full: soon}},
		"another form":   {Record{Text: `["full"]`}, budgetNote{}},
		"another kind":   {Record{Text: `{"full":1,"closed":"2026-11-26T12:00:01Z"}`}, budgetNote{}},
		"something more": {Record{Text: full("2026-11-26T12:00:01Z") + "{}"}, budgetNote{}},
		"no such time":   {Record{Text: full("2026-11-31T12:00:01Z")}, budgetNote{}},
		"too long":       {Record{Text: full("2026-11-26T12:00:01Z") + strings.Repeat(" ", longestNote)}, budgetNote{}},
	} {
		row.record.ReadAt = noon
		if got := budgetIn(row.record); !reflect.DeepEqual(got, row.want) {
			t.Errorf("%s: %v, want %v", name, got, row.want)
		}
	}
}

// What is written has the note and nothing else: a program older than notes takes it
// for a budget that nobody has used, and no program takes it for a seal.
func TestABudgetIsWrittenAsANote(t *testing.T) {
	old := Record{Key: "budget/stage/1", Version: 7, IntentAt: noon, LeaseUntil: noon, NextRefresh: noon, Text: "x", Sealed: []byte("x")}
	got := budgetNote{Full: noon.Local(), Closed: noon.Add(time.Hour)}.record(old)
	text := `{"full":"2026-11-26T12:00:00Z","closed":"2026-11-26T13:00:00Z"}`
	if got.Text != text || got.Key != old.Key || got.Version != old.Version {
		t.Errorf("%+v", got)
	}
	if got.Text = ""; !got.IntentAt.IsZero() || !got.LeaseUntil.IsZero() || !got.NextRefresh.IsZero() || got.Sealed != nil {
		t.Errorf("%+v", got)
	}
}

func FuzzABudgetsNote(f *testing.F) {
	f.Add(budgetNote{Full: noon, Closed: noon, TryDead: noon}.record(Record{}).Text)
	f.Add(`{"full":"9999-12-31T23:59:59.999999999-23:59"}`)
	f.Add(`{"closed":null,"closed":"0000-01-01T00:00:00Z"}`)
	f.Fuzz(func(t *testing.T, text string) {
		b := budgetIn(Record{Text: text, ReadAt: noon})
		for name, at := range map[string]time.Time{"full": b.Full, "closed": b.Closed, "try_dead": b.TryDead} {
			if at.Sub(noon) > longestClosure*6/5 {
				t.Errorf("%s is believed: %s", name, at)
			}
		}
		again := b.record(Record{})
		if !json.Valid([]byte(again.Text)) {
			t.Errorf("written as %q", again.Text)
		}
		again.ReadAt = noon
		if read := budgetIn(again); !read.Full.Equal(b.Full) || !read.Closed.Equal(b.Closed) || !read.TryDead.Equal(b.TryDead) {
			t.Errorf("%v is read again as %v", b, read)
		}
	})
}

// A verdict that no program writes is not believed: "good" for ever would keep a dead token
// from being renewed. One that a program writes is read again, whatever its words.
func TestAttackAVerdictForEver(t *testing.T) {
	far := noon.Add(1000 * time.Hour)
	for name, row := range map[string]struct {
		note verdictNote
		want bool
	}{
		"good":                   {verdictNote{Generation: 7, Verdict: goodVerdict, Until: noon.Add(longestVerdict), Held: longestVerdict}, true},
		"good for ever":          {verdictNote{Generation: 7, Verdict: goodVerdict, Until: far}, false},
		"good for an hour":       {verdictNote{Generation: 7, Verdict: goodVerdict, Until: noon.Add(time.Hour)}, false},
		"declined for an hour":   {verdictNote{Generation: 7, Verdict: "declined", Until: noon.Add(time.Hour)}, false},
		"later, for an hour":     {verdictNote{Generation: 7, Verdict: "later", Until: noon.Add(time.Hour)}, true},
		"later, for ever":        {verdictNote{Generation: 7, Verdict: "later", Until: far}, false},
		"asked for ever":         {verdictNote{Generation: 7, Verdict: askingNow, Until: far}, false},
		"held for ever":          {verdictNote{Generation: 7, Verdict: goodVerdict, Until: noon, Held: time.Duration(1 << 62)}, false},
		"held backwards":         {verdictNote{Generation: 7, Verdict: goodVerdict, Until: noon, Held: -1}, false},
		"words that fill a note": {verdictNote{Generation: 7, Verdict: "later", Until: noon, Reason: strings.Repeat("<", 200), Remedy: strings.Repeat("<", 200)}, true},
	} {
		record := row.note.record(Record{Key: verdictKey(ID{Venue: "stage", Name: "alice"})})
		record.ReadAt = noon
		if got := verdictIn(record); (got.Generation == 7) != row.want {
			t.Errorf("%s: %+v", name, got)
		}
	}
	for text, class := range map[string]Class{"declined": ClassDeclined, "refused": ClassRefused, "moonstruck": ClassLater, "": ClassLater} {
		if err := (verdictNote{Verdict: text}).verdict(noon); ClassOf(err) != class {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// Verdicts in a row: a good one counts longer each time, and one that is not good anew.
func TestHowLongAVerdictCounts(t *testing.T) {
	note, good, overload := verdictNote{Generation: 7}, error(nil), error(&Error{Class: ClassLater, RetryAfter: 10 * time.Minute})
	for i, row := range []struct {
		failure error
		want    time.Duration
	}{
		{good, time.Minute}, {good, 2 * time.Minute}, {&Error{Class: ClassDeclined}, 4 * time.Minute}, {good, 8 * time.Minute}, {good, 8 * time.Minute},
		{overload, 10 * time.Minute}, {good, time.Minute}, {&Error{Class: ClassRefused}, time.Minute}, {&Error{Class: ClassLater, Err: ErrSessionEnded, RetryAfter: time.Hour}, time.Minute},
		{&Error{Class: ClassLater, RetryAfter: 100 * time.Hour}, mostSilence}, {&Error{Class: ClassNotSent}, time.Minute},
	} {
		note = verdictOf(row.failure, note, noon)
		if got := note.Until.Sub(noon); !reflect.DeepEqual(got, row.want) {
			t.Errorf("%d: %v counts for %s, want %s", i, row.failure, got, row.want)
		}
	}
}
