package venuekey

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/venuekey/venuekey/internal/own"
)

// marks.go owns the high-water marks: which generation of each sign-in this machine has
// seen, kept outside the vault. A store cannot notice by itself that an older copy of it
// was restored, and the refresh tokens in that copy are used up.
//
// A mark belongs to a sign-in, identified by its record's key and the time at which the
// user signed in, which survives every renewal. So two vaults on one machine, or one
// that was deleted and created again, do not see each other's marks, and keys may be
// rotated. Marks are in 256 small files that are replaced by renaming and never flushed:
// a mark that lags behind the store is harmless, and none is written before the token it
// marks is durable.

// marksKept is how many sign-ins of one ID are remembered: an older copy may hold an
// earlier sign-in than the last.
const marksKept = 8

// longestMarks bounds what is read of a file: enough for a hundred thousand sign-ins.
const longestMarks = 64 << 20

// mark is one line of a file: the record's key and the sign-in, both hashed, and the
// highest generation seen.
type mark struct {
	record, signIn string
	generation     int64
}

// markOf returns the mark of a token, and the name of its file.
func markOf(recordKey string, token Token, generation int64) (m mark, file string) {
	record := sha256.Sum256([]byte(recordKey))
	signIn := sha256.Sum256(strconv.AppendInt([]byte(recordKey+"\x00"), token.SignedIn.UnixNano(), 10))
	return mark{hex.EncodeToString(record[1:9]), hex.EncodeToString(signIn[:8]), generation}, hex.EncodeToString(record[:1])
}

// markReader reads marks, each file once.
type markReader struct {
	folder string
	files  map[string][]mark
}

func (k *Keeper) readMarks() *markReader { return &markReader{k.Marks, map[string][]mark{}} }

// of returns the marks in a file. Lines that cannot be read are skipped.
func (r *markReader) of(file string) []mark {
	marks, known := r.files[file]
	if !known && r.folder != "" {
		text, _ := own.Read(filepath.Join(r.folder, file), longestMarks, 0o022)
		for line := range bytes.Lines(text) {
			parts := bytes.Fields(line)
			if len(parts) != 3 {
				continue
			}
			if generation, err := strconv.ParseInt(string(parts[2]), 10, 64); err == nil && plausible(generation) == generation {
				marks = append(marks, mark{string(parts[0]), string(parts[1]), generation})
			}
		}
		r.files[file] = marks
	}
	return marks
}

// seen returns the highest generation of a token's sign-in that this machine has seen.
func (r *markReader) seen(recordKey string, token Token) int64 {
	want, file := markOf(recordKey, token, 0)
	for _, m := range r.of(file) {
		if m.record == want.record && m.signIn == want.signIn {
			return m.generation
		}
	}
	return 0
}

// highestSeen is the highest generation of any sign-in of an ID: a new one begins
// above it, so that programs which remember an older token see a newer one.
func (k *Keeper) highestSeen(recordKey string) (generation int64) {
	want, file := markOf(recordKey, Token{}, 0)
	for _, m := range k.readMarks().of(file) {
		if m.record == want.record {
			generation = max(generation, m.generation)
		}
	}
	return generation
}

// mark remembers a generation that is durable, unless a higher one was seen.
func (k *Keeper) mark(recordKey string, token Token, generation int64) {
	if k.Marks == "" || token.SignedIn.IsZero() {
		return
	}
	m, file := markOf(recordKey, token, generation)
	k.rewriteMarks(file, func(marks []mark) []mark {
		kept, same := marks[:0:0], 0
		for _, old := range marks { // the latest sign-in first
			if old.record == m.record {
				if old.signIn == m.signIn {
					m.generation = max(m.generation, old.generation)
					continue
				}
				if same++; same >= marksKept {
					continue
				}
			}
			kept = append(kept, old)
		}
		return append([]mark{m}, kept...)
	})
}

// unmark forgets the marks of an ID, or of one of its sign-ins.
func (k *Keeper) unmark(recordKey string, token *Token) {
	if k.Marks == "" {
		return
	}
	m, file := markOf(recordKey, Token{}, 0)
	if token != nil {
		m, _ = markOf(recordKey, *token, 0)
	}
	k.rewriteMarks(file, func(marks []mark) (kept []mark) {
		for _, old := range marks {
			if old.record != m.record || token != nil && old.signIn != m.signIn {
				kept = append(kept, old)
			}
		}
		return kept
	})
}

const (
	// markTries and markPause bound the wait for another program that writes the
	// same file; after that the mark lags.
	markTries = 20
	markPause = time.Millisecond
	// markStale is the age at which a draft counts as abandoned.
	markStale = 10 * time.Second
)

// rewriteMarks replaces a file of marks. The draft is also the lock: only one program at
// a time can create it.
func (k *Keeper) rewriteMarks(file string, change func([]mark) []mark) {
	k.marking.Lock()
	defer k.marking.Unlock()
	path := filepath.Join(k.Marks, file)
	err := own.MakeFolder(k.Marks)
	var draft *os.File
	if err == nil {
		draft, err = k.markDraft(path + ".new")
	}
	if err == nil {
		var text []byte
		for _, m := range change(k.readMarks().of(file)) {
			text = fmt.Appendf(text, "%s %s %d\n", m.record, m.signIn, m.generation)
		}
		_, err = draft.Write(text)
		if err = errors.Join(err, draft.Close()); err == nil {
			err = os.Rename(draft.Name(), path)
		}
		if err != nil {
			err = errors.Join(err, os.Remove(draft.Name()))
		}
	}
	if err != nil {
		k.log().Debug("a mark was not written: restoring an older copy of the vault may go unnoticed", "error", systemError(err))
	}
}

// markDraft creates the draft, once no other program is writing one.
func (k *Keeper) markDraft(path string) (*os.File, error) {
	for try := 1; ; try++ {
		draft, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
		switch {
		case err == nil || try == markTries:
			return draft, err
		case errors.Is(err, fs.ErrExist):
			if info, gone := os.Lstat(path); gone == nil && time.Since(info.ModTime()) > markStale {
				_ = os.Remove(path) // its writer was killed
				continue
			}
			time.Sleep(markPause)
		default:
			return nil, err
		}
	}
}
