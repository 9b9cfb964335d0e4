package notify

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/internal/draft"
	"github.com/venuekey/venuekey/internal/filelock"
	"github.com/venuekey/venuekey/internal/foreign"
	"github.com/venuekey/venuekey/internal/own"
)

// outbox.go owns the folder of what has not arrived: a file for each notice, written whole,
// which only this user reads. Its name says whether the notice is still tried.

const (
	waiting  = ".waiting.json"
	given    = ".dead.json"
	lockName = "lock"
	toldName = "told.json"
	draftOf  = "notice" // the mark of drafts
	// usualMost is how many letters there may be of either kind.
	usualMost = 1000
)

// Outbox is an open folder of notices. One process has it at a time.
type Outbox struct {
	folder string
	lock   *os.File
	mu     sync.Mutex
	odd    map[string]bool // files that were complained about
}

// Open opens the outbox in a folder, and makes it if there is none. While another process has
// it, Open returns an error of ClassMisconfigured that names that process. Close lets go, and
// so does the end of the process, however it ends.
func Open(folder string) (*Outbox, error) {
	if err := own.MakeFolder(folder); err != nil {
		return nil, unusable(folder, err)
	}
	file, err := own.Open(filepath.Join(folder, lockName), os.O_RDWR|os.O_CREATE, 0o077)
	if err != nil {
		return nil, unusable(folder, err)
	}
	taken, err := filelock.Try(file)
	if err != nil || !taken {
		text := make([]byte, 20)
		n, _ := file.ReadAt(text, 0)
		_ = file.Close() // it was only read
		if err != nil {
			return nil, unusable(folder, err)
		}
		pid, _ := strconv.Atoi(strings.TrimSpace(string(text[:n])))
		return nil, &venuekey.Error{Op: "notify", Class: venuekey.ClassMisconfigured, Err: ErrTaken,
			Reason: fmt.Sprintf("another program (process %d) sends the notices of this vault on this machine", pid), Remedy: "leave --webhook to that one, or end it first"}
	}
	if err = file.Truncate(0); err == nil {
		_, err = file.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
	}
	if err != nil {
		return nil, unusable(folder, errors.Join(err, file.Close()))
	}
	return &Outbox{folder: folder, lock: file, odd: map[string]bool{}}, nil
}

// ErrTaken matches, by errors.Is, the error of an outbox that another process has.
var ErrTaken = errors.New("another program has the outbox")

// Close lets another process have the outbox.
func (o *Outbox) Close() error { return o.lock.Close() }

// Format implements fmt.Formatter: an Outbox prints as its folder.
func (o *Outbox) Format(f fmt.State, _ rune) { fmt.Fprint(f, "notify.Outbox("+o.folder+")") }

// keep writes a letter that is still tried.
func (o *Outbox) keep(l Letter) error { return write(o.folder, l, waiting) }

// arrived removes a letter that was delivered.
func (o *Outbox) arrived(l Letter) error {
	err := os.Remove(filepath.Join(o.folder, l.Notice.Delivery+waiting))
	if dead := os.Remove(filepath.Join(o.folder, l.Notice.Delivery+given)); err == nil && !errors.Is(dead, fs.ErrNotExist) {
		err = dead // it was replayed by a program that was killed
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// bury makes a letter a dead one, and removes the oldest of them if there are too many. It
// returns how many.
func (o *Outbox) bury(l Letter, most int) (removed int, err error) {
	if err := write(o.folder, l, given); err != nil {
		return 0, err
	}
	if err := os.Remove(filepath.Join(o.folder, l.Notice.Delivery+waiting)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return 0, err
	}
	return o.prune(most)
}

// prune removes the oldest dead letters, by their names: there may be a thousand to bury at
// once, and reading all each time would take long. What cannot be read is left alone.
func (o *Outbox) prune(most int) (removed int, err error) {
	dead, err := deliveries(o.folder, given)
	for _, delivery := range dead[:max(0, len(dead)-most)] {
		path := filepath.Join(o.folder, delivery+given)
		if _, odd := readFile(path, delivery); odd != nil {
			continue
		}
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return removed, err
		}
		removed++
	}
	return removed, err
}

// list reads the letters of a kind that are not known, and names the files that hold none and
// that were not named before.
func (o *Outbox) list(kind string, known func(delivery string) bool) (all []Letter, odd []error, err error) {
	all, errs, err := list(o.folder, kind, known)
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, err := range errs {
		if !o.odd[err.Error()] {
			o.odd[err.Error()] = true
			odd = append(odd, err)
		}
	}
	return all, odd, err
}

// Dead returns the letters that were given up, the oldest first, and an error for each file
// that cannot be read. Nobody needs to have the outbox open.
func Dead(folder string) (all []Letter, unread []error, err error) {
	all, unread, err = list(folder, given, nil)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, unusable(folder, err)
	}
	return all, unread, nil
}

