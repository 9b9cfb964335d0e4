// Command venuekey signs in to trading venues once and keeps every program that
// you run signed in. It is the only place where the packages of this module
// meet, and the only one that exits.
package main

import (
	"context"
	"os"
	"os/signal"
	"sync"
	"syscall"

	"github.com/venuekey/venuekey/terminal"
)

// main.go owns what the process gives: its arguments, its streams, its
// environment and its signals.

func main() {
	ctx, cancel := context.WithCancel(context.Background())
	os.Exit(run(ctx, host{
		args: os.Args[1:], environ: os.Environ(),
		stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr,
		browse: openBrowser, become: become,
		orderly: sync.OnceFunc(func() { endOrderly(cancel) }),
	}))
}

// endOrderly makes the first signal ask for an orderly end. From then on
// signals have their usual meaning, so that a second one kills.
func endOrderly(end func()) {
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
