// Package audit keeps the record of what an agent did for whom: an append-only log of
// hand-outs, refusals and changes, without secrets.
//
// The log is a file of JSON lines. Each line has a number and the SHA-256 of the line
// before, without its line break, so that no line can be changed, left out, moved or put
// in without a trace: Verify says which. When the file is full, it gets the name of its
// first line, as in audit-000000000001.log, and the chain goes on in a new one; the oldest
// files are removed. A head file beside them has the last line's number and hash, so that
// lines which are cut off at either end are missed as well; it follows within 50 ms, since
// writing it each time would cost as much as the line.
//
// Whoever may write to the folder can write a new chain and a new head. Against that helps
// only a copy of a number and its hash elsewhere, or of the lines: Verify returns the one,
// and Follow the other.
//
// A line is with the system when Write returns: a killed program loses none. It is on the
// disk within Options.Sync, a second if nothing else is said, or before Write returns if
// the entry is Durable: a power cut loses the hand-outs of that second, and the next Open
// says so in the log, in the line after the gap.
//
// Files have mode 0600 in a folder of mode 0700, and are checked as package
// internal/own says.
package audit

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/internal/foreign"
	"github.com/venuekey/venuekey/internal/own"
)

// audit.go owns writing: one line at a time, whole or not at all.

const (
	usualSize  = 8 << 20
	usualFiles = 16
	usualSync  = time.Second
	// headPause is how far the head may be behind.
	headPause = 50 * time.Millisecond
)

// Options are the bounds of a log. The zero value is ready to use.
type Options struct {
	// MaxSize is how many bytes a file may have; zero means 8 MiB, some 40,000 lines.
	MaxSize int64
	// MaxFiles is how many files there may be, with the one that is written; zero means 16,
	// and the least is 2.
	MaxFiles int
	// Sync is how long a line may be with the system and not on the disk; zero means a
	// second, and less than zero that every line is Durable.
	Sync time.Duration
	// EveryRefusal gives each refusal a line, however many there are. Otherwise a hundred
	// get one at once, and then one a second; the rest are counted in a line each minute,
	// so that nobody without rights can push the history out of the log.
	EveryRefusal bool

	wrap func(disk) disk // for tests of a failing disk
}

func (o Options) filled() Options {
	if o.MaxSize <= 0 {
		o.MaxSize = usualSize
	}
	if o.MaxFiles <= 0 {
		o.MaxFiles = usualFiles
	}
	o.MaxFiles = max(o.MaxFiles, 2)
	if o.Sync == 0 {
		o.Sync = usualSync
	}
	if o.wrap == nil {
		o.wrap = func(d disk) disk { return d }
	}
	return o
}

// disk is what a log does with an open file.
type disk interface {
	Write([]byte) (int, error)
	Truncate(size int64) error
	Sync() error
	Close() error
}

// Log is an open log, of which there is one at a time. Its methods are safe for concurrent
// use.
type Log struct {
	path    string
	options Options

	mu     sync.Mutex
	closed bool
	head   *headFile
	last   mark
	first  int64 // the number of the oldest line
	file   disk  // nil until the next line, if it could not be opened
	begins int64 // the number of the file's first line
	size   int64
	full   int64 // the size at which the next file begins
	spoilt bool  // what lies beyond size is not ours
	notes  []string
	missed missed
	flood  flood
	fault  error // of the last attempt to flush

	behind  *time.Timer // writes the head; nil if it has the last line
	timer   *time.Timer // flushes; nil if everything is on the disk
	pending sync.WaitGroup
}

// missed counts the entries that could not be written.
type missed struct {
	count int
	since time.Time
	why   string
}

