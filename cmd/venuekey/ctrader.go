package main

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/internal/environ"
	"github.com/venuekey/venuekey/local"
	"github.com/venuekey/venuekey/venue/ctrader/openapi"
	"github.com/venuekey/venuekey/venue/ctrader/openapi/message"
)

// ctrader.go owns the command ctrader, and the connections that its subcommands share.

func (p *program) ctraderCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "ctrader",
		GroupID: groupUse,
		Short:   "Use cTrader's Open API with a sign-in",
		Long: `Use cTrader's Open API with a sign-in: list its accounts, query and stream data,
or send any message of the API. The connection authorises itself, uses the live
or the demo host as the account requires, and survives renewals of the token.

VENUEKEY_CTRADER_LIVE_ADDRESS and …_DEMO_ADDRESS name other servers, as
host:port, and VENUEKEY_CTRADER_CA_FILE names more certificates to trust:
"venuekey emulate" prints all three.`,
		Example: `  venuekey ctrader accounts ctrader/alice
  venuekey ctrader stream ctrader/alice EURUSD GBPUSD --account 5001
  venuekey ctrader call ctrader/alice TraderReq --account 5001`,
		Args: p.unknownCommand,
		RunE: p.helpOrVersion,
	}
	cmd.AddCommand(p.ctraderAccountsCmd(), p.ctraderTraderCmd(), p.ctraderSymbolsCmd(), p.ctraderCallCmd(), p.ctraderStreamCmd())
	return cmd
}

// openAPI is the Open API for one sign-in.
type openAPI struct {
	*local.CTrader
	id     venuekey.ID
	keeper *venuekey.Keeper
}

// withOpenAPI calls work with the Open API for a sign-in, which must be at cTrader.
func (p *program) withOpenAPI(ctx context.Context, argument string, work func(*openAPI) error) error {
	id, err := venuekey.ParseID(argument)
	if err != nil || id.Venue != "ctrader" {
		return misused("ctrader/alice", "%q is not a sign-in at cTrader", argument)
	}
	return p.withVault(ctx, func(v *local.Vault) error {
		o, err := p.openAPIOf(ctx, v, id)
		if err != nil {
			return err
		}
		return p.withSource(ctx, o.Source, func(from local.Source) error {
			o.Source = from
			return o.explained(work(o))
		})
	})
}

// openAPIOf returns the Open API for a sign-in. It may be non-nil even with an error, which
// says why it must not be used.
func (p *program) openAPIOf(ctx context.Context, v *local.Vault, id venuekey.ID) (*openAPI, error) {
	api, err := v.CTrader(ctx, id)
	if api == nil {
		return nil, err
	}
	return &openAPI{api, id, v.Keeper}, err
}

// connectPatience is how long a command waits for a connection.
const connectPatience = 30 * time.Second

// doing sends a request.
type doing func(context.Context, message.Message) (message.Message, error)

// connected calls work with a connection on which only the application is authorised, for
// requests about no account. Either environment works.
func (o *openAPI) connected(ctx context.Context, work func(doing) error) error {
	conn, err := openapi.Dial(ctx, o.Demo, openapi.Options{})
	if err != nil {
		return err
	}
	defer conn.Close()
	if _, err := conn.ApplicationAuth(ctx, &message.ApplicationAuthReq{ClientID: o.App.ClientID, ClientSecret: o.App.ClientSecret}); err != nil {
		return err
	}
	return work(conn.Do)
}

// ask sends one request on such a connection.
func (o *openAPI) ask(ctx context.Context, req message.Message) (answer message.Message, err error) {
	ctx, cancel := context.WithTimeout(ctx, connectPatience)
	defer cancel()
	err = o.connected(ctx, func(do doing) (err error) {
		answer, err = do(ctx, req)
		return err
	})
	return answer, err
}

// accounts lists the accounts that the token reaches.
func (o *openAPI) accounts(ctx context.Context) (*message.GetAccountListByAccessTokenRes, error) {
	access, err := o.Source.Access(ctx)
	if err != nil {
		return nil, err
	}
	answer, err := o.ask(ctx, &message.GetAccountListByAccessTokenReq{AccessToken: access})
	if err != nil {
		return nil, err
	}
	list, ok := answer.(*message.GetAccountListByAccessTokenRes)
	if !ok {
		return nil, fmt.Errorf("answer is %s instead of the accounts", message.Name(answer.PayloadType()))
	}
	return list, nil
}