// Replay has a dead letter tried once more, for another day: by the process that has the
// outbox, within seconds, or by the next one.
func Replay(folder string, l Letter, now time.Time) error {
	l.Queued, l.Died = now.UTC(), time.Time{}
	err := write(folder, l, waiting)
	if err == nil {
		err = os.Remove(filepath.Join(folder, l.Notice.Delivery+given))
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return unusable(folder, err)
	}
	return nil
}

// write writes a letter's file.
func write(folder string, l Letter, kind string) error {
	text, err := l.text()
	if err != nil {
		return err
	}
	return writeFile(filepath.Join(folder, l.Notice.Delivery+kind), text)
}

func writeFile(path string, text []byte) error {
	return draft.Write(path, draftOf, os.Rename, func(file *os.File) error {
		_, err := file.Write(text)
		return err
	})
}

// deliveries returns those that have a file of a kind, the oldest first, since their names
// begin with the time.
func deliveries(folder, kind string) (all []string, err error) {
	if err := own.Folder(folder); err != nil {
		return nil, err
	}
	entries, err := os.ReadDir(folder)
	for _, entry := range entries {
		if delivery, ok := strings.CutSuffix(entry.Name(), kind); ok {
			all = append(all, delivery)
		}
	}
	return all, err
}

// list reads the letters of a kind in the order in which they were queued. Those that are
// known, unless that is nil, are left out.
func list(folder, kind string, known func(delivery string) bool) (all []Letter, odd []error, err error) {
	names, err := deliveries(folder, kind)
	if err != nil {
		return nil, nil, err
	}
	for _, delivery := range names {
		if known != nil && known(delivery) {
			continue
		}
		path := filepath.Join(folder, delivery+kind)
		l, err := readFile(path, delivery)
		switch {
		case errors.Is(err, fs.ErrNotExist): // another program was faster
		case err != nil:
			odd = append(odd, fmt.Errorf("%s: %w", foreign.Fit(path), err))
		default:
			all = append(all, l)
		}
	}
	slices.SortFunc(all, func(a, b Letter) int {
		return cmp.Or(a.Queued.Compare(b.Queued), strings.Compare(a.Notice.Delivery, b.Notice.Delivery))
	})
	return all, odd, nil
}

// readFile reads the letter in a file whose name says which it is.
func readFile(path, delivery string) (Letter, error) {
	text, err := own.Read(path, longestLetter, 0o077)
	if err != nil {
		return Letter{}, err
	}
	l, err := readLetter(text)
	if err == nil && l.Notice.Delivery != delivery {
		err = errNoLetter
	}
	return l, err
}

// unusable is the error of a folder that takes no notices.
func unusable(folder string, err error) error {
	if exposed, ok := errors.AsType[*own.Exposed](err); ok {
		return &venuekey.Error{Op: "notify", Class: venuekey.ClassMisconfigured, Reason: foreign.Fit(exposed.Path + " " + exposed.Reason), Remedy: exposed.Remedy, Err: err}
	}
	return &venuekey.Error{Op: "notify", Class: venuekey.ClassMisconfigured, Reason: foreign.Fit("notices cannot be kept in " + folder + ": " + err.Error()),
		Remedy: "make room on its disk, and see that it can be written", Err: err}
}
