//go:build !windows

package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/internal/needs"
)

// A hook in a folder of its own, and what it says of itself.
type hooked struct {
	*hooks
	folder string
	o      outside
}

func newHooked(t *testing.T, script string) hooked {
	t.Helper()
	folder := t.TempDir()
	path := filepath.Join(folder, "hook.sh")
	if err := os.WriteFile(path, []byte("#!/bin/sh\ncd "+folder+"\n"+script), 0o700); err != nil {
		t.Fatal(err)
	}
	o := newOutside(t)
	o.environ = append(o.environ, "PATH="+os.Getenv("PATH"), "VENUEKEY_CTRADER_CLIENT_SECRET=sentinel")
	return hooked{(&program{host: o.host}).newHooks(path), folder, o}
}

func (h hooked) wrote(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(h.folder, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// lifeline is a pipe that a hook opens for writing: it ends when everything that
// the hook started has ended.
type lifeline struct{ read, write *os.File }

func (h hooked) lifeline(t *testing.T) lifeline {
	t.Helper()
	path := filepath.Join(h.folder, "lifeline")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	// Opened both ways, or each side waits for the other.
	write, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { write.Close() })
	read, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { read.Close() })
	return lifeline{read, write}
}

// begun waits until so many hooks have begun.
func (l lifeline) begun(t *testing.T, hooks int) {
	t.Helper()
	if _, err := io.ReadFull(l.read, make([]byte, hooks*len("begun\n"))); err != nil {
		t.Fatal(err)
	}
	l.write.Close()
}

// ended sees that nothing is left of the hooks.
func (l lifeline) ended(t *testing.T) {
	t.Helper()
	if err := l.read.SetReadDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, l.read); err != nil {
		t.Errorf("something of the hook still runs: %v", err)
	}
}

func trouble(name string) venuekey.Event {
	return venuekey.Event{Kind: venuekey.EventTrouble, Reason: "revoked\nby somebody", Remedy: "venuekey login ctrader/" + name,
		Status: venuekey.Status{ID: venuekey.ID{Venue: "ctrader", Name: name}, State: venuekey.StateNeedsSignIn, Ending: venuekey.EndNever}}
}

func TestAHookIsToldAndKeepsNoSecret(t *testing.T) {
	h := newHooked(t, "env >environment\n")
	h.tellAgain(trouble("alice"), 3)
	h.close()
	environment := h.wrote(t, "environment")
	for _, want := range []string{"VENUEKEY_EVENT=trouble", "VENUEKEY_ID=ctrader/alice", "VENUEKEY_STATE=needs sign-in",
		"VENUEKEY_REASON=revoked by somebody", "VENUEKEY_LEFT=0", "VENUEKEY_ENDS=never", "VENUEKEY_REPEAT=3", "VENUEKEY_HELP=venuekey login ctrader/alice"} {
		if !strings.Contains(environment, want+"\n") && !strings.Contains(environment, want+" --paste\n") {
			t.Errorf("no %s in\n%s", want, environment)
		}
	}
	if strings.Contains(environment, "sentinel") {
		t.Error("the hook was given a secret")
	}
}

// A hook that takes too long is ended, and so is what it waits for.
func TestAHookThatTakesTooLongIsEnded(t *testing.T) {
	needs.Time(t, "a hook is given up in real time")
	h := newHooked(t, "exec 3>lifeline\necho begun >&3\nsleep 1000\n")
	h.limit = time.Second
	line := h.lifeline(t)
	h.tell(trouble("alice"))
	line.begun(t, 1)
	line.ended(t) // before the run does
	h.close()
	if said := h.o.err.String(); !strings.Contains(said, "the hook failed: it was ended after 1s") {
		t.Errorf("said %q", said)
	}
}

// What a hook leaves behind, although it holds the output open, holds up neither
// the next call nor the end of the run, and it is ended.
func TestWhatAHookLeavesBehindIsEnded(t *testing.T) {
	needs.Time(t, "a hook is given up in real time")
	for name, limit := range map[string]time.Duration{"at its limit": 3 * time.Second, "with the run": time.Hour} {
		t.Run(name, func(t *testing.T) {
			h := newHooked(t, "exec 3>lifeline\necho begun >&3\nsleep 1000 &\necho $VENUEKEY_ID >>told\n")
			h.limit = limit
			line := h.lifeline(t)
			h.tell(trouble("alice"))
			h.tell(trouble("alice"))
			line.begun(t, 2)
			if limit < time.Hour {
				line.ended(t) // before the run does
			}
			h.close()
			line.ended(t)
			if told := h.wrote(t, "told"); told != "ctrader/alice\nctrader/alice\n" {
				t.Errorf("told %q", told)
			}
			if said := h.o.err.String(); said != "" {
				t.Errorf("said %q", said)
			}
		})
	}
}

func TestCallsOfOneSignInComeInOrder(t *testing.T) {
	h := newHooked(t, "echo \"begin $VENUEKEY_REASON\" >>$(basename $VENUEKEY_ID)\necho \"end $VENUEKEY_REASON\" >>$(basename $VENUEKEY_ID)\n")
	want := ""
	for i := range 4 {
		for _, name := range []string{"alice", "bob"} {
			event := trouble(name)
			event.Reason = fmt.Sprint(i)
			h.tell(event)
		}
		want += fmt.Sprintf("begin %d\nend %d\n", i, i)
	}
	h.close()
	for _, name := range []string{"alice", "bob"} {
		if got := h.wrote(t, name); got != want {
			t.Errorf("%s:\n%s", name, got)
		}
	}
}

func TestAHookThatIsFarBehindIsSpokenOf(t *testing.T) {
	h := newHooked(t, "")
	for range hooksAtOnce {
		h.slots <- struct{}{} // others are being called
	}
	for range hooksWaiting + 1 {
		h.tell(trouble("alice"))
	}
	h.mu.Lock()
	h.until = time.Now() // none of them has to be called now
	h.mu.Unlock()
	for range hooksAtOnce {
		<-h.slots
	}
	h.calling.Wait()
	said := h.o.err.String()
	if n := strings.Count(said, "calls are waiting already"); n != 1 {
		t.Errorf("%d events were left out aloud", n)
	}
	if n := strings.Count(said, "the run is ending"); n != hooksWaiting {
		t.Errorf("%d calls were dropped aloud", n)
	}
}
