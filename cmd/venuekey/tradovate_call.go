package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/venue/tradovate"
)

// tradovate_call.go owns "tradovate call", for any operation of the REST API.

type callFlags struct {
	host string
	wait bool
}

func (p *program) tradovateCallCmd() *cobra.Command {
	var flags callFlags
	cmd := &cobra.Command{
		Use:   "call ID OPERATION [JSON]",
		Short: "Call any operation of the REST API and print the answer as JSON",
		Long: `Call any operation of the REST API and print the answer as JSON. OPERATION is
its path, such as order/list or contract/find?name=ESZ6, with or without /v1.
Without JSON it is a GET, with it a POST; "-" reads it from standard input.

The host is that of the app's environment, and for auth/me the live one. --host
takes another: live, demo, md, md-demo, replay, reporting, or a host name that
belongs to Tradovate. If the sign-in came with the names of its hosts
(apiHosts), they are used. The token goes to no host but Tradovate's own.

What only reads follows redirects to such a host, and waits if Tradovate asks
for a wait of up to 30 s. Anything else, an order above all, is sent once and
never repeated, unless --wait allows a repetition after such a wait, which means
that it was not carried out. If it may have been carried out but there is no
answer, the exit code is 6: look at order/list before you send it again.

A failure that Tradovate reports in an answer with status 200 is an error too:
errorText, failureReason, violations, a penalty ticket.`,
		Example: `  venuekey tradovate call tradovate/bot account/list
  venuekey tradovate call tradovate/bot 'contract/find?name=ESZ6'
  venuekey tradovate call tradovate/bot order/placeorder - --host demo <buy.json`,
		Args:              leastArgs(2, "an ID and an operation"),
		ValidArgsFunction: p.completeOperation,
		RunE: func(cmd *cobra.Command, args []string) error {
			operation, err := p.readOperation(args[1:])
			if err != nil {
				return err
			}
			return p.withTradovate(cmd.Context(), args[0], func(t *trader) error { return p.operate(cmd.Context(), t, operation, flags) })
		},
	}
	hostFlag(cmd, &flags.host, "live", "demo", "md", "md-demo", "replay", "reporting")
	cmd.Flags().BoolVar(&flags.wait, "wait", false, "send an order again after a wait that Tradovate asks for")
	return cmd
}

func (p *program) readOperation(args []string) (o tradovate.Operation, err error) {
	o.Path = args[0]
	if len(args) > 2 {
		return o, misused("one JSON object, in quotes", "there are %d arguments after the ID", len(args))
	}
	if len(args) < 2 {
		return o, nil
	}
	o.Body = []byte(args[1])
	if args[1] == "-" {
		if o.Body, err = io.ReadAll(io.LimitReader(p.stdin, 1<<20)); err != nil {
			return o, err
		}
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(o.Body, &fields); err != nil {
		return o, misused(`a JSON object, as in '{"accountId":5001}'`, "the body is not JSON: %v", err)
	}
	return o, nil
}

// waitPatience is the longest wait that a call waits out.
const waitPatience = 30 * time.Second

func (p *program) operate(ctx context.Context, t *trader, o tradovate.Operation, flags callFlags) error {
	host := tradovate.Host(flags.host)
	calling, cancel := context.WithTimeout(ctx, connectPatience)
	answer, err := t.Call(calling, host, o)
	cancel()
	penalty, penalised := errors.AsType[*tradovate.Penalty](err)
	if penalised && !penalty.Captcha && penalty.Wait <= waitPatience && (flags.wait || o.Reads()) {
		p.tell("Tradovate asks for a wait of %s; then it is sent again", span(penalty.Wait))
		select {
		case <-time.After(penalty.Wait):
		case <-ctx.Done():
			return ctx.Err()
		}
		calling, cancel := context.WithTimeout(ctx, connectPatience)
		defer cancel()
		answer, err = t.Call(calling, host, o.WithTicket(penalty.Ticket))
	}
	if err != nil {
		return t.explained(o, host, err)
	}
	if err := p.writeRaw(answer); err != nil {
		if o.Reads() {
			return err
		}
		return t.doubted(host, &venuekey.Error{ID: t.id, Class: venuekey.ClassUnknown, Reason: fmt.Sprintf("%s was answered, but the answer could not be written: %v", o.Path, err)})
	}
	return nil
}

// concealed are the fields of answers, in lower case, whose values are not printed.
var concealed = map[string]bool{"accesstoken": true, "mdaccesstoken": true, "access_token": true, "refresh_token": true, "id_token": true, "p-ticket": true, "password": true, "sec": true}

// writeRaw prints an answer as it came, indented, without the secrets in it.
func (p *program) writeRaw(answer json.RawMessage) error {
	decoder := json.NewDecoder(bytes.NewReader(answer))
	decoder.UseNumber() // no digit is lost
	var value any
	if err := decoder.Decode(&value); err != nil {
		return err
	}
	return p.writeJSON(concealing(value))
}

// concealing returns a JSON value without its secrets.
func concealing(value any) any {
	switch v := value.(type) {
	case map[string]any:
		for name, part := range v {
			if _, text := part.(string); text && concealed[strings.ToLower(name)] {
				v[name] = "[secret]"
				continue
			}
			v[name] = concealing(part)
		}
	case []any:
		for i := range v {
			v[i] = concealing(v[i])
		}
	}
	return value
}

// operations are those that programs use most, for completion. The API has hundreds.
var operations = strings.Fields(`account/item account/list accountRiskStatus/list auth/me cashBalance/getcashbalancesnapshot cashBalance/list
	contract/find contract/item contract/suggest executionReport/list fill/deps fill/list fillPair/list marginSnapshot/list
	order/cancelorder order/item order/liquidateposition order/list order/modifyorder order/placeoco order/placeorder order/placeoso
	orderStrategy/interruptorderstrategy orderStrategy/list orderStrategy/startorderstrategy position/list product/find user/list`)

func (p *program) completeOperation(cmd *cobra.Command, args []string, toComplete string) ([]string, cobra.ShellCompDirective) {
	switch len(args) {
	case 0:
		return p.completeIDs(cmd, args, toComplete)
	case 1:
		return slices.DeleteFunc(slices.Clone(operations), func(name string) bool {
			return !strings.HasPrefix(strings.ToLower(name), strings.ToLower(toComplete))
		}), cobra.ShellCompDirectiveNoFileComp
	}
	return nil, cobra.ShellCompDirectiveNoFileComp
}
