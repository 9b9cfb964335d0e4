package main

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"github.com/venuekey/venuekey/venue/ctrader/openapi"
	"github.com/venuekey/venuekey/venue/ctrader/openapi/message"
)

// ctrader_trader.go owns the details of one account.

func (p *program) ctraderTraderCmd() *cobra.Command {
	var wanted int64
	cmd := &cobra.Command{
		Use:               "trader ID",
		Short:             "Show an account: balance, currency, leverage, rights",
		Long:              "Show an account: its balance, currency, leverage and rights.",
		Example:           "  venuekey ctrader trader ctrader/alice --account 5001",
		Args:              leastArgs(1, "one ID, as in ctrader/alice"),
		ValidArgsFunction: p.completeIDs,
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.onAccount(cmd.Context(), args[0], wanted, nil, func(ctx context.Context, c *openapi.Client, account message.CtidTraderAccount) error {
				form, missing, err := traderOf(ctx, c, account)
				if err != nil {
					return err
				}
				if missing != nil {
					p.tell("the currency is not known: %v", missing)
				}
				return p.showTrader(form)
			})
		},
	}
	accountFlag(cmd, &wanted)
	return cmd
}

// traderJSON is an account as a program reads it. Amounts are decimal texts in
// the deposit currency.
type traderJSON struct {
	ID          int64  `json:"ctid_trader_account_id"`
	Environment string `json:"environment"`
	Login       int64  `json:"login,omitempty"`
	Broker      string `json:"broker,omitempty"`
	Balance     string `json:"balance"`
	Currency    string `json:"currency,omitempty"`
	Leverage    string `json:"leverage,omitempty"`
	Rights      string `json:"rights,omitempty"`
	Type        string `json:"type,omitempty"`
}

// traderOf queries the account and the name of its currency. If the name is not known,
// missing says why.
func traderOf(ctx context.Context, c *openapi.Client, account message.CtidTraderAccount) (form traderJSON, missing, err error) {
	id := int64(account.CtidTraderAccountID)
	got, err := c.Trader(ctx, &message.TraderReq{CtidTraderAccountID: id})
	if err != nil {
		return form, nil, err
	}
	t, shown := got.Trader, showing(ctx, c.ClientSecret, c.Token)
	form = traderJSON{
		ID: id, Environment: environmentOf(account), Login: t.TraderLogin.Or(0), Broker: shown(t.BrokerName.Or("")),
		Balance: message.FormatMoney(t.Balance, t.MoneyDigits.Or(2)),
	}
	if form.Currency, missing = currencyOf(ctx, c, id, t.DepositAssetID); ctx.Err() != nil {
		return form, nil, ctx.Err()
	}
	form.Currency = shown(form.Currency)
	if cents, ok := t.LeverageInCents.Get(); ok {
		form.Leverage = "1:" + message.FormatMoney(int64(cents), 2)
	}
	if rights, ok := t.AccessRights.Get(); ok {
		form.Rights = inWords(rights.String())
	}
	if kind, ok := t.AccountType.Get(); ok {
		form.Type = inWords(kind.String())
	}
	return form, missing, nil
}

// currencyOf returns the name of an asset.
func currencyOf(ctx context.Context, c *openapi.Client, account, asset int64) (string, error) {
	assets, err := c.AssetList(ctx, &message.AssetListReq{CtidTraderAccountID: account})
	if err != nil {
		return "", err
	}
	for _, one := range assets.Asset {
		if one.AssetID == asset {
			return one.Name, nil
		}
	}
	return "", nil
}

// inWords turns FULL_ACCESS into "full access".
func inWords(name string) string { return strings.ToLower(strings.ReplaceAll(name, "_", " ")) }

func (p *program) showTrader(form traderJSON) error {
	if p.json {
		return p.writeJSON(form)
	}
	shown := table{heading: []string{"ACCOUNT", "ENVIRONMENT", "LOGIN", "BROKER", "BALANCE", "LEVERAGE", "TYPE", "RIGHTS"}}
	shown.add(text(number(form.ID)), text(form.Environment), text(number(form.Login)), text(orDash(form.Broker)),
		text(strings.TrimSpace(form.Balance+" "+form.Currency)), text(orDash(form.Leverage)), text(orDash(form.Type)), text(orDash(form.Rights)))
	shown.write(p.stdout, p.style())
	return nil
}
