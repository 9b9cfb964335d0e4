package audit

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/venuekey/venuekey/internal/own"
)

// verify.go owns the proof that a log is whole, or what it lacks.

// Kind is what is wrong with a line.
type Kind string

// The kinds.
const (
	// KindChanged: it is not as it was written.
	KindChanged Kind = "changed"
	// KindMissing: it is not there.
	KindMissing Kind = "missing"
	// KindReordered: it stands in another place.
	KindReordered Kind = "reordered"
	// KindInserted: it is there twice, or was never written by a log.
	KindInserted Kind = "inserted"
	// KindCut: the end is missing, or the last line is torn.
	KindCut Kind = "cut"
	// KindHead: the head is missing or cannot be read, so nobody knows where the log ended.
	KindHead Kind = "head"
)

// Finding is something that is wrong.
type Finding struct {
	Kind Kind `json:"kind"`
	// Line is the number of the first line concerned, and To that of the last.
	Line int64 `json:"line"`
	To   int64 `json:"to"`
	// File and Row say where it is; empty for what is not there.
	File string `json:"file,omitempty"`
	Row  int    `json:"row,omitempty"`
}

// String returns "lines 7 to 9 are missing".
func (f Finding) String() string {
	what, is := fmt.Sprintf("line %d", f.Line), "is"
	if f.To > f.Line {
		what, is = fmt.Sprintf("lines %d to %d", f.Line, f.To), "are"
	}
	at := ""
	if f.File != "" {
		at = fmt.Sprintf(" (%s, row %d)", f.File, f.Row)
	}
	switch f.Kind {
	case KindChanged:
		return what + " " + is + " not as written" + at
	case KindReordered:
		return what + " " + is + " not in place" + at
	case KindInserted:
		return what + " " + is + " there once too often, or never was written by a log" + at
	case KindCut:
		if f.File != "" {
			return "the last line is torn" + at + "; the next program that writes mends it"
		}
		return what + " " + is + " cut off at the end"
	case KindHead:
		return "the head is missing or cannot be read: whether lines are missing at the end is not known"
	}
	return what + " " + is + " " + string(f.Kind) + at
}

// Report is what Verify found.
type Report struct {
	// Files and Lines count what is there.
	Files int   `json:"files"`
	Lines int64 `json:"lines"`
	// First and Last are the numbers of the lines at either end. Lines before First were
	// removed by the bound on files.
	First int64 `json:"first"`
	Last  int64 `json:"last"`
	// Hash is the SHA-256 of the last line in hexadecimal: a copy of Last and Hash, kept
	// elsewhere, proves everything up to there; see VerifyWith.
	Hash string `json:"hash"`
	// Findings is empty if the log is whole. Of a thousand only the first are here.
	Findings []Finding `json:"findings"`
}

// Whole reports whether nothing is wrong.
func (r Report) Whole() bool { return len(r.Findings) == 0 }

// mostFindings is more than a person reads.
const mostFindings = 1000

// Anchor is a line's number and hash from an earlier Report.
type Anchor struct {
	Line int64
	Hash string
}

// Verify reads a whole log and says what is wrong with it. The log may be written
// meanwhile. The error is about what cannot be read at all; fs.ErrNotExist means that there
// is no log.
func Verify(path string) (Report, error) { return VerifyWith(path) }

// VerifyWith is Verify with what an earlier one returned: a line that has another hash since
// was changed, though every later line and the head may fit it.
func VerifyWith(path string, anchors ...Anchor) (Report, error) {
	s, err := snapshot(path)
	if err != nil {
		return Report{}, exposed(err)
	}
	defer s.close()
	v := verifier{anchors: anchors, head: s.head, report: Report{Files: len(s.files), Findings: []Finding{}}}
	v.known, _ = s.head.mark()
	if !s.hasHead {
		v.find(Finding{Kind: KindHead})
	}
	for i, file := range s.files {
		if err := v.file(file, i == len(s.files)-1); err != nil {
			return Report{}, err
		}
	}
	v.finish(s.hasHead)
	return v.report, nil
}

// snap is a log at a time, with all of its files open.
type snap struct {
	head    heading
	hasHead bool
	files   []*os.File
}

func (s snap) close() {
	for _, file := range s.files {
		_ = file.Close() // it was only read
	}
}

// snapshot opens all files before any of them gets another name. The head is read first:
// what is written later is beyond it.
func snapshot(path string) (s snap, err error) {
	for range 10 {
		s = snap{}
		text, err := own.Read(headPath(path), headSize, 0o077)
		if err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, own.ErrLong) { // the beginning of a long one counts
			return s, err
		}
		s.head, s.hasHead = parseHead(text)
		before, err := list(path)
		if err != nil {
			return s, err
		}
		if len(before) == 0 && len(text) == 0 {
			return s, fmt.Errorf("there is no audit log at %s: %w", path, fs.ErrNotExist)
		}
		for _, of := range before {
			file, err := openToRead(of.path)
			if errors.Is(err, fs.ErrNotExist) {
				break // it got its name just now, or was removed
			}
			if err != nil {
				s.close()
				return s, err
			}
			s.files = append(s.files, file)
		}
		after, err := list(path)
		text, _ = own.Read(headPath(path), headSize, 0o077) // what cannot be read again differs
		now, _ := parseHead(text)
		if err == nil && len(s.files) == len(before) && slices.Equal(before, after) && now.First == s.head.First {
			return s, nil
		}
		s.close()
	}
	return s, fmt.Errorf("the audit log %s gets new files faster than they can be read", path)
}

