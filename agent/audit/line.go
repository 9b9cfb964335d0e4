package audit

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/internal/foreign"
)

// line.go owns the form of a line.

const (
	// longestLine is more than any entry needs.
	longestLine = 16 << 10
	// mostLines is the greatest number that every reader of JSON knows exactly (RFC 8259 §6).
	// No log has as many, so a greater one is nobody's, and none overflows.
	mostLines = 1<<53 - 1
)

// VerbLog is the verb of what the log says about itself: lines that are missing or torn.
const VerbLog = "log"

// VerbConsumer is the verb of a change of a consumer, whose name is in the line.
const VerbConsumer = "consumer"

// The outcomes that are not the class of an error. What is none of these but OutcomeForbidden is
// a refusal, and so is that.
const (
	OutcomeGiven     = "given"
	OutcomeForbidden = "forbidden"
	OutcomeAdded     = "added"
	OutcomeRevoked   = "revoked"
)

// Entry is what happened. It has no secret in it, and no text of it is believed to have
// none: whatever looks like a token is struck.
type Entry struct {
	// At is when; zero means now.
	At time.Time
	// Consumer is who asked, by a token; otherwise Peer is who did, through the socket.
	Consumer string
	Peer     *Peer
	// ID is the sign-in; zero for what is about none.
	ID venuekey.ID
	// Verb is what was asked for, as agent/consumer has it, and Outcome what came of it:
	// OutcomeGiven, OutcomeForbidden, or the class of an error.
	Verb, Outcome string
	// Call is the call of the venue's API that was forwarded, as "GET order/list", without
	// its query.
	Call string
	// Generation is that of the token.
	Generation int64
	// Durable makes Write return only when the line is on the disk: for changes, which are
	// few. It is not in the line.
	Durable bool
}

// Peer is the process at the other end of a socket, as the system says. Its program may
// have ended since, and another have its PID.
type Peer struct {
	UID int    `json:"uid"`
	PID int    `json:"pid,omitempty"`
	Exe string `json:"exe,omitempty"`
}

// Line is an entry in the log.
type Line struct {
	// Number counts lines from 1, across files.
	Number int64
	Entry
}

// Who returns the consumer's name, or "uid 1000 pid 77 /usr/bin/python3".
func (e Entry) Who() string {
	switch {
	case e.Consumer != "":
		return e.Consumer
	case e.Peer == nil:
		return ""
	}
	who := fmt.Sprintf("uid %d", e.Peer.UID)
	if e.Peer.PID > 0 {
		who += fmt.Sprintf(" pid %d", e.Peer.PID)
	}
	if e.Peer.Exe != "" {
		who += " " + e.Peer.Exe
	}
	return who
}

// form is a line as it is written.
type form struct {
	Number     int64     `json:"n"`
	Before     string    `json:"prev"`
	At         time.Time `json:"at"`
	Consumer   string    `json:"consumer,omitempty"`
	Peer       *Peer     `json:"peer,omitempty"`
	ID         string    `json:"id,omitempty"`
	Verb       string    `json:"verb"`
	Call       string    `json:"call,omitempty"`
	Outcome    string    `json:"outcome"`
	Generation int64     `json:"generation,omitempty"`
}

// mark is a line's number and hash, which the next line repeats. The zero mark comes
// before the first line.
type mark struct {
	Number int64
	Hash   [sha256.Size]byte
}

// line returns the entry as the line after a mark, with its line break.
func (e Entry) line(before mark) []byte {
	e = e.clean()
	f := form{
		Number: before.Number + 1, Before: hex.EncodeToString(before.Hash[:]), At: e.At.UTC().Truncate(time.Microsecond),
		Consumer: e.Consumer, Peer: e.Peer, Verb: e.Verb, Call: e.Call, Outcome: e.Outcome, Generation: e.Generation,
	}
	if !e.ID.IsZero() {
		f.ID = e.ID.String()
	}
	var line bytes.Buffer
	encoder := json.NewEncoder(&line) // which ends the line
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(f); err != nil { // a time that JSON cannot express
		f.At = time.Unix(0, 0).UTC()
		line.Reset()
		_ = encoder.Encode(f) // has nothing else that can fail
	}
	return line.Bytes()
}

// clean makes texts from elsewhere fit a line: a name in a request, the path of a program.
func (e Entry) clean() Entry {
	e.Consumer, e.Verb, e.Outcome = foreign.Line(foreign.Name(e.Consumer)), foreign.Line(foreign.Name(e.Verb)), foreign.Line(e.Outcome)
	e.Call = shortened(foreign.Line(foreign.Name(e.Call)))
	if e.Peer != nil {
		e.Peer = &Peer{e.Peer.UID, e.Peer.PID, foreign.Line(e.Peer.Exe)}
	}
	if id, err := venuekey.ParseID(e.ID.String()); err != nil || id != e.ID {
		e.ID = venuekey.ID{}
	}
	return e
}

// longestCall is how much of a call a line has.
const longestCall = 200

func shortened(call string) string {
	if len(call) <= longestCall {
		return call
	}
	return strings.ToValidUTF8(call[:longestCall], "") + "…"
}

// ErrNoLine matches the error of Read and Follow about a row that is no line of a log.
var ErrNoLine = errors.New("it is not a line of an audit log")

// parse reads a line without its line break, and returns the hash of the line before it.
func parse(text []byte) (line Line, before [sha256.Size]byte, err error) {
	var f form
	if len(text) > longestLine || json.Unmarshal(text, &f) != nil || f.Number < 1 || f.Number > mostLines || f.Verb == "" {
		return Line{}, before, ErrNoLine
	}
	hash, err := hex.DecodeString(f.Before)
	if err != nil || len(hash) != len(before) {
		return Line{}, before, ErrNoLine
	}
	copy(before[:], hash)
	e := Entry{At: f.At, Consumer: f.Consumer, Peer: f.Peer, Verb: f.Verb, Call: f.Call, Outcome: f.Outcome, Generation: f.Generation}
	if f.ID != "" {
		if e.ID, err = venuekey.ParseID(f.ID); err != nil {
			return Line{}, before, ErrNoLine
		}
	}
	return Line{f.Number, e.clean()}, before, nil
}
