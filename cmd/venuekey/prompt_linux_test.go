package main

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/venuekey/venuekey/internal/ptytest"
)

// prompt_linux_test.go owns what happens at a terminal. The terminal is a real
// one, without a screen.

func TestASecretIsNotShownWhileItIsTyped(t *testing.T) {
	screen, keyboard := ptytest.Open(t)
	o := newOutside(t, "app", "add", "ttp")
	o.stdin = keyboard
	ended := make(chan int)
	go func() { ended <- run(t.Context(), o.host) }()
	o.err.awaits(t, "client id: ")
	fmt.Fprintln(screen, "typed-id")
	o.err.awaits(t, "client secret: ")
	ptytest.AwaitEcho(t, keyboard, false)
	fmt.Fprintln(screen, "typed-secret")
	if code := <-ended; code != exitGood {
		t.Fatalf("it ended with %d:\n%s", code, o.err)
	}
	if shown := ptytest.Shown(t, screen); !strings.Contains(shown, "typed-id") || strings.Contains(shown, "typed-secret") {
		t.Errorf("the terminal showed %q", shown)
	}
	ptytest.AwaitEcho(t, keyboard, true)
}

func TestCtrlCAtAPromptLeavesAWorkingTerminal(t *testing.T) {
	_, keyboard := ptytest.Open(t)
	o := newOutside(t, "app", "add", "ttp", "--client-id", "x")
	o.stdin = keyboard
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan int)
	go func() { ended <- run(ctx, o.host) }()
	o.err.awaits(t, "client secret: ")
	ptytest.AwaitEcho(t, keyboard, false)
	cancel()
	if code := <-ended; code != exitInterrupted {
		t.Errorf("it ended with %d:\n%s", code, o.err)
	}
	ptytest.AwaitEcho(t, keyboard, true)
}

func TestStatusOnANarrowTerminal(t *testing.T) {
	screen, keyboard := ptytest.Open(t)
	ptytest.Resize(t, screen, 60)
	w := newWorld(t)
	w.signIn(t)
	for args, want := range map[string][]string{
		"status":               {"3 sign-ins (3 fresh) at ", "ctrader/alice", "tradovate/bot"},
		"status ctrader/alice": {time.Now().Format(" MST)"), "next renewal"},
	} {
		o := newOutside(t, strings.Fields(args)...)
		o.environ, o.stdout = append(w.env, "NO_COLOR=1"), keyboard
		if code := run(t.Context(), o.host); code != exitGood {
			t.Fatalf("it ended with %d:\n%s", code, o.err)
		}
		shown := ptytest.Shown(t, screen)
		for _, words := range want {
			if !strings.Contains(shown, words) {
				t.Errorf("%s: %q is not in\n%s", args, words, shown)
			}
		}
		for line := range strings.Lines(shown) {
			if len([]rune(strings.TrimSpace(line))) > 60 && !strings.Contains(line, " at /") { // a path is as long as it is
				t.Errorf("%s: too wide: %q", args, line)
			}
		}
	}
}

// The command token listens for signals late; at a prompt it must.
func TestAPromptIsNoPlaceToBeKilledAt(t *testing.T) {
	screen, keyboard := ptytest.Open(t)
	o := newOutside(t, "init", "--key", "passphrase")
	o.stdin = keyboard
	ended := make(chan int)
	go func() { ended <- run(t.Context(), o.host) }()
	for _, question := range []string{"passphrase", "repeat the passphrase: "} {
		o.err.awaits(t, question)
		ptytest.AwaitEcho(t, keyboard, false)
		fmt.Fprintln(screen, "correct horse")
	}
	if code := <-ended; code != exitGood {
		t.Fatalf("init ended with %d:\n%s", code, o.err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	listening := false
	o.args, o.orderly = []string{"token", "ttp/alice"}, func() { listening = true }
	go func() { ended <- run(ctx, o.host) }()
	ptytest.AwaitEcho(t, keyboard, false)
	cancel()
	if code := <-ended; code != exitInterrupted || !listening {
		t.Errorf("it ended with %d, listening for signals: %v\n%s", code, listening, o.err)
	}
	ptytest.AwaitEcho(t, keyboard, true)
}

func TestANewPassphraseIsAskedForTwice(t *testing.T) {
	for second, want := range map[string]int{"correct horse": exitGood, "correct house": exitUsage} {
		screen, keyboard := ptytest.Open(t)
		o := newOutside(t, "init", "--key", "passphrase")
		o.stdin = keyboard
		ended := make(chan int)
		go func() { ended <- run(t.Context(), o.host) }()
		o.err.awaits(t, "passphrase for the new vault: ")
		ptytest.AwaitEcho(t, keyboard, false)
		fmt.Fprintln(screen, "correct horse")
		o.err.awaits(t, "repeat the passphrase: ")
		ptytest.AwaitEcho(t, keyboard, false)
		fmt.Fprintln(screen, second)
		if code := <-ended; code != want {
			t.Errorf("it ended with %d:\n%s", code, o.err)
		}
	}
}
