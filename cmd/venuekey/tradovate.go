package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/local"
	"github.com/venuekey/venuekey/venue/tradovate"
)

// tradovate.go owns the command tradovate, and what its subcommands share.

func (p *program) tradovateCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "tradovate",
		GroupID: groupUse,
		Short:   "Use Tradovate's API with a sign-in",
		Long: `Use Tradovate's API with a sign-in: see whose it is, call any operation of the
REST API, and stream the user's orders and positions, and quotes. The host is
the live or the demo one, as the app's environment says, or the one that --host
names. Tokens go only to Tradovate's own hosts.

VENUEKEY_TRADOVATE_LIVE_URL, …_DEMO_URL and …_MD_URL name other addresses of the
hosts: "venuekey emulate" prints them.`,
		Example: `  venuekey tradovate me tradovate/bot
  venuekey tradovate call tradovate/bot account/list --host demo
  venuekey tradovate stream tradovate/bot --quotes ESZ6`,
		Args: p.unknownCommand,
		RunE: p.helpOrVersion,
	}
	cmd.AddCommand(p.tradovateMeCmd(), p.tradovateCallCmd(), p.tradovateStreamCmd())
	return cmd
}

// trader is Tradovate's API for one sign-in.
type trader struct {
	*local.Tradovate
	id venuekey.ID
}

// withTradovate calls work with the API for a sign-in, which must be at Tradovate.
func (p *program) withTradovate(ctx context.Context, argument string, work func(*trader) error) error {
	id, err := venuekey.ParseID(argument)
	if err != nil || id.Venue != "tradovate" {
		return misused("tradovate/bot", "%q is not a sign-in at Tradovate", argument)
	}
	return p.withVault(ctx, func(v *local.Vault) error {
		api, err := v.Tradovate(ctx, id)
		if err != nil {
			return venuekey.About(id, "tradovate", err)
		}
		return p.withSource(ctx, api.Source, func(from local.Source) error {
			api.Source = from
			return p.missing(ctx, v, work(&trader{api, id}))
		})
	})
}

// explained names the sign-in and the operation in an error. host is what the user gave.
func (t *trader) explained(o tradovate.Operation, host tradovate.Host, err error) error {
	known, ok := errors.AsType[*venuekey.Error](err)
	if !ok {
		return err
	}
	said := *known
	said.ID = t.id
	if said.Op == "" {
		said.Op, _, _ = strings.Cut(strings.Trim(o.Path, "/"), "?")
	}
	penalty, penalised := errors.AsType[*tradovate.Penalty](err)
	switch {
	case said.Class == venuekey.ClassUnknown && !o.Reads():
		return t.doubted(host, &said)
	case penalised && !o.Reads() && !penalty.Captcha:
		said.Reason += "; the operation was not carried out"
		said.Remedy = "look at the price, and send it again " + in(penalty.Wait) + "; with --wait it waits by itself"
	case said.Class == venuekey.ClassRefused && said.Remedy == "" && !errors.Is(err, venuekey.ErrNotFound) && said.Op != "token":
		said.Remedy = "venuekey refresh " + t.id.String()
	}
	return &said
}

// doubted is the error for an operation that may have been carried out: sending it again
// could do it twice.
func (t *trader) doubted(host tradovate.Host, known *venuekey.Error) error {
	try := "venuekey tradovate call " + t.id.String() + " order/list"
	if host != "" {
		try += " --host " + string(host)
	}
	return doubtful{id: t.id, code: known.Code, try: try, err: fmt.Errorf("%w; it may have been carried out", known)}
}

// hostFlag adds the flag that chooses a host.
func hostFlag(cmd *cobra.Command, host *string, names ...string) {
	cmd.Flags().StringVar(host, "host", "", "the `HOST`: "+strings.Join(names, ", "))
	_ = cmd.RegisterFlagCompletionFunc("host", cobra.FixedCompletions(names, cobra.ShellCompDirectiveNoFileComp))
}
