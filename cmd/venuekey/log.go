package main

import (
	"context"
	"log/slog"

	"github.com/spf13/cobra"
)

// log.go owns the log of the Keeper: warnings always, as one line for a person, and
// everything with --verbose; and the log of a service, a line of JSON for each record.

// addLogFlag adds --log to a command that runs as a service.
func (p *program) addLogFlag(cmd *cobra.Command) {
	form := cmd.Flags().String("log", "text", "the form of the log: text or json")
	_ = cmd.RegisterFlagCompletionFunc("log", cobra.FixedCompletions([]string{"text", "json"}, cobra.ShellCompDirectiveNoFileComp))
	cmd.PreRunE = func(*cobra.Command, []string) error {
		switch *form {
		case "text":
		case "json":
			level := slog.LevelInfo
			if p.verbose {
				level = slog.LevelDebug
			}
			p.notes = slog.New(slog.NewJSONHandler(p.stderr, &slog.HandlerOptions{Level: level, ReplaceAttr: cleanAttr}))
		default:
			return misused("--log json", "%s: --log is text or json", cmd.Name())
		}
		return nil
	}
}

func (p *program) log() *slog.Logger {
	if p.notes != nil {
		return p.notes
	}
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
