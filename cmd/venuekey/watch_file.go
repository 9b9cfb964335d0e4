package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/internal/draft"
	"github.com/venuekey/venuekey/internal/own"
)

// watch_file.go owns the file of the command watch, and the signal that says it has changed.

var tokenFormats = []string{"token", "header", "env", "json"}

func isTokenFormat(format string) bool { return slices.Contains(tokenFormats, format) }

// tokenFile is a file with a token in it.
type tokenFile struct {
	id           venuekey.ID
	path, format string
	pidFile      string
	signal       func(pid int) error // nil for none
}

// mostInFile is more than a file with a token has, in bytes.
const mostInFile = 256 << 10

// free returns an error if something else than a file has the name.
func (f *tokenFile) free() error {
	info, err := os.Lstat(f.path)
	if err != nil || info.Mode().IsRegular() {
		return nil
	}
	return &venuekey.Error{ID: f.id, Op: "watch", Class: venuekey.ClassMisconfigured, Reason: f.path + " is there already, and is no file", Remedy: "name another file"}
}

// isOurs reports whether the file looks like one that an earlier run has left.
func (f *tokenFile) isOurs() bool {
	text, err := own.Read(f.path, mostInFile, 0o077)
	defer clear(text)
	if f.free() != nil || err != nil {
		return false
	}
	switch f.format {
	case "header":
		return bytes.HasPrefix(text, []byte("Authorization: "))
	case "env":
		return bytes.HasPrefix(text, []byte("VENUEKEY_ACCESS_TOKEN="))
	case "json":
		var form map[string]json.RawMessage
		return json.Unmarshal(text, &form) == nil && form["access_token"] != nil
	}
	line, ended := bytes.CutSuffix(text, []byte("\n"))
	return ended && len(line) > 0 && !bytes.ContainsAny(line, " \t\r\n")
}

// write replaces the file, unless the token in it is this one. The file is whole at any moment.
func (f *tokenFile) write(token *venuekey.Token, state venuekey.State) (changed bool, err error) {
	text, err := f.text(token, state)
	if err != nil {
		return false, &venuekey.Error{ID: f.id, Op: "watch", Class: venuekey.ClassFailed, Err: err}
	}
	defer clear(text)
	if err := f.free(); err != nil {
		return false, err
	}
	there, err := own.Read(f.path, mostInFile, 0o077) // one that others can read is replaced
	defer clear(there)
	if err == nil && f.format != "json" && bytes.Equal(there, text) {
		return false, nil
	}
	err = draft.Write(f.path, "venuekey-watch", os.Rename, func(file *os.File) error {
		_, err := file.Write(text)
		return err
	})
	if err != nil {
		return false, &venuekey.Error{ID: f.id, Op: "watch", Class: venuekey.ClassFailed, Err: err, Remedy: "make room, or name another file"}
	}
	return true, nil
}

// text is a token in the file's format. It is one of the few places that put a secret into a file
// in plain text: the user asked for it.
func (f *tokenFile) text(token *venuekey.Token, state venuekey.State) ([]byte, error) {
	var out bytes.Buffer
	switch f.format {
	case "header":
		fmt.Fprintf(&out, "Authorization: %s %s\n", token.TypeOrBearer(), string(token.Access))
	case "env":
		given := map[string]string{
			"VENUEKEY_ACCESS_TOKEN": string(token.Access), "VENUEKEY_TOKEN_TYPE": token.TypeOrBearer(), "VENUEKEY_ID": f.id.String(),
			"VENUEKEY_EXPIRES": exactly(token.Expires), "VENUEKEY_EXPIRES_UNIX": strconv.FormatInt(token.Expires.Unix(), 10),
		}
		for _, name := range slices.Sorted(maps.Keys(given)) {
			fmt.Fprintf(&out, "%s=%s\n", name, envQuoted(given[name]))
		}
	case "json":
		encoder := json.NewEncoder(&out)
		encoder.SetEscapeHTML(false)
		encoder.SetIndent("", "  ")
		if err := encoder.Encode(tokenForm(f.id, token, state)); err != nil {
			return nil, err
		}
	default:
		fmt.Fprintln(&out, string(token.Access))
	}
	return out.Bytes(), nil
}

// envQuoted is a value that a shell and systemd's EnvironmentFile read as it is.
func envQuoted(value string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_.:/+=@,%~", r)
	}
	if strings.IndexFunc(value, func(r rune) bool { return !plain(r) }) < 0 {
		return value
	}
	return "'" + strings.ReplaceAll(value, "'", `'\''`) + "'"
}

// send signals the process of the pid file.
func (f *tokenFile) send() error {
	text, err := own.Read(f.pidFile, 32, 0o022)
	if err != nil {
		return err
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil || pid <= 1 || pid == os.Getpid() {
		return errors.New(f.pidFile + " holds no number of a program")
	}
	info, err := os.Stat(f.pidFile)
	if err != nil {
		return err
	}
	if began, ok := startOf(pid); ok && began.Sub(info.ModTime()) > 2*time.Second {
		return fmt.Errorf("process %d began after %s was written: it is another program", pid, f.pidFile)
	}
	return f.signal(pid)
}