// Write appends a line. If it returns an error, the entry is not in the log, or not on the
// disk: a caller that must account for everything does not do what it was about to write. The error says what
// is wrong, is of ClassFailed, and passes once the disk takes lines again; the next line
// then says how many are missing.
func (l *Log) Write(e Entry) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return &venuekey.Error{Op: "audit", Class: venuekey.ClassFailed, Reason: "the audit log is closed", Err: fs.ErrClosed}
	}
	if l.flood.takes(e, time.Now()) {
		return nil
	}
	err := l.ready()
	if err == nil {
		err = l.tellMissed(l.flood.due(time.Now()))
	}
	if err == nil {
		err = l.append(e)
	}
	if err == nil && (e.Durable || l.options.Sync < 0) {
		err = l.durable()
	}
	if err != nil {
		return l.miss(err)
	}
	return nil
}

// tellMissed writes what the log has to say of itself.
func (l *Log) tellMissed(flood bool) error {
	if flood {
		l.note("%s", l.flood.note())
		l.flood.count = 0
	}
	for len(l.notes) > 0 {
		if err := l.append(Entry{Verb: VerbLog, Outcome: l.notes[0]}); err != nil {
			return err
		}
		l.notes = l.notes[1:]
	}
	if l.missed.count == 0 {
		return nil
	}
	note := fmt.Sprintf("not written since %s: %d in all: %s", l.missed.since.UTC().Format(time.RFC3339), l.missed.count, l.missed.why)
	err := l.append(Entry{Verb: VerbLog, Outcome: note})
	if err == nil {
		l.missed = missed{}
	}
	return err
}

// miss counts an entry that was not written.
func (l *Log) miss(err error) error {
	if l.missed.count++; l.missed.count == 1 {
		l.missed.since = time.Now()
	}
	err = unwritable(l.path, err)
	l.missed.why = err.Error()
	return err
}

// ready sees that there is a file which takes a line, and that the disk took the last ones.
func (l *Log) ready() error {
	if l.fault != nil {
		if err := l.durable(); err != nil {
			return err
		}
	}
	if l.spoilt {
		if err := l.file.Truncate(l.size); err != nil {
			return err
		}
		l.spoilt = false
	}
	if l.file != nil {
		return nil
	}
	file, size, err := openEnd(l.path)
	if err != nil {
		return err
	}
	l.file, l.size, l.full = l.options.wrap(file), size, l.options.MaxSize
	if size == 0 {
		l.begins = l.last.Number + 1
	}
	return nil
}

// append writes one line. After an error the file ends where it did.
func (l *Log) append(e Entry) error {
	if e.At.IsZero() {
		e.At = time.Now()
	}
	line := e.line(l.last)
	if l.size > 0 && l.size+int64(len(line)) > l.full {
		if err := l.rotate(); err != nil {
			return err
		}
	}
	if _, err := l.file.Write(line); err != nil {
		l.spoilt = l.file.Truncate(l.size) != nil
		return err
	}
	l.last = mark{l.last.Number + 1, sha256.Sum256(line[:len(line)-1])}
	l.size += int64(len(line))
	l.later()
	return nil
}

// later writes the head soon, and flushes within Options.Sync; l.mu is held.
func (l *Log) later() {
	if l.behind == nil {
		l.pending.Add(1)
		l.behind = time.AfterFunc(headPause, l.catchUp)
	}
	if l.timer == nil && l.options.Sync > 0 {
		l.pending.Add(1)
		l.timer = time.AfterFunc(l.options.Sync, l.flush)
	}
}

// catchUp writes the head.
func (l *Log) catchUp() {
	defer l.pending.Done()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.behind = nil
	if !l.closed { // Close does it
		l.fault = errors.Join(l.fault, l.head.write(l.first, l.last))
	}
}

// flush makes the lines durable without holding up others, which may take a disk long.
func (l *Log) flush() {
	defer l.pending.Done()
	l.mu.Lock()
	l.timer = nil
	file, head := l.file, l.head
	err := l.head.write(l.first, l.last)
	l.mu.Unlock()
	if file != nil {
		err = errors.Join(err, file.Sync(), head.Sync())
	}
	if errors.Is(err, fs.ErrClosed) { // by rotate or Close, which flush themselves
		return
	}
	l.mu.Lock()
	l.fault = err
	l.mu.Unlock()
}

