package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/internal/own"
)

// named.go owns files that a person names, as arguments or in variables. They may be
// pipes, which shells make of <(…), so that to wait for one must be able to end.

// openNamed opens a file for reading. A pipe without a writer, and a disk that is
// not there, keep it waiting until the context ends; what it opens then is closed
// with this program.
func openNamed(ctx context.Context, path string) (file *os.File, closed func(), err error) {
	type opened struct {
		file *os.File
		err  error
	}
	done := make(chan opened, 1)
	go func() {
		file, err := os.Open(path)
		done <- opened{file, err}
	}()
	select {
	case o := <-done:
		if o.err != nil {
			return nil, nil, o.err
		}
		// A pipe is waited at no longer than that either. Other files have no deadline.
		stop := context.AfterFunc(ctx, func() { _ = o.file.SetReadDeadline(time.Unix(1, 0)) })
		return o.file, func() { stop(); _ = o.file.Close() }, nil // it was read only
	case <-ctx.Done():
		return nil, nil, ctx.Err()
	}
}

// longestNamed is more than any secret or certificate takes.
const longestNamed = 1 << 20

// readNamed reads a file to its end. One that belongs to another user, or that others
// may write to, is refused: whoever writes it chooses what is believed. Pipes, and
// files that have no name any more, were handed over by who could open them.
func readNamed(ctx context.Context, path string) ([]byte, os.FileInfo, error) {
	file, closed, err := openNamed(ctx, path)
	if err != nil {
		return nil, nil, err
	}
	defer closed()
	closeOnExec(path)
	info, err := file.Stat()
	if err == nil && info.Mode().IsRegular() {
		err = own.Given(path, info, 0o022)
	}
	if err != nil {
		return nil, nil, err
	}
	text, err := io.ReadAll(io.LimitReader(file, longestNamed+1))
	if err == nil && len(text) > longestNamed {
		err = errors.New(path + " is too long")
	}
	return text, info, err
}

// closeOnExec sees that a file which was handed over by its number does not go on
// to a program that takes this one's place: what stood in it was for us.
func closeOnExec(path string) {
	for _, folder := range []string{"/dev/fd", "/proc/self/fd"} {
		if number, err := strconv.Atoi(filepath.Base(path)); err == nil && number > 2 && filepath.Dir(path) == folder {
			keepFromChildren(number)
		}
	}
}

// envSecret reads a secret from a variable, or from the file that the variable
// with _FILE after its name leads to.
func (p *program) envSecret(ctx context.Context, name string) (venuekey.Secret, error) {
	if value := p.env(name); value != "" {
		return venuekey.Secret(value), nil
	}
	path := p.env(name + "_FILE")
	if path == "" {
		return "", nil
	}
	content, info, err := readNamed(ctx, path)
	if err != nil {
		return "", wrongFile(name+"_FILE", err)
	}
	p.warnReadable(name+"_FILE", path, info)
	value := strings.TrimRight(string(content), "\r\n")
	if value == "" {
		return "", &venuekey.Error{Class: venuekey.ClassMisconfigured, Reason: name + "_FILE: " + path + " is empty"}
	}
	return venuekey.Secret(value), nil
}

// wrongFile is an error about the file that a variable leads to.
func wrongFile(name string, err error) error {
	told := &venuekey.Error{Class: venuekey.ClassMisconfigured, Reason: name + ": " + err.Error(), Err: err, Remedy: "correct or unset it"}
	if exposed, ok := errors.AsType[*own.Exposed](err); ok {
		told.Reason, told.Remedy = name+": "+exposed.Path+" "+exposed.Reason, exposed.Remedy
	}
	return told
}

// warnReadable warns, once, of a secret that every user of the machine can read. A
// group that can is often a service's own.
func (p *program) warnReadable(name, path string, info os.FileInfo) {
	if !own.ReadableByAll(info) {
		return
	}
	if _, told := p.warned.LoadOrStore(path, true); !told {
		p.tell("warning: %s: every user of this machine can read %s (mode %04o)\n  try: chmod 600 %[2]s", name, path, info.Mode().Perm())
	}
}

// notOurs says of an error of package own what is wrong and what helps.
func notOurs(err error, hint string) error {
	exposed, ok := errors.AsType[*own.Exposed](err)
	if !ok {
		return err
	}
	return &venuekey.Error{Class: venuekey.ClassMisconfigured, Err: err, Reason: exposed.Path + " " + exposed.Reason + hint, Remedy: exposed.Remedy}
}

// ours refuses folders of other users, and those that others may write to, before
// anything in them is read or made: under sudo the variables may name another
// user's.
func (p *program) ours(places folders) error {
	for _, folder := range []string{places.config, places.data, places.state} {
		if err := notOurs(own.Folder(folder), p.namedBy()); err != nil && venuekey.ClassOf(err) == venuekey.ClassMisconfigured {
			return err
		}
	}
	return nil
}

// namedBy says which variable leads to this program's folders.
func (p *program) namedBy() string {
	for _, name := range []string{"VENUEKEY_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "HOME"} {
		if value := p.env(name); value != "" {
			return fmt.Sprintf(" (%s=%s leads there)", name, value)
		}
	}
	return ""
}
