package venuekey

import (
	"encoding/json"
	"slices"
	"time"

	"github.com/venuekey/venuekey/internal/foreign"
)

// note.go owns the records that are neither a sign-in, an app nor a consumer: notes that programs
// sharing a store leave for each other. Their keys and forms are these.
//
//	budget/VENUE/APP   budgetNote, plain: how fast an app renews
//	failures/VENUE/…   failureNote, plain: when sign-ins failed on a machine (failures.go)
//	ticket/VENUE/…     sealedTicket, sealed: what a venue gave out to be presented later (tickets.go)
//	verdict/VENUE/ID   verdictNote, plain: what an examination of an access token said
//	key/current        ringNote, sealed: which key seals now
//	probe/ID           empty: written to see that the store accepts it, and deleted
//
// A plain note is one JSON object in the record's Text, which is not sealed. Sealed stays
// empty, so that a note is never opened, resealed or copied: it belongs to its store.
// Anyone who can write to the store can write a note, so values that no program writes
// are ignored. A note that cannot be read counts as absent.
const (
	budgetPrefix  = "budget/"
	probePrefix   = "probe/"
	ringRecord    = "key/current"
	verdictPrefix = "verdict/"
)

// longestNote is more than any note needs.
const longestNote = 1 << 10

// budgetNote is the budget of renewals of one app. Its times are by the store's clock.
type budgetNote struct {
	// Full is when the budget is full again if no permit is taken: the theoretical
	// arrival time of the generic cell rate algorithm.
	Full time.Time `json:"full,omitzero"`
	// Sent is when the requests of the quota's window went out, in Unix milliseconds.
	Sent []int64 `json:"sent,omitempty"`
	// Closed is the end of the pause that the venue asked for (Retry-After).
	Closed time.Time `json:"closed,omitzero"`
	// TryDead is when one of the expired tokens may be tried despite that pause.
	TryDead time.Time `json:"try_dead,omitzero"`
}

// budgetIn returns the budget in a record. Older programs keep it in three times of the
// record and do not touch the note, so for each of the three the later time counts.
func budgetIn(record Record) budgetNote {
	old := budgetNote{Full: record.IntentAt, Closed: record.LeaseUntil, TryDead: record.NextRefresh}.believed(record.ReadAt)
	var b budgetNote
	if !readNote(record.Text, &b) {
		return old
	}
	b = b.believed(record.ReadAt)
	return budgetNote{Sent: b.Sent, Full: later(b.Full, old.Full), Closed: later(b.Closed, old.Closed), TryDead: later(b.TryDead, old.TryDead)}
}

// record returns the record that replaces another and holds the budget.
func (b budgetNote) record(instead Record) Record {
	return Record{Key: instead.Key, Version: instead.Version, Generation: instead.Generation, Text: textOf(budgetNote{
		Sent: b.Sent, Full: b.Full.Round(0).UTC(), Closed: b.Closed.Round(0).UTC(), TryDead: b.TryDead.Round(0).UTC(),
	})}
}

// believed returns a budget without values that no program writes, which would hold up
// every renewal of an app.
func (b budgetNote) believed(now time.Time) budgetNote {
	if b.Closed.Sub(now) > longestClosure*6/5 {
		b.Closed = time.Time{}
	}
	if b.TryDead.Sub(now) > 2*mostSilence {
		b.TryDead = time.Time{}
	}
	if len(b.Sent) > mostQuota || !slices.IsSorted(b.Sent) || len(b.Sent) > 0 && b.Sent[len(b.Sent)-1] > now.Add(longestLease).UnixMilli() {
		b.Sent = nil
	}
	if b.Full.Sub(now) > longestLease {
		b.Full = time.Time{}
	}
	return b
}

// verdictNote is what an examination of an access token said. Its times are by the store's
// clock.
type verdictNote struct {
	// Generation is that of the token: a verdict about another one does not count.
	Generation int64 `json:"generation"`
	// Verdict is "good", the word of a class, or "asking" while a program examines.
	Verdict string `json:"verdict"`
	Reason  string `json:"reason,omitzero"`
	Remedy  string `json:"remedy,omitzero"`
	// Session says that the answer is that for a session that was ended.
	Session bool `json:"session,omitzero"`
	// Wrong says that the token was renewed although verdicts spoke against it: they say
	// nothing at present.
	Wrong bool `json:"wrong,omitzero"`
	// Until is when the verdict no longer counts.
	Until time.Time `json:"until"`
	// Held is how long the last good verdict counted.
	Held time.Duration `json:"held,omitzero"`
}

// verdictIn returns the verdict in a record. One that would count for longer than any
// program says is ignored: it would keep a dead token from being renewed.
func verdictIn(record Record) verdictNote {
	var n verdictNote
	if !readNote(record.Text, &n) || n.Held < 0 || n.Held > longestVerdict {
		return verdictNote{}
	}
	longest := longestVerdict
	if n.is(ClassLater) { // the venue's Retry-After
		longest = mostSilence
	}
	if n.Until.Sub(record.ReadAt) > longest {
		return verdictNote{}
	}
	n.Reason, n.Remedy = foreign.Tell[Secret](n.Reason), foreign.Tell[Secret](n.Remedy)
	return n
}

// record returns the record that replaces another and holds the verdict.
func (n verdictNote) record(instead Record) Record {
	n.Until = n.Until.Round(0).UTC()
	text := textOf(n)
	if len(text) > longestNote { // the verdict counts, and its words do not
		n.Reason, n.Remedy = "", ""
		text = textOf(n)
	}
	return Record{Key: instead.Key, Version: instead.Version, ReadAt: instead.ReadAt, Text: text}
}

// ringNote names the key that seals now, and is sealed with that key: a program that
// reads it has seen the key.
type ringNote struct {
	Key string `json:"key,omitempty"`
}

// textOf returns a note as it is stored.
func textOf(note any) string {
	text, err := json.Marshal(note)
	if err != nil { // a time that JSON cannot express: no program has written it
		return ""
	}
	return string(text)
}

// readNote parses a note and reports whether there was one. Unknown fields are ignored.
func readNote(text string, note any) bool {
	return len(text) <= longestNote && json.Unmarshal([]byte(text), note) == nil
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