// verifier goes through lines in the order in which they stand.
type verifier struct {
	report  Report
	head    heading
	known   mark
	anchors []Anchor

	last mark  // the last line in its place
	most int64 // its number, or what comes before the first
	seen bool
	gaps []Finding // lines that may come later
	odd  []Finding // rows that are no lines, since the last line
}

func (v *verifier) find(f Finding) {
	if f.To < f.Line {
		f.To = f.Line
	}
	if n := len(v.report.Findings); n > 0 && f.Row == 0 && v.report.Findings[n-1].Kind == f.Kind && v.report.Findings[n-1].Line == f.Line {
		return // it was found by itself, and now by the next line
	}
	if len(v.report.Findings) < mostFindings {
		v.report.Findings = append(v.report.Findings, f)
	}
}

func (v *verifier) file(file *os.File, last bool) error {
	rows := linesOf(file)
	for row := 1; ; row++ {
		text, err := rows.next()
		for range 4 { // a line that is being written is whole in a moment
			if !last || !errors.Is(err, io.EOF) || len(rows.torn) == 0 {
				break
			}
			time.Sleep(5 * time.Millisecond)
			text, err = rows.next()
		}
		if errors.Is(err, io.EOF) {
			if len(rows.torn) > 0 {
				v.find(Finding{Kind: KindCut, Line: v.most + 1, File: filepath.Base(file.Name()), Row: row})
			}
			return nil
		}
		if err != nil {
			return err
		}
		v.row(text, Finding{File: filepath.Base(file.Name()), Row: row})
	}
}

// row judges one row.
func (v *verifier) row(text []byte, at Finding) {
	line, before, err := parse(text)
	if err != nil {
		if len(v.odd) < mostFindings {
			v.odd = append(v.odd, at)
		}
		return
	}
	at.Line = line.Number
	hash := sha256.Sum256(text)
	v.report.Lines++
	if !v.seen {
		v.begins(line.Number)
	}
	if line.Number <= v.most {
		at.Kind = KindInserted
		if v.fill(line.Number) {
			at.Kind = KindReordered
		}
		v.find(at)
		return
	}
	number := line.Number
	if v.seen && number > v.most+1 && before == v.last.Hash { // nothing is missing before it
		number = v.most + 1
		at.Kind, at.Line = KindChanged, number
		v.find(at)
	}
	v.proves(number, hash, at)
	v.follows(number, before, at)
	v.last, v.seen, v.most = mark{number, hash}, true, number
}

// begins judges the number of the first line: what the head knows to be there should be, and
// what is there in spite of the head is what a program was killed before it could remove.
func (v *verifier) begins(number int64) {
	v.report.First, v.most = number, number-1
	if v.head.First > 0 && v.head.First < number {
		v.most = v.head.First - 1
	}
}

// follows judges a line by what stands before it. If what it says of the line before does
// not fit, either of them may have been changed: the one before is named, and if it is this
// one, the next line names it too.
func (v *verifier) follows(number int64, before [sha256.Size]byte, at Finding) {
	odd := len(v.odd) > 0
	if from := v.settle(number); from < number {
		v.gaps = append(v.gaps, Finding{Kind: KindMissing, Line: from, To: number - 1})
	}
	switch {
	case number == 1 && before != [sha256.Size]byte{}:
		at.Kind = KindChanged
		v.find(at)
	case !odd && v.seen && number == v.most+1 && before != v.last.Hash:
		v.find(Finding{Kind: KindChanged, Line: v.most})
	}
}

// settle judges the rows that are no lines. Each stands in the place of a line before next
// while there are any, and was put in otherwise. It returns the first line that is missing
// still.
func (v *verifier) settle(next int64) int64 {
	from := v.most + 1
	for _, at := range v.odd {
		at.Kind, at.Line = KindInserted, from
		if from < next {
			at.Kind = KindChanged
			from++
		}
		v.find(at)
	}
	v.odd = nil
	return from
}

// fill takes a number out of the gaps, and reports whether it was in one.
func (v *verifier) fill(number int64) bool {
	for i, gap := range v.gaps {
		if number < gap.Line || number > gap.To {
			continue
		}
		parts := []Finding{}
		if number > gap.Line {
			parts = append(parts, Finding{Kind: KindMissing, Line: gap.Line, To: number - 1})
		}
		if number < gap.To {
			parts = append(parts, Finding{Kind: KindMissing, Line: number + 1, To: gap.To})
		}
		v.gaps = slices.Replace(v.gaps, i, i+1, parts...)
		return true
	}
	return false
}

// proves compares a line with what is known of it from elsewhere.
func (v *verifier) proves(number int64, hash [sha256.Size]byte, at Finding) {
	changed := v.known.Number == number && v.known.Hash != hash
	for _, anchor := range v.anchors {
		changed = changed || anchor.Line == number && anchor.Hash != hex.EncodeToString(hash[:])
	}
	if changed {
		at.Kind = KindChanged
		v.find(at)
	}
}

// finish says what is not there.
func (v *verifier) finish(hasHead bool) {
	end := v.settle(max(v.most, v.known.Number)+1) - 1
	for _, gap := range v.gaps {
		v.find(gap)
	}
	if hasHead && end < v.known.Number {
		from := max(end+1, v.head.First)
		v.find(Finding{Kind: KindCut, Line: from, To: v.known.Number})
	}
	for _, anchor := range v.anchors {
		if anchor.Line > max(end, v.known.Number) {
			v.find(Finding{Kind: KindCut, Line: anchor.Line})
		}
	}
	v.report.Last = v.last.Number
	if v.seen {
		v.report.Hash = hex.EncodeToString(v.last.Hash[:])
	}
	slices.SortStableFunc(v.report.Findings, func(a, b Finding) int { return int(min(1, max(-1, a.Line-b.Line))) })
}
