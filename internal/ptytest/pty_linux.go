package ptytest

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"
)

// pty_linux.go owns the pseudo-terminals of Linux.

// Open opens a pseudo-terminal: what is written to screen is read from keyboard as if it
// were typed.
func Open(t *testing.T) (screen, keyboard *os.File) {
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

// Resize sets a terminal's width.
func Resize(t *testing.T, screen *os.File, columns int) {
	t.Helper()
	size := [4]uint16{24, uint16(columns)}
	control(t, screen, syscall.TIOCSWINSZ, unsafe.Pointer(&size))
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

// AwaitEcho waits until the terminal's echo is on, or off.
func AwaitEcho(t *testing.T, keyboard *os.File, wanted bool) {
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

// Shown returns what the terminal showed since the last call.
func Shown(t *testing.T, screen *os.File) string {
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
				return true // nothing more to read
			}
			shown.Write(chunk[:n])
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return shown.String()
}
