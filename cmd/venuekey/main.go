// Command venuekey signs you in to trading venues once, and keeps every program that you
// run signed in. Run "venuekey help" for its commands.
package main

import (
	"context"
	"os"
	"os/signal"
	"sync"
	"syscall"

	"github.com/venuekey/venuekey/terminal"
)

// main.go owns the process: its arguments, streams, environment and signals. It is the only
// place that exits.

func main() { os.Exit(here(host{})) }

// here runs the command in this process. It fills in what h does not have.
func here(h host) int {
	ctx, cancel := context.WithCancel(context.Background())
	keepMemoryPrivate()
	h.args, h.environ = os.Args[1:], os.Environ()
	h.stdin, h.stdout, h.stderr = os.Stdin, os.Stdout, os.Stderr
	h.browse = func(address string) error { return openBrowser(address, browserEnviron(h.environ)) }
	h.become, h.grip = become, new(grip)
	die := func() { os.Exit((&program{host: h}).finish(ctx, context.Canceled)) }
	h.orderly = sync.OnceFunc(func() { endOrderly(cancel, h.grip, die) })
	return run(ctx, h)
}

// endOrderly makes the first signal ask for an orderly end. After that, signals have their
// usual effect, so that a second one kills. If nothing is held, the first one ends the run
// even if it hangs.
func endOrderly(end func(), holds *grip, die func()) {
	ends := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) { // as it is under nohup
		ends = append(ends, syscall.SIGHUP)
	}
	arrived := make(chan os.Signal, 1)
	signal.Notify(arrived, ends...)
	go func() {
		<-arrived
		signal.Stop(arrived)
		end()
		holds.end(die)
	}()
}

// run does what the arguments ask for and returns the exit code.
func run(ctx context.Context, h host) int {
	if h.orderly == nil {
		h.orderly = func() {}
	}
	p := &program{host: h}
	p.ui = &terminal.UI{In: h.stdin, Out: h.stderr}
	root := p.root()
	return p.finish(ctx, root.ExecuteContext(ctx))
}