// durable writes the head and flushes now; l.mu is held.
func (l *Log) durable() error {
	l.fault = nil
	if l.file != nil {
		l.fault = l.file.Sync()
	}
	if l.fault == nil {
		l.fault = l.head.write(l.first, l.last)
	}
	if l.fault == nil {
		l.fault = l.head.Sync()
	}
	return l.fault
}

// rotate gives the full file its name and begins the next; l.mu is held.
func (l *Log) rotate() error {
	if err := l.durable(); err != nil {
		return err
	}
	_ = l.file.Close() // it is on the disk
	l.file = nil
	full := rotated(l.path, l.begins)
	named := os.Rename(l.path, full)
	if err := l.ready(); err != nil {
		return err
	}
	if named != nil { // a reader that keeps the file open, on Windows: later
		l.full = l.size + l.options.MaxSize
		return nil
	}
	if err := own.SyncFolder(filepath.Dir(l.path)); err != nil {
		return err
	}
	return l.prune()
}

// prune removes the oldest files. The head says so first: what is gone and still in the
// head was taken by someone else.
func (l *Log) prune() error {
	files, err := list(l.path)
	if err != nil || len(files) <= l.options.MaxFiles {
		return err
	}
	old, kept := files[:len(files)-l.options.MaxFiles], files[len(files)-l.options.MaxFiles]
	l.first = kept.first
	if err := errors.Join(l.head.write(l.first, l.last), l.head.Sync()); err != nil {
		return err
	}
	for _, file := range old {
		_ = os.Remove(file.path) // or the next time
	}
	return nil
}

// Close makes everything durable and lets another program write the log. Write fails from
// then on.
func (l *Log) Close() error {
	l.mu.Lock()
	if l.closed {
		l.mu.Unlock()
		return nil
	}
	if (l.missed.count > 0 || l.flood.count > 0) && l.ready() == nil {
		_ = l.tellMissed(l.flood.count > 0) // every Write has said the one, and the other is no promise
	}
	l.closed = true
	for _, timer := range []*time.Timer{l.timer, l.behind} {
		if timer != nil && timer.Stop() {
			l.pending.Done()
		}
	}
	l.mu.Unlock()
	l.pending.Wait()
	err := l.durable()
	if l.file != nil {
		err = errors.Join(err, l.file.Close())
	}
	if err = errors.Join(err, l.head.Close()); err != nil { // which ends its lock
		return unwritable(l.path, err)
	}
	return nil
}

// Format implements fmt.Formatter: a Log prints as its path.
func (l *Log) Format(f fmt.State, _ rune) { fmt.Fprint(f, "audit.Log("+l.path+")") }

// unwritable is the error of a log that takes no line.
func unwritable(path string, err error) error {
	if err = exposed(err); venuekey.ClassOf(err) == venuekey.ClassMisconfigured {
		return err
	}
	why := err
	if of, ok := errors.AsType[*fs.PathError](err); ok {
		why = of.Err
	}
	return &venuekey.Error{Op: "audit", Class: venuekey.ClassFailed, Reason: foreign.Fit("the audit log cannot be written: " + why.Error()),
		Remedy: "make room on the disk of " + filepath.Dir(path) + ", and see that it can be written", Err: err}
}

// exposed gives the error of a file that others may change its class, and leaves others as
// they are.
func exposed(err error) error {
	open, ok := errors.AsType[*own.Exposed](err)
	if !ok {
		return err
	}
	reason := foreign.Fit("the audit log: " + open.Path + " " + open.Reason)
	return &venuekey.Error{Op: "audit", Class: venuekey.ClassMisconfigured, Reason: reason, Remedy: open.Remedy, Err: err}
}
