package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/venuekey/venuekey/venue/ctrader/openapi"
	"github.com/venuekey/venuekey/venue/ctrader/openapi/message"
)

// ctrader_call.go owns the command "ctrader call", for any request of the protocol.

func (p *program) ctraderCallCmd() *cobra.Command {
	var wanted int64
	cmd := &cobra.Command{
		Use:   "call ID MESSAGE [JSON]",
		Short: "Send any request of the Open API and print the answer as JSON",
		Long: `Send any request of the Open API and print the answer as JSON. MESSAGE is a
name, with or without the prefix ProtoOA, or a number. JSON has the fields under
the protocol's names; "-" reads it from standard input. The account and the
access token are filled in.

Numbers are the protocol's own: prices and volumes of many messages are
integers; see the documentation of package venue/ctrader/openapi/message.

An order is sent once and never repeated. The answer to an order is its first
ExecutionEvent. If an order may have been carried out but there is no answer,
the exit code is 6: check with ReconcileReq before you send it again.`,
		Example: `  venuekey ctrader call ctrader/alice VersionReq
  venuekey ctrader call ctrader/alice ReconcileReq --account 5001
  venuekey ctrader call ctrader/alice NewOrderReq - --account 5001 <order.json`,
		Args:              leastArgs(2, "an ID and a message"),
		ValidArgsFunction: p.completeCall,
		RunE: func(cmd *cobra.Command, args []string) error {
			req, err := p.readCall(args[1:])
			if err != nil {
				return err
			}
			return p.withOpenAPI(cmd.Context(), args[0], func(o *openAPI) error { return p.call(cmd.Context(), o, req, wanted) })
		},
	}
	accountFlag(cmd, &wanted)
	return cmd
}

// rawCall is a request whose account and token are not filled in yet.
type rawCall struct {
	kind   message.PayloadType
	fields map[string]json.RawMessage
}

func (p *program) readCall(args []string) (rawCall, error) {
	kind, ok := message.ByName(args[0])
	switch {
	case !ok || !message.IsRequest(kind):
		near := slices.DeleteFunc(message.Nearest(args[0]), func(name string) bool {
			kind, _ := message.ByName(name)
			return !message.IsRequest(kind)
		})
		if len(near) == 0 {
			near = []string{"venuekey ctrader call --help"}
		}
		return rawCall{}, misused(strings.Join(near, ", "), "the Open API has no request %q", args[0])
	case kind == message.TypeRefreshTokenReq:
		return rawCall{}, misused("venuekey refresh ctrader/alice", "a refresh token works once: only venuekey's own renewal may present it")
	}
	text := []byte("{}")
	if len(args) > 2 {
		return rawCall{}, misused("one JSON object, in quotes", "there are %d arguments after the ID", len(args))
	}
	if len(args) == 2 {
		text = []byte(args[1])
	}
	if string(text) == "-" {
		read, err := io.ReadAll(io.LimitReader(p.stdin, 1<<20))
		if err != nil {
			return rawCall{}, err
		}
		text = read
	}
	call := rawCall{kind: kind}
	if err := json.Unmarshal(text, &call.fields); err != nil {
		return call, misused(`a JSON object, as in '{"symbolId":1}'`, "the fields are not JSON: %v", err)
	}
	return call, nil
}

// The fields that are filled in, by their names in Go.
const (
	accountField = "CtidTraderAccountID"
	accessField  = "AccessToken"
)

// has reports whether a request has a field.
func (c rawCall) has(field string) bool {
	_, ok := reflect.TypeOf(message.New(c.kind)).Elem().FieldByName(field)
	return ok
}

// fill sets a field, given by its name on the wire, if the user did not.
func (c rawCall) fill(field string, value any) {
	if _, given := c.fields[field]; given {
		return
	}
	if text, err := json.Marshal(value); err == nil {
		c.fields[field] = text
	}
}

func (c rawCall) message() (message.Message, error) {
	text, err := json.Marshal(c.fields)
	if err != nil {
		return nil, err
	}
	req, err := message.StrictJSON(c.kind, text)
	if err != nil {
		return nil, misused("the fields of "+message.Name(c.kind), "%v", err)
	}
	return req, nil
}

func (p *program) call(ctx context.Context, o *openAPI, raw rawCall, wanted int64) error {
	if given, ok := raw.fields["ctidTraderAccountId"]; ok && wanted == 0 {
		_ = json.Unmarshal(given, &wanted) // an error is reported below
	}
	account := message.CtidTraderAccount{}
	var err error
	if raw.has(accountField) {
		if account, err = o.choose(ctx, wanted); err != nil {
			return err
		}
		raw.fill("ctidTraderAccountId", account.CtidTraderAccountID)
	}
	if raw.has(accessField) {
		access, err := o.Source.Access(ctx)
		if err != nil {
			return err
		}
		raw.fill("accessToken", string(access))
	}
	req, err := raw.message()
	if err != nil {
		return err
	}
	if account.CtidTraderAccountID == 0 { // the request is about no account
		answer, err := o.ask(ctx, req)
		if err != nil {
			return err
		}
		return p.showAnswer(answer)
	}
	return o.with(ctx, account, nil, func(ctx context.Context, c *openapi.Client) error {
		answer, err := c.Do(ctx, req)
		if err != nil {
			return err
		}
		err = p.showAnswer(answer)
		if err != nil && message.IsOrder(req.PayloadType()) {
			return o.doubted(req.PayloadType(), int64(account.CtidTraderAccountID), "", fmt.Errorf("the order was answered, but the answer could not be written: %w", err))
		}
		return err
	})
}

// showAnswer prints an answer in the service's own form, without the secrets that some
// answers repeat.
func (p *program) showAnswer(answer message.Message) error {
	text, err := json.Marshal(answer)
	if err != nil {
		return err
	}
	var fields map[string]any
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber() // no digit is lost
	if err := decoder.Decode(&fields); err != nil {
		return err
	}
	for _, secret := range []string{"accessToken", "refreshToken", "clientSecret"} {
		if _, there := fields[secret]; there {
			fields[secret] = "[secret]"
		}
	}
	return p.writeJSON(map[string]any{"payloadType": message.Name(answer.PayloadType()), "payload": fields})
}

func (p *program) completeCall(cmd *cobra.Command, args []string, toComplete string) ([]string, cobra.ShellCompDirective) {
	switch len(args) {
	case 0:
		return p.completeIDs(cmd, args, toComplete)
	case 1:
		var names []string
		for _, kind := range message.All() {
			name := message.Name(kind)
			if !strings.HasPrefix(toComplete, "Proto") {
				name = strings.TrimPrefix(name, "ProtoOA")
			}
			if message.IsRequest(kind) && strings.HasPrefix(name, toComplete) {
				names = append(names, name)
			}
		}
		return names, cobra.ShellCompDirectiveNoFileComp
	}
	return nil, cobra.ShellCompDirectiveNoFileComp
}
