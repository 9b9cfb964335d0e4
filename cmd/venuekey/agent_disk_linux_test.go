package main

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/venuekey/venuekey/internal/needs"
)

// agent_disk_linux_test.go plays a disk that is full under an agent: under its vault, its audit log and its
// socket.

const diskVariable = "VENUEKEY_TEST_AGENT_DISK"

// A disk fills up under a running agent. What cannot be written down is not handed out, unless the agent
// was told to; no refresh token is presented that could not be saved; and when there is room, all goes on.
// The test runs once more in a process that sees a disk of its own.
func TestAttackADiskThatFillsUpUnderAnAgent(t *testing.T) {
	if os.Getenv(diskVariable) != "" {
		fillsUpUnderAnAgent(t)
		return
	}
	child := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
	child.Env = append(os.Environ(), diskVariable+"=1")
	child.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS}
	output, err := child.CombinedOutput()
	if errors.Is(err, syscall.EPERM) {
		needs.Skip(t, "disks", "a disk of its own cannot be had by this user")
	}
	if err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
}

func fillsUpUnderAnAgent(t *testing.T) {
	w := newWorld(t)
	home := filepath.Join(w.dir, "home")
	err := errors.Join(os.Mkdir(home, 0o700), syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""),
		syscall.Mount("tmpfs", home, "tmpfs", 0, "size=4m,mode=700"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(home, syscall.MNT_DETACH) })
	w.set("TMPDIR", home)
	w.signIn(t)
	agent := func(args ...string) *process {
		p := begins(t, command(t, w.env, append([]string{"agent"}, args...)...))
		p.says("serving at ")
		return p
	}
	ends := func(p *process) {
		_ = p.Process.Signal(syscall.SIGTERM)
		_, _ = p.ends()
	}
	w.set("VENUEKEY_AGENT", "require")
	p := agent()
	before := w.does(t, 0, "token", "ctrader/alice")
	filler := filepath.Join(home, "filler")
	fill := func() {
		if err := os.WriteFile(filler, bytes.Repeat([]byte("x"), 8<<20), 0o600); !errors.Is(err, syscall.ENOSPC) {
			t.Fatalf("the disk is not full: %v", err)
		}
	}
	fill()
	said := w.refusesSoon(t, "token", "ctrader/alice")
	if !strings.Contains(said, "nothing is handed out, because it cannot be written down") || !strings.Contains(said, "try: make room on the disk") {
		t.Error(said)
	}
	w.does(t, 0, "status") // which hands out nothing
	if c := command(t, w.env, "refresh", "ctrader/alice"); c.Run() == nil {
		t.Error("it was renewed, and nobody wrote that down")
	}
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	w.does(t, 0, "refresh", "ctrader/alice")
	after := w.does(t, 0, "token", "ctrader/alice")
	if after == before || w.get("VENUEKEY_HOME") != home {
		t.Error("it was not renewed")
	}
	ends(p)
	if said := w.does(t, 0, "audit", "verify"); !strings.Contains(said, "whole") {
		t.Error(said)
	}

	// On a full disk an agent that must write everything down says why it does not begin, or begins and
	// hands out nothing; one that need not does its work.
	p = agent("--audit=best-effort")
	fill()
	for range 100 {
		w.does(t, 0, "token", "ttp/alice")
	}
	ends(p)
	p = begins(t, command(t, w.env, "agent"))
	p.says(" ") // whichever it is
	w.refusesSoon(t, "token", "ctrader/alice")
	ends(p)

	// Nor can a socket be made where there is room for no file more.
	tiny := filepath.Join(w.dir, "tiny")
	if err := errors.Join(os.Mkdir(tiny, 0o700), syscall.Mount("tmpfs", tiny, "tmpfs", 0, "nr_inodes=2,mode=700")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(tiny, syscall.MNT_DETACH) })
	if said := w.does(t, exitMisconfigured, "agent", "--socket", filepath.Join(tiny, "agent.sock")); !strings.Contains(said, "no space left on device") {
		t.Error(said)
	}
}

// refusesSoon runs a command until it fails: the last block of a file has room for some lines.
func (w *world) refusesSoon(t *testing.T, args ...string) string {
	t.Helper()
	for range 200 {
		if out, err := command(t, w.env, args...).CombinedOutput(); err != nil {
			return string(out)
		}
	}
	t.Fatal("it never fails")
	return ""
}
