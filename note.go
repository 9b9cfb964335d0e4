package venuekey

import (
	"encoding/json"
	"time"
)

// note.go owns the records that are neither a sign-in nor an app: what programs that
// share a store leave there for each other. Their keys and their forms are these.
//
//	budget/VENUE/APP   budgetNote, plain: how fast an app renews
//	key/current        ringNote, sealed: which key seals now
//	probe/ID           nothing: it is written to see that the store takes it, and removed
//
// A plain note is one JSON object in the record's Text, which lies beside the seal.
// Sealed stays empty, so that nothing takes a note for something to open, to seal anew
// or to copy: it belongs to the store that it is in. Whoever can write to the store can
// write a note, so nothing in it is believed that no program writes. A note that cannot
// be read is none.
const (
	budgetPrefix = "budget/"
	probePrefix  = "probe/"
	ringRecord   = "key/current"
)

// longestNote is more than any note takes.
const longestNote = 1 << 10

// budgetNote is the budget of renewals of one app. Its times are by the store's clock.
type budgetNote struct {
	// Full is when the budget is full again if nobody takes from it: the theoretical
	// arrival time of the generic cell rate algorithm.
	Full time.Time `json:"full,omitzero"`
	// Closed is until when the venue asked to be left alone.
	Closed time.Time `json:"closed,omitzero"`
	// TryDead is when one of the dead tokens may be tried although it is closed.
	TryDead time.Time `json:"try_dead,omitzero"`
}

// budgetIn is the budget in a record. A program older than notes keeps it in three
// times of the record and leaves the note alone; so what is later counts, for each.
func budgetIn(record Record) budgetNote {
	old := budgetNote{Full: record.IntentAt, Closed: record.LeaseUntil, TryDead: record.NextRefresh}.believed(record.ReadAt)
	var b budgetNote
	if !readNote(record.Text, &b) {
		return old
	}
	b = b.believed(record.ReadAt)
	return budgetNote{Full: later(b.Full, old.Full), Closed: later(b.Closed, old.Closed), TryDead: later(b.TryDead, old.TryDead)}
}

// record is the record that keeps a budget in place of another.
func (b budgetNote) record(instead Record) Record {
	return Record{Key: instead.Key, Version: instead.Version, Generation: instead.Generation, Text: textOf(budgetNote{
		Full: b.Full.Round(0).UTC(), Closed: b.Closed.Round(0).UTC(), TryDead: b.TryDead.Round(0).UTC(),
	})}
}

// believed is a budget without what no program wrote: it would hold up every renewal
// of an app.
func (b budgetNote) believed(now time.Time) budgetNote {
	if b.Closed.Sub(now) > longestClosure*6/5 {
		b.Closed = time.Time{}
	}
	if b.TryDead.Sub(now) > 2*mostSilence {
		b.TryDead = time.Time{}
	}
	if b.Full.Sub(now) > LongestLease {
		b.Full = time.Time{}
	}
	return b
}

// ringNote names the key that seals now, which is the one that it is sealed with: a
// program that can read it has met that key.
type ringNote struct {
	Key string `json:"key,omitempty"`
}

// textOf is a note as it is kept.
func textOf(note any) string {
	text, err := json.Marshal(note)
	if err != nil { // a time that JSON does not have: no program has written it
		return ""
	}
	return string(text)
}

// readNote reads a note, and reports whether there is one. Fields that this version
// does not know are left out.
func readNote(text string, note any) bool {
	return len(text) <= longestNote && json.Unmarshal([]byte(text), note) == nil
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
