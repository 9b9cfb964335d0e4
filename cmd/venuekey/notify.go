package main

import (
	"github.com/spf13/cobra"
)

// notify.go owns what the commands about notices share.

func (p *program) notifyCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "notify",
		GroupID: groupSetup,
		Short:   "Try how warnings reach you, and see those that did not",
		Long: `"venuekey run" and "venuekey agent" tell you when a sign-in needs you: by a
program of yours (--hook), an address on the web (--webhook) or the desktop
(--desktop).

A webhook is posted JSON, which doc/warnings.md describes, with the header

  Venuekey-Signature: t=UNIXSECONDS,v1=HEX

HEX is HMAC-SHA-256 over the seconds, a dot and the body, with the key in the
file --webhook-key. Make one of at least 32 bytes:

  (umask 077; openssl rand -hex 32 >webhook.key)

If there is no answer, or 408, 429 or 5xx, it is posted again, less and less
often, for a day; any other answer than 2xx ends that. What did not arrive is a
dead letter, of which 1000 are kept. No redirect is followed. What was under way
when the program ended, by SIGKILL too, is sent by the next one, and may come
twice: Venuekey-Delivery is the same then.

In place of an address, --webhook @FILE reads it from a file that only you can
write, such as one with a password in it.`,
		Example: `  venuekey notify test --hook ./notify.sh
  venuekey notify dead
  venuekey notify replay --all`,
		Args: p.unknownCommand,
		RunE: p.helpOrVersion,
	}
	cmd.AddCommand(p.notifyTestCmd(), p.notifyDeadCmd(), p.notifyReplayCmd(), p.notifyVerifyCmd())
	return cmd
}
