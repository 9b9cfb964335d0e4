package terminal

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/internal/ptytest"
)

// A question that is given up leaves no read behind: what is typed next is for
// whoever reads next. That nothing runs on is seen by TestMain.
func TestAReadFromATerminalEndsWithItsContext(t *testing.T) {
	screen, keyboard := ptytest.Open(t)
	ui := &UI{In: keyboard, Out: &paper{}}
	ctx, leave := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { _, err := ui.Paste(ctx); ended <- err }()
	leave()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	fmt.Fprintln(screen, "for somebody else")
	line, err := bufio.NewReader(keyboard).ReadString('\n')
	if err != nil || line != "for somebody else\n" {
		t.Errorf("%q, %v", line, err)
	}
}

func TestATerminalTakesAPasteWithoutBeingToldTo(t *testing.T) {
	screen, keyboard := ptytest.Open(t)
	out := &paper{}
	ui := &UI{In: keyboard, Out: out}
	if err := ui.Visit(t.Context(), visit); err != nil || !strings.Contains(out.String(), "paste here") {
		t.Error(err, out)
	}
	fmt.Fprintln(screen, "http://localhost:8080/auth/callback?code=x")
	if got, err := ui.Paste(t.Context()); err != nil || got != "http://localhost:8080/auth/callback?code=x" {
		t.Errorf("%q, %v", got, err)
	}
}

func TestASecretIsNotShown(t *testing.T) {
	screen, keyboard := ptytest.Open(t)
	ui := &UI{In: keyboard, Out: &paper{}}
	type answer struct {
		given map[string]venuekey.Secret
		err   error
	}
	fields := []venuekey.Field{{Name: "password", Secret: true}}
	answered := make(chan answer)
	go func() { given, err := ui.Ask(t.Context(), fields); answered <- answer{given, err} }()
	ptytest.AwaitEcho(t, keyboard, false)
	fmt.Fprintln(screen, "wonderland")
	if got := <-answered; got.err != nil || got.given["password"] != "wonderland" {
		t.Error(got)
	}
	ptytest.AwaitEcho(t, keyboard, true)
	if shown := ptytest.Shown(t, screen); strings.Contains(shown, "wonderland") {
		t.Errorf("the terminal showed %q", shown)
	}
	// The end of the context gives the terminal back.
	ctx, leave := context.WithTimeout(t.Context(), time.Hour)
	go func() { given, err := ui.Ask(ctx, fields); answered <- answer{given, err} }()
	ptytest.AwaitEcho(t, keyboard, false)
	leave()
	if got := <-answered; !errors.Is(got.err, context.Canceled) {
		t.Error(got)
	}
	ptytest.AwaitEcho(t, keyboard, true)
}

func TestTheWidthOfATerminal(t *testing.T) {
	screen, keyboard := ptytest.Open(t)
	ptytest.Resize(t, screen, 60)
	if got := Width(keyboard); got != 60 {
		t.Error(got)
	}
	if got := Width(&paper{}); got != 0 {
		t.Error(got)
	}
}

// A question is answered by typing yes, and by nothing else.
func TestAQuestionIsAnsweredAtATerminal(t *testing.T) {
	for typed, want := range map[string]bool{"y": true, " Yes": true, "": false, "n": false, "yesterday": false} {
		screen, keyboard := ptytest.Open(t)
		out := &paper{}
		ui := &UI{In: keyboard, Out: out}
		fmt.Fprintln(screen, typed)
		got, err := ui.Confirm(t.Context(), "Go on?")
		if err != nil || got != want || out.String() != "Go on? [y/N] " {
			t.Errorf("%q: %t %v %q", typed, got, err, out)
		}
	}
	ui := &UI{In: strings.NewReader("yes\n"), Out: &paper{}}
	if yes, err := ui.Confirm(t.Context(), "Go on?"); yes || err != nil {
		t.Error("what is no terminal has answered", err)
	}
}
