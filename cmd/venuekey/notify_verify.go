package main

import (
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/agent/notify"
)

// notify_verify.go owns the command that checks the signature of a request, for receivers
// that are a script.

// longestBody is more than any notice has.
const longestBody = 1 << 20

func (p *program) notifyVerifyCmd() *cobra.Command {
	var key, signature string
	tolerance := notify.UsualTolerance
	cmd := &cobra.Command{
		Use:   "verify --webhook-key FILE --signature HEADER",
		Short: "Check the signature of a notice that a webhook got",
		Long: `Check that the body on standard input, byte for byte as it came, was signed with
the key in the file, and not longer ago than --tolerance. The signature is the
header Venuekey-Signature of the request. The exit code is 0 if it was, else 1.
A program in Go calls notify.Verify.`,
		Example:           `  venuekey notify verify --webhook-key webhook.key --signature "$SIGNATURE" <body`,
		Args:              nothing,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if key == "" || signature == "" {
				return misused(usageOf(cmd), "notify verify wants --webhook-key and --signature")
			}
			secret, err := notify.ReadKey(key)
			if err != nil {
				return err
			}
			body, err := io.ReadAll(io.LimitReader(p.stdin, longestBody))
			if err == nil {
				err = notify.Verify(secret, signature, body, time.Now(), tolerance)
			}
			if err != nil {
				return &venuekey.Error{Op: "notify verify", Class: venuekey.ClassFailed, Reason: err.Error(), Err: err}
			}
			return p.say(map[string]bool{"signed": true}, "it was signed with this key")
		},
	}
	cmd.Flags().StringVar(&key, "webhook-key", "", "the `FILE` with the key")
	cmd.Flags().StringVar(&signature, "signature", "", "the `HEADER` of the request")
	cmd.Flags().DurationVar(&tolerance, "tolerance", tolerance, "how old, or how far ahead, it may be")
	_ = cmd.RegisterFlagCompletionFunc("signature", cobra.NoFileCompletions)
	return cmd
}