// choose returns the account of the flag, or the only one.
func (o *openAPI) choose(ctx context.Context, wanted int64) (message.CtidTraderAccount, error) {
	list, err := o.accounts(ctx)
	if err != nil {
		return message.CtidTraderAccount{}, err
	}
	for _, account := range list.CtidTraderAccount {
		if int64(account.CtidTraderAccountID) == wanted || wanted == 0 && len(list.CtidTraderAccount) == 1 {
			return account, nil
		}
	}
	if wanted != 0 {
		return message.CtidTraderAccount{}, misused("venuekey ctrader accounts "+o.id.String(), "the sign-in has no account %d", wanted)
	}
	if len(list.CtidTraderAccount) == 0 {
		return message.CtidTraderAccount{}, misused("venuekey login "+o.id.String()+", and choose accounts at the venue", "the sign-in has no accounts")
	}
	return message.CtidTraderAccount{}, misused("--account "+number(int64(list.CtidTraderAccount[0].CtidTraderAccountID)), "the sign-in has %d accounts: %s", len(list.CtidTraderAccount), accountNames(list.CtidTraderAccount))
}

// accountNames lists accounts for a person who has to choose.
func accountNames(accounts []message.CtidTraderAccount) string {
	const most = 8
	var names []string
	for _, account := range accounts[:min(most, len(accounts))] {
		names = append(names, number(int64(account.CtidTraderAccountID))+" ("+environmentOf(account)+")")
	}
	if len(accounts) > most {
		names = append(names, "…")
	}
	return strings.Join(names, ", ")
}

// with calls work with a Client on which one account is authorised.
func (o *openAPI) with(ctx context.Context, account message.CtidTraderAccount, onState func(openapi.State), work func(context.Context, *openapi.Client) error) error {
	ctx, end := context.WithCancel(ctx)
	client := o.Client(account.IsLive.Or(false), int64(account.CtidTraderAccountID))
	client.OnState = onState
	ended := make(chan error, 1)
	go func() { ended <- client.Run(ctx) }()
	defer func() {
		end()
		<-ended
	}()
	patient, cancel := context.WithTimeout(ctx, connectPatience)
	defer cancel()
	if err := client.Ready(patient); err != nil {
		return err
	}
	for _, state := range client.State().Accounts {
		if state.Refused {
			return state.Err
		}
	}
	return work(ctx, client)
}

// explained turns an error of the API into a venuekey.Error, whose class sets the exit code.
func (o *openAPI) explained(err error) error {
	var known *venuekey.Error
	var api *openapi.Error
	if errors.As(err, &api) && api.MayBeDone() {
		return o.doubted(api.Request, api.Account, api.Code, api)
	}
	if !errors.As(err, &api) || errors.As(err, &known) {
		return err
	}
	explained := &venuekey.Error{ID: o.id, Op: "ctrader", Class: api.Class, Code: api.Code, Reason: api.Error(), RetryAfter: api.RetryAfter, Err: err}
	switch {
	case api.Kind == openapi.KindTokenDead:
		explained.Class, explained.Remedy = venuekey.ClassRefused, "venuekey refresh "+o.id.String()
	case api.Class == venuekey.ClassUnknown: // the request may be repeated at once, and the error did not pass
		explained.Class = venuekey.ClassFailed
	}
	if badCertificate(err) { // waiting does not help
		explained.Class, explained.Remedy = venuekey.ClassMisconfigured, "check the address and this machine's clock; if a private authority signed it, name that in "+environ.Variable("ctrader", "CA_FILE")
	}
	return explained
}

// badCertificate reports whether a server's certificate did not verify.
func badCertificate(err error) bool {
	return errors.As(err, new(x509.UnknownAuthorityError)) || errors.As(err, new(x509.HostnameError)) || errors.As(err, new(x509.CertificateInvalidError))
}

// doubted is the error for a request that may have been carried out: sending it again could
// do it twice.
func (o *openAPI) doubted(request message.PayloadType, account int64, code string, err error) error {
	doubt := doubtful{id: o.id, code: code, err: fmt.Errorf("%s: ctrader: %w", o.id, err)}
	if message.IsOrder(request) {
		doubt.try = fmt.Sprintf("venuekey ctrader call %s ReconcileReq --account %d", o.id, account)
	}
	return doubt
}

// onAccount calls work with a Client on which the chosen account is authorised.
func (p *program) onAccount(ctx context.Context, id string, wanted int64, onState func(openapi.State), work func(context.Context, *openapi.Client, message.CtidTraderAccount) error) error {
	return p.withOpenAPI(ctx, id, func(o *openAPI) error {
		account, err := o.choose(ctx, wanted)
		if err != nil {
			return err
		}
		return o.with(ctx, account, onState, func(ctx context.Context, c *openapi.Client) error { return work(ctx, c, account) })
	})
}

// accountFlag adds the flag that chooses an account.
func accountFlag(cmd *cobra.Command, account *int64) {
	cmd.Flags().Int64Var(account, "account", 0, "the `NUMBER` of the account, if there are several")
}

// leastArgs accepts so many arguments, or more: an ID and what to do with it.
func leastArgs(least int, what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) < least {
			return misused(usageOf(cmd), "%s takes %s", cmd.CommandPath(), what)
		}
		return nil
	}
}

// environmentOf is the environment of an account.
func environmentOf(account message.CtidTraderAccount) string {
	if account.IsLive.Or(false) {
		return "live"
	}
	return "demo"
}

func number(n int64) string { return strconv.FormatInt(n, 10) }
