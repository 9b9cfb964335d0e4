package notify

import (
	"context"
	"errors"
	"log/slog"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/internal/byname"
	"github.com/venuekey/venuekey/internal/foreign"
)

// desktop.go owns notices on the desktop of the person at this machine. What a notice says is
// an argument of a program, after "--", and never part of a script.

const (
	// desktopLimit is how long the program may take.
	desktopLimit = 10 * time.Second
	// mostDesktop is how many notices may wait for it.
	mostDesktop = 50
)

// ErrNoDesktop matches, by errors.Is, what FindDesktop says on a system where venuekey knows
// no notices.
var ErrNoDesktop = errors.New("there are no desktop notices on this system")

// Desktop shows notices by notify-send, or by osascript on macOS.
type Desktop struct {
	// Environ is the environment of the program; nil is an empty one. On Linux it finds the
	// desktop by DBUS_SESSION_BUS_ADDRESS.
	Environ []string
	// Log hears if a notice cannot be shown; nil is slog.Default.
	Log *slog.Logger

	program string
	args    func(n Notice) []string

	mu      sync.Mutex
	queue   []Notice
	running sync.WaitGroup
}

// FindDesktop finds the program that shows notices on this system.
func FindDesktop() (*Desktop, error) { return findDesktop(runtime.GOOS) }

func findDesktop(goos string) (*Desktop, error) {
	d := &Desktop{program: "notify-send", args: notifySend}
	missing := "install notify-send (libnotify-bin on Debian), or leave out --desktop"
	switch goos {
	case "windows", "js", "wasip1", "plan9", "ios", "android":
		return nil, ErrNoDesktop
	case "darwin":
		d.program, d.args, missing = "/usr/bin/osascript", osascript, "leave out --desktop"
	}
	path, err := exec.LookPath(d.program)
	if err != nil {
		return nil, &venuekey.Error{Op: "desktop", Class: venuekey.ClassMisconfigured, Reason: foreign.Fit(d.program + " is not on this machine"), Remedy: missing, Err: err}
	}
	d.program = path
	return d, nil
}

// notifySend are the arguments of notify-send(1). Its text is markup to some desktops, and
// has escapes.
func notifySend(n Notice) []string {
	urgency := "--urgency=critical"
	if n.Event == venuekey.EventRecovered || n.Event == EventTest {
		urgency = "--urgency=normal"
	}
	return []string{"--app-name=venuekey", urgency, "--", unmarked.Replace(plainly(n.Title())), unmarked.Replace(plainly(n.Text()))}
}

// unmarked puts a look-alike in the place of what a desktop could read as markup.
var unmarked = strings.NewReplacer("<", "＜", ">", "＞", "&", "＆", `\`, "＼")

// osascript are the arguments of osascript(1). The script takes the last two, whether or not
// it is shown the "--" before them.
func osascript(n Notice) []string {
	return []string{"-e", "on run argv", "-e", "display notification (item -1 of argv) with title (item -2 of argv)", "-e", "end run", "--", plainly(n.Title()), plainly(n.Text())}
}

// Show shows a notice and waits until that is done.
func (d *Desktop) Show(ctx context.Context, n Notice) error {
	ctx, cancel := context.WithTimeout(ctx, desktopLimit)
	defer cancel()
	var said said
	command := exec.CommandContext(ctx, d.program, d.args(n)...)
	command.Env = append([]string{}, d.Environ...)
	command.Stdout, command.Stderr = &said, &said
	command.WaitDelay = time.Second
	byname.KeepAllFromChildren()
	err := command.Run()
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		err = errors.New("it did not end in time")
	case len(said) > 0:
		err = errors.New(foreign.Line(string(said)))
	}
	return &venuekey.Error{Op: "desktop", Class: venuekey.ClassFailed, Reason: foreign.Fit(d.program + ": " + err.Error())}
}

// plainly makes each line of a text safe to show.
func plainly(text string) string {
	var lines []string
	for line := range strings.SplitSeq(text, "\n") {
		lines = append(lines, foreign.Fit(line))
	}
	return strings.Join(lines, "\n")
}

// said keeps the beginning of what a program writes.
type said []byte

const mostSaid = 1 << 10

func (s *said) Write(text []byte) (int, error) {
	*s = append(*s, text[:min(len(text), mostSaid-len(*s))]...)
	return len(text), nil
}

// Tell shows a notice soon.
func (d *Desktop) Tell(n Notice) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.queue) >= mostDesktop {
		d.log().Warn("a notice is not shown on the desktop: too many are waiting", "id", n.ID)
		return
	}
	if d.queue = append(d.queue, n); len(d.queue) == 1 {
		d.running.Go(d.work)
	}
}

// work shows what waits, one notice after the other.
func (d *Desktop) work() {
	for {
		d.mu.Lock()
		n := d.queue[0]
		d.mu.Unlock()
		if err := d.Show(context.Background(), n); err != nil {
			d.log().Warn("a notice cannot be shown on the desktop", "id", n.ID, "error", err)
		}
		d.mu.Lock()
		d.queue = d.queue[1:]
		done := len(d.queue) == 0
		d.mu.Unlock()
		if done {
			return
		}
	}
}

// Close waits for the notice that is being shown, and shows no other.
func (d *Desktop) Close() {
	d.mu.Lock()
	d.queue = d.queue[:min(1, len(d.queue))]
	d.mu.Unlock()
	d.running.Wait()
}

func (d *Desktop) log() *slog.Logger {
	if d.Log == nil {
		return slog.Default()
	}
	return d.Log
}
