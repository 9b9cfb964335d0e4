package postgres

import "github.com/jackc/pgx/v5/pgconn"

// ear.go owns what a watch keeps of the notifications that reach it: the driver
// would keep them all, with what stands in them, until somebody asks for them.

// earMost is how many keys are kept until they are told of. They pile up only
// while the server is asked something.
const earMost = 1 << 12

// ear takes notifications in as they arrive. Only the goroutine that uses the
// connection touches it.
type ear struct {
	whisper *whisper
	account ledger
	keys    []string        // to be told of, in the order in which they came
	waiting map[string]bool // the same
	probe   int64           // the version that a probe has, see hears
	probed  bool            // it was heard
}

// hear takes a notification in. What is not ours is thrown away, whoever sent it,
// and so is what was heard before.
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

// note keeps a key; where there are too many, everything takes their place.
func (e *ear) note(key string) {
	if e.waiting == nil || len(e.keys) >= earMost {
		if len(e.keys) >= earMost {
			key = ""
		}
		e.keys, e.waiting = nil, map[string]bool{}
	}
	e.keys, e.waiting[key] = append(e.keys, key), true
}

// take gives what there is to tell.
func (e *ear) take() []string {
	keys := e.keys
	e.keys, e.waiting = nil, nil
	return keys
}
