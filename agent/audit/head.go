package audit

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/internal/filelock"
	"github.com/venuekey/venuekey/internal/own"
)

// head.go owns the head: where the log begins and ends. It also is the lock, because its
// file is never replaced.

// headSize is the size of a head, filled up with spaces: a shorter one leaves nothing of a
// longer one behind.
const headSize = 192

// heading is a head as it is written.
type heading struct {
	First int64  `json:"first"`
	Last  int64  `json:"last"`
	Hash  string `json:"hash"`
	// PID is the program that writes.
	PID int `json:"pid"`
}

type headFile struct{ *os.File }

func headPath(path string) string { return strings.TrimSuffix(path, filepath.Ext(path)) + ".head" }

// takeHead opens and locks the head. The error of a log that another program writes is an
// Error of ClassMisconfigured, and says which it is.
func takeHead(path string) (*headFile, error) {
	file, err := own.Open(headPath(path), os.O_RDWR|os.O_CREATE, 0o077)
	if err != nil {
		return nil, err
	}
	free, err := filelock.Try(file)
	if err == nil && free {
		return &headFile{file}, nil
	}
	h, _ := parseHead(readStart(file))
	_ = file.Close() // nothing was written
	if err != nil {
		return nil, err
	}
	return nil, busy(path, h.PID)
}

func readStart(file *os.File) []byte {
	text, _ := io.ReadAll(io.NewSectionReader(file, 0, headSize)) // what is not read does not parse
	return text
}

func parseHead(text []byte) (heading, bool) {
	var h heading
	if json.Unmarshal(text, &h) != nil || h.First < 1 || h.Last < h.First-1 || h.Last > mostLines {
		return heading{PID: h.PID}, false
	}
	_, ok := h.mark()
	return h, ok
}

func (h heading) mark() (mark, bool) {
	m := mark{Number: h.Last}
	hash, err := hex.DecodeString(h.Hash)
	return m, err == nil && copy(m.Hash[:], hash) == len(m.Hash) && len(hash) == len(m.Hash)
}

func (h *headFile) write(first int64, last mark) error {
	text, err := json.Marshal(heading{first, last.Number, hex.EncodeToString(last.Hash[:]), os.Getpid()})
	if err != nil {
		return err
	}
	text = append(text, bytes.Repeat([]byte{' '}, max(0, headSize-1-len(text)))...)
	_, err = h.WriteAt(append(text, '\n'), 0)
	return err
}

func busy(path string, pid int) error {
	who := "another program"
	if pid > 0 {
		who += " (pid " + itoa(pid) + ")"
	}
	return &venuekey.Error{Op: "audit", Class: venuekey.ClassMisconfigured,
		Reason: who + " writes the audit log " + path, Remedy: "end it first; a log has one writer"}
}
