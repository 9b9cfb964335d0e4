package main

import (
	"context"
	"log/slog"
)

// log.go owns the log of the Keeper: warnings always, as one line for a person, and
// everything with --verbose.

func (p *program) log() *slog.Logger {
	if p.verbose {
		return slog.New(slog.NewTextHandler(p.stderr, &slog.HandlerOptions{Level: slog.LevelDebug, ReplaceAttr: cleanAttr}))
	}
	return slog.New(warnings{p: p})
}

// warnings is a slog.Handler that prints warnings and errors. What ends the run is reported
// by the error itself.
type warnings struct {
	p    *program
	with []slog.Attr
}

// Enabled implements slog.Handler.
func (warnings) Enabled(_ context.Context, level slog.Level) bool { return level >= slog.LevelWarn }

// Handle implements slog.Handler.
func (w warnings) Handle(_ context.Context, record slog.Record) error {
	line := record.Message
	add := func(a slog.Attr) bool {
		line += "; " + a.Key + " " + a.Value.String()
		return true
	}
	for _, a := range w.with {
		add(a)
	}
	record.Attrs(add)
	w.p.tell("venuekey: note: %s", oneLine(line))
	return nil
}

// WithAttrs implements slog.Handler.
func (w warnings) WithAttrs(attrs []slog.Attr) slog.Handler {
	w.with = append(append([]slog.Attr(nil), w.with...), attrs...)
	return w
}

// WithGroup implements slog.Handler; lines for a person have no groups.
func (w warnings) WithGroup(string) slog.Handler { return w }
