package main

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"
)

// prompt_linux_test.go owns what happens at a terminal. The terminal is a real
// one, without a screen.

func TestASecretIsNotShownWhileItIsTyped(t *testing.T) {
	screen, keyboard := openTerminal(t)
	o := newOutside(t, "app", "add", "ttp")
	o.stdin = keyboard
	ended := make(chan int)
	go func() { ended <- run(t.Context(), o.host) }()
	o.err.awaits(t, "client id: ")
	fmt.Fprintln(screen, "typed-id")
	o.err.awaits(t, "client secret: ")
	awaitEcho(t, keyboard, false)
	fmt.Fprintln(screen, "typed-secret")
	if code := <-ended; code != exitGood {
		t.Fatalf("it ended with %d:\n%s", code, o.err)
	}
	if shown := shownOn(t, screen); !strings.Contains(shown, "typed-id") || strings.Contains(shown, "typed-secret") {
		t.Errorf("the terminal showed %q", shown)
	}
	awaitEcho(t, keyboard, true)
}

func TestCtrlCAtAPromptLeavesAWorkingTerminal(t *testing.T) {
	_, keyboard := openTerminal(t)
	o := newOutside(t, "app", "add", "ttp", "--client-id", "x")
	o.stdin = keyboard
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan int)
	go func() { ended <- run(ctx, o.host) }()
	o.err.awaits(t, "client secret: ")
	awaitEcho(t, keyboard, false)
	cancel()
	if code := <-ended; code != exitInterrupted {
		t.Errorf("it ended with %d:\n%s", code, o.err)
	}
	awaitEcho(t, keyboard, true)
}

// The command token listens for signals late; at a prompt it must.
func TestAPromptIsNoPlaceToBeKilledAt(t *testing.T) {
	screen, keyboard := openTerminal(t)
	o := newOutside(t, "init", "--key", "passphrase")
	o.stdin = keyboard
	ended := make(chan int)
	go func() { ended <- run(t.Context(), o.host) }()
	for _, question := range []string{"passphrase", "the same once more: "} {
		o.err.awaits(t, question)
		awaitEcho(t, keyboard, false)
		fmt.Fprintln(screen, "correct horse")
	}
	if code := <-ended; code != exitGood {
		t.Fatalf("init ended with %d:\n%s", code, o.err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	listening := false
	o.args, o.orderly = []string{"token", "ttp/alice"}, func() { listening = true }
	go func() { ended <- run(ctx, o.host) }()
	awaitEcho(t, keyboard, false)
	cancel()
	if code := <-ended; code != exitInterrupted || !listening {
		t.Errorf("it ended with %d, listening for signals: %v\n%s", code, listening, o.err)
	}
	awaitEcho(t, keyboard, true)
}

func TestANewPassphraseIsAskedForTwice(t *testing.T) {
	for second, want := range map[string]int{"correct horse": exitGood, "correct house": exitUsage} {
		screen, keyboard := openTerminal(t)
		o := newOutside(t, "init", "--key", "passphrase")
		o.stdin = keyboard
		ended := make(chan int)
		go func() { ended <- run(t.Context(), o.host) }()
		o.err.awaits(t, "passphrase for the new vault: ")
		awaitEcho(t, keyboard, false)
		fmt.Fprintln(screen, "correct horse")
		o.err.awaits(t, "the same once more: ")
		awaitEcho(t, keyboard, false)
		fmt.Fprintln(screen, second)
		if code := <-ended; code != want {
			t.Errorf("it ended with %d:\n%s", code, o.err)
		}
	}
}

// openTerminal opens a pseudo-terminal: what the screen is written is what
// somebody types.
func openTerminal(t *testing.T) (screen, keyboard *os.File) {
	t.Helper()
	screen, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY|syscall.O_NONBLOCK, 0)
	if err != nil {
		t.Skip("there are no pseudo-terminals here: ", err)
	}
	t.Cleanup(func() { screen.Close() })
	var number, locked int32
	control(t, screen, syscall.TIOCSPTLCK, unsafe.Pointer(&locked))
	control(t, screen, syscall.TIOCGPTN, unsafe.Pointer(&number))
	keyboard, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { keyboard.Close() })
	return screen, keyboard
}

func control(t *testing.T, file *os.File, request uintptr, argument unsafe.Pointer) {
	t.Helper()
	raw, err := file.SyscallConn()
	if err == nil {
		err = raw.Control(func(fd uintptr) {
			if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, fd, request, uintptr(argument)); errno != 0 {
				err = errno
			}
		})
	}
	if err != nil {
		t.Fatal(err)
	}
}

// awaitEcho waits until the terminal shows what is typed, or does not.
func awaitEcho(t *testing.T, keyboard *os.File, wanted bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); runtime.Gosched() {
		var settings syscall.Termios
		control(t, keyboard, syscall.TCGETS, unsafe.Pointer(&settings))
		if (settings.Lflag&syscall.ECHO != 0) == wanted {
			return
		}
	}
	t.Fatalf("echo does not become %v", wanted)
}

// shownOn is what the terminal showed so far.
func shownOn(t *testing.T, screen *os.File) string {
	t.Helper()
	raw, err := screen.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var shown strings.Builder
	err = raw.Read(func(fd uintptr) bool {
		chunk := make([]byte, 4096)
		for {
			n, err := syscall.Read(int(fd), chunk)
			if n <= 0 || err != nil {
				return true // nothing more is there
			}
			shown.Write(chunk[:n])
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return shown.String()
}
