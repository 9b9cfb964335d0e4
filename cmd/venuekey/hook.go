package main

import (
	"cmp"
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/internal/byname"
)

// hook.go owns calling the hook, the program that reports trouble: one call at a time for
// each sign-in, in order, and a few at once. No call takes longer than its limit, nor does
// what it leaves behind. No renewal waits for it.

const (
	// hookLimit is how long a call may take, with all that it starts.
	hookLimit = 30 * time.Second
	// hooksAtOnce is how many calls run at the same time.
	hooksAtOnce = 4
	// hooksWaiting is the maximum number of calls that wait.
	hooksWaiting = 1000
	// hookWait is how long a call that ended may leave its output open.
	hookWait = time.Second
	// sweepTick is how often sweep checks whether a call left something behind.
	sweepTick = 100 * time.Millisecond
)

// hooks calls a program for events.
type hooks struct {
	p     *program
	path  string        // "" calls nothing
	limit time.Duration // hookLimit

	slots   chan struct{}
	ending  chan struct{} // closed when the run ends
	calling sync.WaitGroup
	behind  sync.WaitGroup // what calls left behind

	mu      sync.Mutex
	queues  map[venuekey.ID][]hookCall
	waiting int
	until   time.Time // no call begins after it
}

// hookCall is a call that waits.
type hookCall struct {
	event venuekey.Event
	// repeat counts how often the same was said before.
	repeat int
}

func (p *program) newHooks(path string) *hooks {
	return &hooks{
		p: p, path: path, limit: hookLimit, slots: make(chan struct{}, hooksAtOnce),
		ending: make(chan struct{}), queues: map[venuekey.ID][]hookCall{},
	}
}

// tell queues a call for an event.
func (h *hooks) tell(event venuekey.Event) { h.tellAgain(event, 0) }

// tellAgain queues a call for an event that was told so often before.
func (h *hooks) tellAgain(event venuekey.Event, repeat int) {
	if h.path == "" {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	id := event.Status.ID
	if h.waiting >= hooksWaiting {
		h.p.tell("%s: the hook is not called for this: %d calls are waiting already", id, h.waiting)
		return
	}
	h.waiting++
	h.queues[id] = append(h.queues[id], hookCall{event, repeat})
	if len(h.queues[id]) == 1 {
		h.calling.Go(func() { h.work(id) })
	}
}

// work makes the queued calls for one sign-in.
func (h *hooks) work(id venuekey.ID) {
	for {
		h.mu.Lock()
		next := h.queues[id][0]
		h.mu.Unlock()
		h.slots <- struct{}{}
		if !h.mayBegin() {
			h.p.tell("%s: the hook is not called for the state %s: the run is ending", id, next.event.Status.State)
		} else if err := h.call(next); err != nil {
			h.p.tell("the hook failed: %v", err)
		}
		<-h.slots
		h.mu.Lock()
		h.waiting--
		h.queues[id] = h.queues[id][1:]
		done := len(h.queues[id]) == 0
		if done {
			delete(h.queues, id)
		}
		h.mu.Unlock()
		if done {
			return
		}
	}
}

func (h *hooks) mayBegin() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.until.IsZero() || time.Now().Before(h.until)
}

// close makes the queued calls, within the limit of one call, and ends what they left
// behind.
func (h *hooks) close() {
	h.mu.Lock()
	h.until = time.Now().Add(h.limit)
	h.mu.Unlock()
	h.calling.Wait()
	close(h.ending)
	h.behind.Wait()
}

// call calls the program once, in a separate process group, so that Ctrl-C does not reach
// it, and what it started can be ended with it.
func (h *hooks) call(c hookCall) error {
	limit := time.Now().Add(h.limit)
	ended := make(chan struct{})
	command := exec.Command(h.path)
	variables := h.p.hookEnv(c.event)
	variables["VENUEKEY_REPEAT"] = strconv.Itoa(c.repeat)
	command.Env = h.p.hookEnviron(variables)
	command.WaitDelay = hookWait
	var words lastWords
	command.Stdout, command.Stderr = &words, &words
	byname.KeepAllFromChildren()
	ownGroup(command)
	if err := command.Start(); err != nil {
		return err
	}
	overdue := time.AfterFunc(h.limit, func() {
		endGroup(command.Process)
		close(ended)
	})
	err := command.Wait()
	if !overdue.Stop() {
		<-ended
		err = fmt.Errorf("it was ended after %s", h.limit)
	}
	h.behind.Go(func() { h.sweep(command, limit) })
	if err != nil && !errors.Is(err, exec.ErrWaitDelay) {
		return fmt.Errorf("%w%s", err, words.last())
	}
	return nil
}

// sweep ends what a call left behind, when its limit is reached or the run ends.
func (h *hooks) sweep(command *exec.Cmd, limit time.Time) {
	for groupLives(command.Process) {
		select {
		case <-time.After(sweepTick):
			if time.Now().Before(limit) {
				continue
			}
		case <-h.ending:
		}
		endGroup(command.Process)
		return
	}
}

// hookEnv returns the variables for the hook: never a token.
func (p *program) hookEnv(e venuekey.Event) map[string]string {
	s := e.Status
	return map[string]string{
		"VENUEKEY_EVENT": string(e.Kind), "VENUEKEY_ID": s.ID.String(), "VENUEKEY_STATE": string(s.State),
		"VENUEKEY_REASON": oneLine(e.Reason), "VENUEKEY_LEFT": strconv.Itoa(int(s.Left.Seconds())),
		"VENUEKEY_ENDS": cmp.Or(exactly(s.SignInEnds), s.Ending.String()), "VENUEKEY_HELP": oneLine(p.remedyOf(e)),
	}
}

// remedyOf returns the command that helps on this machine.
func (p *program) remedyOf(e venuekey.Event) string {
	switch {
	case e.Remedy == "":
		return ""
	case e.Kind == venuekey.EventWarning && e.Status.ID.Name != "":
		return p.loginCommand(e.Status.ID)
	case e.Kind == venuekey.EventTrouble:
		return cmp.Or(p.judge(e.Status).help, e.Remedy)
	}
	return e.Remedy
}

// lastWords keeps the end of what a program writes.
type lastWords struct {
	mu   sync.Mutex
	text []byte
}

const mostWords = 4096

func (w *lastWords) Write(text []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.text = append(w.text, text...)
	if len(w.text) > mostWords {
		w.text = slices.Clone(w.text[len(w.text)-mostWords:])
	}
	return len(text), nil
}

// last returns the last line of a hook's output, for its author.
func (w *lastWords) last() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	lines := strings.Split(strings.TrimSpace(string(w.text)), "\n")
	if last := oneLine(lines[len(lines)-1]); last != "" {
		return fmt.Sprintf(" (%s)", last)
	}
	return ""
}
