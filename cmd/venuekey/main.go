// Command venuekey signs in to trading venues once and keeps every program that
// you run signed in. It is the only place where the packages of this module
// meet, and the only one that exits.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

// main.go owns what the process gives: its arguments, its streams, its
// environment and its signals.

func main() {
	ends := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) { // as it is under nohup
		ends = append(ends, syscall.SIGHUP)
	}
	ctx, stop := signal.NotifyContext(context.Background(), ends...)
	// The first signal asks for an orderly end. From then on signals have their
	// usual meaning, so that a second one kills.
	context.AfterFunc(ctx, stop)
	os.Exit(run(ctx, host{
		args: os.Args[1:], environ: os.Environ(),
		stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr,
		browse: openBrowser, become: become,
	}))
}

// run does what the arguments ask for and returns the exit code.
func run(ctx context.Context, h host) int {
	p := &program{host: h}
	p.prompt = &prompt{p: p}
	root := p.root()
	return p.finish(ctx, root.ExecuteContext(ctx))
}
