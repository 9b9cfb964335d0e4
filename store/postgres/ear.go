package postgres

import "github.com/jackc/pgx/v5/pgconn"

// ear.go owns what a watch keeps of the notifications that it receives: the driver would
// keep all of them, with their payloads, until they are read.

// earMost is how many keys are kept until they are reported. They accumulate only while
// another query is running.
const earMost = 1 << 12

// ear receives notifications as they arrive. Only the goroutine that uses the connection
// touches it.
type ear struct {
	whisper *whisper
	account ledger
	keys    []string        // to be reported, in order of arrival
	waiting map[string]bool // the same keys
	probe   int64           // the version of a probe, see hears
	probed  bool            // the probe has arrived
}

// hear receives a notification. It discards what is not ours or was heard before.
func (e *ear) hear(_ *pgconn.PgConn, n *pgconn.Notification) {
	text, ours := e.whisper.open(n.Payload)
	if !ours {
		return
	}
	for _, c := range changesIn(text) {
		switch {
		case c.key == probe:
			e.probed = e.probed || c.version == e.probe
		case e.account.hear(c.version) && !e.waiting[c.key] && !e.waiting[""]:
			e.note(c.key)
		}
	}
}

// note keeps a key; if there are too many, "" takes their place.
func (e *ear) note(key string) {
	if e.waiting == nil || len(e.keys) >= earMost {
		if len(e.keys) >= earMost {
			key = ""
		}
		e.keys, e.waiting = nil, map[string]bool{}
	}
	e.keys, e.waiting[key] = append(e.keys, key), true
}

// take returns the keys to report.
func (e *ear) take() []string {
	keys := e.keys
	e.keys, e.waiting = nil, nil
	return keys
}
