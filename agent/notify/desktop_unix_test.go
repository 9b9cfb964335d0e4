//go:build unix

package notify

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/venuekey/venuekey"
)

// aDesktop is a machine whose notify-send is a script.
func aDesktop(t *testing.T, script string) (d *Desktop, folder string) {
	t.Helper()
	folder = t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "notify-send"), []byte("#!/bin/sh\ncd "+folder+"\n"+script), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", folder+":"+os.Getenv("PATH"))
	d, err := findDesktop("linux")
	if err != nil {
		t.Fatal(err)
	}
	d.Environ = []string{"PATH=" + os.Getenv("PATH"), "DISPLAY=:7"}
	return d, folder
}

// Nothing in a notice is read as an option, as markup or as an escape, and the program gets the
// environment that it was given and no other.
func TestAttackANoticeThatTheDesktopObeys(t *testing.T) {
	t.Setenv("VENUEKEY_PASSPHRASE", "S3CRET")
	d, folder := aDesktop(t, `for a in "$@"; do printf '%s\0' "$a"; done >args; env >environment`)
	e := trouble(alice, `--help <a href="http://evil.example">x</a> &lt;b&gt; $(touch x) \x41\n'"; do shell script "touch y" --`+"\x1b[31m")
	e.Status.State = "-e <b>"
	if err := d.Show(t.Context(), Of(e, "venuekey login ctrader/alice")); err != nil {
		t.Fatal(err)
	}
	text, _ := os.ReadFile(filepath.Join(folder, "args"))
	args := strings.Split(strings.TrimSuffix(string(text), "\x00"), "\x00")
	if len(args) != 5 || args[1] != "--urgency=critical" || args[2] != "--" || !strings.HasPrefix(args[3], "venuekey: ctrader/alice: ") || strings.ContainsAny(args[3]+args[4], "<>&\\\x1b") || !strings.Contains(args[4], "$(touch x)") || !strings.HasSuffix(args[4], "\ntry: venuekey login ctrader/alice") {
		t.Errorf("%q", args)
	}
	environment, _ := os.ReadFile(filepath.Join(folder, "environment"))
	if strings.Contains(string(environment), "S3CRET") || !strings.Contains(string(environment), "DISPLAY=:7") {
		t.Errorf("%s", environment)
	}
	// osascript: the script is always the same, and what is shown comes after it.
	script := osascript(noticeOf(alice, `" & (do shell script "touch x") & "`))
	if len(script) != 9 || !slices.Equal(script[:7], osascript(Notice{})[:7]) || script[6] != "--" || !strings.HasPrefix(script[7], "venuekey: ") || strings.Contains(strings.Join(script[:7], ""), "touch") {
		t.Errorf("%q", script)
	}
}

// A desktop that does not answer, or is not there, holds up nobody and is spoken of.
func TestADesktopThatDoesNotAnswer(t *testing.T) {
	d, folder := aDesktop(t, "echo \"cannot open display\x1b[2J: $PASSWORD\" >&2\necho x >>called\nexit 1\n")
	said := &logged{}
	d.Log = slog.New(slog.NewTextHandler(said, nil))
	for i := range 3 {
		d.Tell(noticeOf(venuekey.ID{Venue: "ctrader", Name: fmt.Sprint("bot", i)}, "revoked"))
	}
	d.running.Wait()
	d.Close()
	if called, _ := os.ReadFile(filepath.Join(folder, "called")); string(called) != "x\nx\nx\n" {
		t.Errorf("%q", called)
	}
	if text := said.String(); strings.Count(text, "cannot open display") != 3 || strings.Contains(text, `\x1b`) {
		t.Error(text)
	}
	d, _ = aDesktop(t, "exec sleep 1000\n")
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := d.Show(ctx, noticeOf(alice, "revoked")); err == nil || !strings.Contains(err.Error(), "did not end in time") {
		t.Error(err)
	}
}

func TestASystemWithoutADesktop(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	if _, err := findDesktop("windows"); !errors.Is(err, ErrNoDesktop) {
		t.Error(err)
	}
	if _, err := findDesktop("linux"); venuekey.ClassOf(err) != venuekey.ClassMisconfigured || !strings.Contains(fmt.Sprint(err), "notify-send is not on this machine") {
		t.Error(err)
	}
}

// What cannot be shown in time is not shown, and the end does not wait for all of it.
func TestTooManyNoticesForADesktop(t *testing.T) {
	d, folder := aDesktop(t, "echo begun >>called\nread line <gate\n")
	gate := filepath.Join(folder, "gate")
	if err := mkfifo(gate); err != nil {
		t.Fatal(err)
	}
	said := &logged{}
	d.Log = slog.New(slog.NewTextHandler(said, nil))
	for range mostDesktop + 1 {
		d.Tell(noticeOf(alice, "revoked"))
	}
	if n := strings.Count(said.String(), "too many are waiting"); n != 1 {
		t.Errorf("%d were left out aloud", n)
	}
	opened, err := os.OpenFile(gate, os.O_WRONLY, 0) // when the first is being shown
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { defer close(ended); d.Close() }()
	for {
		d.mu.Lock()
		left := len(d.queue)
		d.mu.Unlock()
		if left <= 1 {
			break
		}
	}
	_ = opened.Close()
	<-ended
	if called, _ := os.ReadFile(filepath.Join(folder, "called")); string(called) != "begun\n" {
		t.Errorf("%q", called)
	}
}

func mkfifo(path string) error { return syscall.Mkfifo(path, 0o600) }
