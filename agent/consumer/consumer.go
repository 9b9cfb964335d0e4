// Package consumer judges what a program may ask an agent for. A consumer is a program
// that is not simply this user's: another user's, one in a container, one on another
// machine. It has a name, a token that is shown once, and rules: which sign-ins, and what
// it may do with each.
//
// The vault keeps a hash of the token, sealed with the rules, so that every agent of a
// fleet that shares the vault knows the same consumers. The token has 256 random bits, so
// a plain SHA-256 of it can be neither turned back nor guessed; a slow hash, as passwords
// need, would protect nothing more and cost every request.
//
// A wrong token, a revoked and an expired one all get ErrUnknown, by the same way through
// the code. A rule of a newer version that this one does not understand grants nothing.
package consumer

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/internal/foreign"
)

// consumer.go owns a consumer: how it is made, and what it may do.

// Prefix begins every token of a consumer, so that a scanner for leaked secrets can know
// one by its looks.
const Prefix = "vkc_"

// ErrUnknown is the one answer to a token that is wrong, revoked or expired.
var ErrUnknown = errors.New("the token is not that of a consumer: it is wrong, revoked or expired")

// Consumer is a program and its rights. One without rules may do nothing.
type Consumer struct {
	Name string
	// Allow has the rules; what none of them allows is forbidden.
	Allow []Rule
	// ReadOnly says that the consumer may look and not trade. It is a promise of the proxy
	// and the gateway, which know the calls; whoever has a token can trade, so a read-only
	// consumer gets none, whatever its rules say.
	ReadOnly bool
	// Calls are the only calls that it may make through the proxy; none means all. Like
	// ReadOnly, they would be worth nothing with a token, so such a consumer gets none.
	Calls []Call
	// Created is when it was added, and Expires when its token ends; zero means never.
	Created, Expires time.Time

	hash [sha256.Size]byte // of the token; all zeros is nobody's
}

// May reports whether a consumer may do something with a sign-in now. An agent asks at
// every request: a right that was checked once may have ended since.
func (c Consumer) May(id venuekey.ID, verb Verb) bool {
	if c.Expired() || c.bound() && !verb.looks() {
		return false
	}
	return slices.ContainsFunc(c.Allow, func(r Rule) bool { return r.allows(id, verb) })
}

// bound reports whether its calls are judged, which a token in its hands would get around.
func (c Consumer) bound() bool { return c.ReadOnly || len(c.Calls) > 0 }

// MayAll reports whether a consumer may do something with every sign-in, also with those
// to come: for what an agent says about itself.
func (c Consumer) MayAll(verb Verb) bool {
	if c.Expired() || c.bound() && !verb.looks() {
		return false
	}
	return slices.ContainsFunc(c.Allow, func(r Rule) bool { return r.pattern == everything && slices.Contains(r.verbs, verb) })
}

// Expired reports whether the token's life is over, by this machine's clock.
func (c Consumer) Expired() bool { return !c.Expires.IsZero() && !time.Now().Before(c.Expires) }

// Request is what a person asks for when a consumer is added.
type Request struct {
	Name string
	// Allow has at least one rule, as in "ctrader/alice:token,status".
	Allow    []string
	ReadOnly bool
	// Calls, unless empty, are the only calls that it may make through the proxy, as in
	// "GET account/*"; see ParseCall.
	Calls []string
	// Life is how long the token lives; zero means until it is revoked.
	Life time.Duration
}

// Add makes a consumer in a vault, and returns its token, which nobody can ever read
// again. What is wrong with a request is a [venuekey.Error] of ClassMisconfigured, and a
// name that is taken one of ClassDeclined.
func Add(ctx context.Context, vault *venuekey.Vault, r Request) (venuekey.Secret, Consumer, error) {
	rules, err := r.rules()
	if err != nil {
		return "", Consumer{}, err
	}
	calls, err := r.calls()
	if err != nil {
		return "", Consumer{}, err
	}
	token := newToken()
	now := time.Now().Round(0).UTC()
	c := Consumer{Name: r.Name, Allow: rules, ReadOnly: r.ReadOnly, Calls: calls, Created: now, hash: sha256.Sum256([]byte(token))}
	if r.Life > 0 {
		c.Expires = now.Add(r.Life)
	}
	err = vault.AddConsumer(ctx, venuekey.Consumer{
		Name: c.Name, Hash: hex.EncodeToString(c.hash[:]), Allow: texts(rules), ReadOnly: c.ReadOnly, Calls: r.Calls, Created: c.Created, Expires: c.Expires,
	})
	if err != nil {
		return "", Consumer{}, err
	}
	return token, c, nil
}

