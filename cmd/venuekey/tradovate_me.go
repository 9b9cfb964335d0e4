package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/venuekey/venuekey/venue/tradovate"
)

// tradovate_me.go owns "tradovate me": who a token belongs to.

func (p *program) tradovateMeCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "me ID",
		Short: "Show the user that a sign-in belongs to",
		Long: `Show the user that a sign-in belongs to, with every field that Tradovate sends,
also those that this version does not know. Only the live host answers this, for
demo users too. Ten failures within an hour are allowed per IP address.`,
		Example: `  venuekey tradovate me tradovate/bot
  venuekey tradovate me tradovate/bot --json | jq .userId`,
		Args:              leastArgs(1, "one ID, as in tradovate/bot"),
		ValidArgsFunction: p.completeIDs,
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.withTradovate(cmd.Context(), args[0], func(t *trader) error {
				answer, err := t.Me(cmd.Context())
				if err != nil {
					return t.explained(tradovate.Operation{Path: "auth/me"}, "", err)
				}
				return p.showFields(answer)
			})
		},
	}
}

// showFields prints a JSON object: a line for each field, in the order in which they came,
// or the object itself with --json.
func (p *program) showFields(answer json.RawMessage) error {
	if p.json {
		return p.writeRaw(answer)
	}
	decoder := json.NewDecoder(bytes.NewReader(answer))
	decoder.UseNumber() // no digit is lost
	if opened, err := decoder.Token(); err != nil || opened != json.Delim('{') {
		return p.writeRaw(answer)
	}
	type field struct{ name, value string }
	var fields []field
	width := 0
	for decoder.More() {
		name, err := decoder.Token()
		var value any
		if err == nil {
			err = decoder.Decode(&value)
		}
		if err != nil {
			return err
		}
		shown := oneLine(fmt.Sprint(name))
		if concealed[strings.ToLower(shown)] {
			value = "[secret]"
		}
		width = max(width, len(shown))
		fields = append(fields, field{shown, forPerson(value)})
	}
	for _, f := range fields {
		if _, err := fmt.Fprintf(p.stdout, "  %-*s  %s\n", width, f.name, f.value); err != nil {
			return err
		}
	}
	return nil
}

// forPerson is a JSON value for a person, in one line.
func forPerson(value any) string {
	switch v := value.(type) {
	case nil:
		return "-"
	case string:
		return oneLine(v)
	case bool:
		if v {
			return "yes"
		}
		return "no"
	case []any:
		parts := make([]string, len(v))
		for i, part := range v {
			parts[i] = forPerson(part)
		}
		return orDash(strings.Join(parts, ", "))
	case map[string]any:
		text, _ := json.Marshal(v)
		return oneLine(string(text))
	}
	return oneLine(fmt.Sprint(value))
}
