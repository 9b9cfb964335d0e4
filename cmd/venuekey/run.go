package main

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/venuekey/venuekey"
)

// run.go owns keeping every sign-in fresh in the foreground, and the program
// that is told when one gets into trouble.

func (p *program) runCmd() *cobra.Command {
	var hook string
	cmd := &cobra.Command{
		Use:     "run",
		GroupID: groupUse,
		Short:   "Keep every sign-in fresh until Ctrl-C",
		Long: `Renew what is due, for as long as this runs. Without it tokens are renewed when a
program asks for them, which is enough for programs that ask often; with it they
never die of not being asked for. Any number of machines and programs may run it
on one vault.

A sign-in that gets into trouble is told on standard error, and to the program
that --hook names: when its renewal fails for the first time, when the answer to
one was lost, and when only a human can help. The program finds in its
environment

  VENUEKEY_ID        ctrader/alice
  VENUEKEY_STATE     degraded, uncertain, expired or needs sign-in
  VENUEKEY_REASON    why, in words
  VENUEKEY_LEFT      how many seconds the access token still lives
  VENUEKEY_HELP      the one command that helps

and never a token.`,
		Example: `  venuekey run
  venuekey run --hook ./notify.sh`,
		Args: nothing,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.withNewVault(cmd.Context(), func(v *vault) error { return p.keepFresh(cmd.Context(), v, hook) })
		},
	}
	cmd.Flags().StringVar(&hook, "hook", "", "run this `PROGRAM` when a sign-in gets into trouble")
	return cmd
}

func (p *program) keepFresh(ctx context.Context, v *vault, hook string) error {
	path := ""
	if hook != "" {
		var err error
		if path, err = exec.LookPath(hook); err != nil {
			return notRunnable{name: hook, code: exitNotFound, err: err}
		}
	}
	v.keeper.Trouble = func(s venuekey.Status) {
		p.tell("%s: %s: %s", s.ID, s.State, oneLine(s.Reason))
		if path != "" {
			p.callHook(ctx, path, s)
		}
	}
	p.tell("keeping every sign-in fresh (Ctrl-C ends it)")
	err := v.keeper.Run(ctx)
	if errors.Is(err, context.Canceled) {
		return nil // it is the way to end it
	}
	return err
}

// hookPatience is how long a hook may take; nothing waits for it but its own
// renewal's slot.
const hookPatience = 30 * time.Second

func (p *program) callHook(ctx context.Context, path string, s venuekey.Status) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), hookPatience)
	defer cancel()
	command := exec.CommandContext(ctx, path)
	command.Env = append(slices.DeleteFunc(slices.Clone(p.environ), isSecretEntry),
		"VENUEKEY_ID="+s.ID.String(), "VENUEKEY_STATE="+string(s.State), "VENUEKEY_REASON="+oneLine(s.Reason),
		"VENUEKEY_LEFT="+strconv.Itoa(int(s.Left.Seconds())), "VENUEKEY_HELP="+p.judge(s).help)
	output, err := command.CombinedOutput()
	if err != nil {
		p.tell("the hook failed: %v%s", err, hookWords(output))
	}
}

func isSecretEntry(entry string) bool {
	name, _, _ := strings.Cut(entry, "=")
	return isSecretVariable(name)
}

// hookWords are the last words of a hook, for its author.
func hookWords(output []byte) string {
	lines := strings.Split(strings.TrimSpace(string(output)), "\n")
	if last := oneLine(lines[len(lines)-1]); last != "" {
		return fmt.Sprintf(" (%s)", last)
	}
	return ""
}
