package main

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/venuekey/venuekey/venue/ctrader/openapi"
	"github.com/venuekey/venuekey/venue/ctrader/openapi/message"
)

// ctrader_symbols.go owns the list of symbols.

func (p *program) ctraderSymbolsCmd() *cobra.Command {
	var wanted int64
	cmd := &cobra.Command{
		Use:   "symbols ID [TEXT]",
		Short: "List the symbols that an account can trade",
		Long:  "List the symbols that an account can trade: all of them, or those with a text in\ntheir name or description.",
		Example: `  venuekey ctrader symbols ctrader/alice --account 5001
  venuekey ctrader symbols ctrader/alice eur --account 5001 --json`,
		Args:              leastArgs(1, "one ID, as in ctrader/alice"),
		ValidArgsFunction: p.completeIDs,
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.onAccount(cmd.Context(), args[0], wanted, nil, func(ctx context.Context, c *openapi.Client, account message.CtidTraderAccount) error {
				symbols, err := symbolsOf(ctx, c, int64(account.CtidTraderAccountID))
				if err != nil {
					return err
				}
				return p.showSymbols(symbols, strings.Join(args[1:], " "))
			})
		},
	}
	accountFlag(cmd, &wanted)
	return cmd
}

// symbolJSON is a symbol as a program reads it.
type symbolJSON struct {
	ID          int64  `json:"symbol_id"`
	Name        string `json:"name"`
	Enabled     bool   `json:"enabled"`
	Description string `json:"description,omitempty"`
}

// symbolsOf returns all symbols, sorted by name.
func symbolsOf(ctx context.Context, c *openapi.Client, account int64) ([]symbolJSON, error) {
	list, err := c.SymbolsList(ctx, &message.SymbolsListReq{CtidTraderAccountID: account})
	if err != nil {
		return nil, err
	}
	symbols, shown := []symbolJSON{}, showing(ctx, c.ClientSecret, c.Token)
	for _, s := range list.Symbol {
		symbols = append(symbols, symbolJSON{s.SymbolID, shown(s.SymbolName.Or(number(s.SymbolID))), s.Enabled.Or(true), shown(s.Description.Or(""))})
	}
	slices.SortFunc(symbols, func(a, b symbolJSON) int { return strings.Compare(a.Name, b.Name) })
	return symbols, nil
}

func (p *program) showSymbols(all []symbolJSON, filter string) error {
	symbols := slices.DeleteFunc(all, func(s symbolJSON) bool {
		return !strings.Contains(strings.ToLower(s.Name+" "+s.Description), strings.ToLower(filter))
	})
	if p.json {
		return p.writeJSON(symbols)
	}
	shown := table{heading: []string{"SYMBOL", "NAME", "ENABLED", "DESCRIPTION"}}
	for _, s := range symbols {
		shown.add(text(number(s.ID)), text(s.Name), text(strconv.FormatBool(s.Enabled)), text(s.Description))
	}
	shown.write(p.stdout, p.style())
	return nil
}

// named finds symbols by their names or numbers.
func named(symbols []symbolJSON, wanted []string) (found []symbolJSON, err error) {
	for _, name := range wanted {
		at := slices.IndexFunc(symbols, func(s symbolJSON) bool { return strings.EqualFold(s.Name, name) || number(s.ID) == name })
		if at < 0 {
			var names []string
			for _, s := range symbols {
				names = append(names, strings.ToLower(s.Name))
			}
			try := "venuekey ctrader symbols"
			if near := nearest(name, names); near != "" {
				try = strings.ToUpper(near)
			}
			return nil, misused(try, "the account has no symbol %q", name)
		}
		found = append(found, symbols[at])
	}
	return found, nil
}
