package main

import (
	"strings"

	"github.com/spf13/cobra"

	"github.com/venuekey/venuekey/venue/ctrader/openapi/message"
)

// ctrader_accounts.go owns the list of accounts that a sign-in reaches.

func (p *program) ctraderAccountsCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "accounts ID",
		Short: "List the trading accounts of a sign-in",
		Long: `List the trading accounts that a sign-in reaches: their number in the API
(ctidTraderAccountId), whether they are live or demo, the login that the broker
shows, the broker, and whether the token may trade. If the sign-in's user is not
known yet, that is queried too, and saved for status.`,
		Example:           "  venuekey ctrader accounts ctrader/alice",
		Args:              leastArgs(1, "one ID, as in ctrader/alice"),
		ValidArgsFunction: p.completeIDs,
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.withOpenAPI(cmd.Context(), args[0], func(o *openAPI) error {
				list, err := o.accounts(cmd.Context())
				if err != nil {
					return err
				}
				o.nameOwner(cmd.Context())
				return p.showAccounts(list, showing(cmd.Context(), o.App.ClientSecret, o.Source.Access))
			})
		},
	}
}

// accountJSON is an account as a program reads it.
type accountJSON struct {
	ID          int64  `json:"ctid_trader_account_id"`
	Environment string `json:"environment"`
	Login       int64  `json:"login,omitempty"`
	Broker      string `json:"broker,omitempty"`
	Scope       string `json:"scope,omitempty"`
}

func (p *program) showAccounts(list *message.GetAccountListByAccessTokenRes, shown func(string) string) error {
	scope := ""
	if granted, ok := list.PermissionScope.Get(); ok { // absent is not SCOPE_VIEW
		scope = strings.ToLower(strings.TrimPrefix(granted.String(), "SCOPE_"))
	}
	forms := []accountJSON{}
	rows := table{heading: []string{"ACCOUNT", "ENVIRONMENT", "LOGIN", "BROKER", "SCOPE"}}
	for _, a := range list.CtidTraderAccount {
		form := accountJSON{int64(a.CtidTraderAccountID), environmentOf(a), a.TraderLogin.Or(0), shown(a.BrokerTitleShort.Or("")), scope}
		forms = append(forms, form)
		rows.add(text(number(form.ID)), text(form.Environment), text(number(form.Login)), text(orDash(form.Broker)), text(orDash(scope)))
	}
	if p.json {
		return p.writeJSON(forms)
	}
	if len(forms) == 0 {
		p.tell("the sign-in has no accounts: sign in again and choose some")
	}
	rows.write(p.stdout, p.style())
	return nil
}