// Check says what is wrong with a request, as Add does.
func (r Request) Check() error {
	_, err := r.rules()
	if err == nil {
		_, err = r.calls()
	}
	return err
}

func (r Request) calls() (calls []Call, err error) {
	if len(r.Calls) > mostRules {
		return nil, wrong("a consumer has at most 64 calls", "use patterns, such as \"GET account/*\"")
	}
	for _, text := range r.Calls {
		call, err := ParseCall(text)
		if err != nil {
			return nil, err
		}
		calls = append(calls, call)
	}
	return calls, nil
}

func (r Request) rules() (rules []Rule, err error) {
	if _, err := venuekey.ParseID("any/" + r.Name); err != nil {
		reason := fmt.Sprintf("consumer %q: the name must be letters, digits and . _ - @ +", foreign.Name(r.Name))
		return nil, wrong(reason, "use a name such as grafana or bot-7")
	}
	if foreign.Line(r.Name) != r.Name { // logs strike it, and then nobody knows who it was
		return nil, wrong("the name of a consumer must not look like a secret", "use a name such as grafana or bot-7")
	}
	if len(r.Allow) == 0 || len(r.Allow) > mostRules {
		return nil, wrong("a consumer has one rule at least, and at most 64", "give it one, such as ctrader/alice:token")
	}
	if r.Life < 0 || r.Life > longestLife {
		return nil, wrong("the life of a token is ten years at most", "give it as 90d or 12h")
	}
	for _, text := range r.Allow {
		rule, err := ParseRule(text)
		if err != nil {
			return nil, err
		}
		for _, verb := range rule.verbs {
			switch {
			case r.ReadOnly && !verb.looks():
				return nil, wrong("rule "+text+": a read-only consumer cannot have the right "+string(verb)+": whoever has a token can trade",
					"use proxy or gateway, which hand out no token; or leave read-only out")
			case len(r.Calls) > 0 && !verb.looks():
				return nil, wrong("rule "+text+": a consumer of some calls only cannot have the right "+string(verb)+": whoever has a token can make any call",
					"use proxy, which hands out no token; or leave the calls out")
			}
		}
		rules = append(rules, rule)
	}
	return rules, nil
}

// newToken returns 256 random bits.
func newToken() venuekey.Secret {
	var bits [32]byte
	rand.Read(bits[:]) // never fails
	return venuekey.Secret(Prefix + base64.RawURLEncoding.EncodeToString(bits[:]))
}

// All reads the consumers of a vault, also the expired ones, in the order of their names.
// One that does not open is a [venuekey.Error] of ClassDamaged with its name, and the
// sequence continues; any other error ends it.
func All(ctx context.Context, vault *venuekey.Vault) iter.Seq2[Consumer, error] {
	return func(yield func(Consumer, error) bool) {
		for record, err := range vault.Consumers(ctx) {
			if !yield(consumerOf(record), err) {
				return
			}
		}
	}
}

// consumerOf reads a consumer as the vault keeps it. Without a hash of its own it is
// nobody's, and no token finds it.
func consumerOf(record venuekey.Consumer) Consumer {
	c := Consumer{Name: record.Name, ReadOnly: record.ReadOnly, Created: record.Created, Expires: record.Expires}
	if hash, err := hex.DecodeString(strings.TrimSpace(record.Hash)); err == nil && len(hash) == len(c.hash) {
		copy(c.hash[:], hash)
	}
	for _, text := range record.Allow {
		rule, err := ParseRule(text)
		if err != nil {
			rule = Rule{text: text} // of a newer version: it grants nothing, and is shown
		}
		c.Allow = append(c.Allow, rule)
	}
	for _, text := range record.Calls {
		call, err := ParseCall(text)
		if err != nil {
			call = Call{text: text} // the same
		}
		c.Calls = append(c.Calls, call)
	}
	return c
}

func wrong(reason, remedy string) error {
	return &venuekey.Error{Class: venuekey.ClassMisconfigured, Reason: reason, Remedy: remedy}
}
