package venuekey

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"iter"
	"strings"
	"time"
)

// consumer.go owns the records of consumers: programs with rights of their own, which a
// fleet that shares the vault knows alike.

// consumerPrefix is that of the records, which are sealed: who can write to the store and
// has no key can make no consumer, and give none more rights.
const consumerPrefix = "consumer/"

// Consumer is a program, on this machine or another, that may ask for some sign-ins. The
// vault keeps it; package agent/consumer makes its token and judges what it may do.
type Consumer struct {
	// Name is 1 to 128 letters, digits and ". _ - @ +", not dots alone.
	Name string
	// Hash is the SHA-256 of the consumer's token in hexadecimal. The token itself is
	// kept nowhere.
	Hash string
	// Allow says what the consumer may do, as "ctrader/alice:token".
	Allow []string
	// ReadOnly says that it may look and not trade.
	ReadOnly bool
	// Calls are the only calls that it may make through a proxy, as "GET account/*"; none
	// means all.
	Calls []string
	// Created is when it was added, and Expires when its token ends; zero means never.
	Created, Expires time.Time
}

// sealedConsumer is a Consumer as it is sealed. Its name is the record's, which the seal is
// bound to.
type sealedConsumer struct {
	Hash     string    `json:"hash"`
	Allow    []string  `json:"allow,omitempty"`
	ReadOnly bool      `json:"read_only,omitempty"`
	Calls    []string  `json:"calls,omitempty"`
	Created  time.Time `json:"created,omitzero"`
	Expires  time.Time `json:"expires,omitzero"`
}

func (c Consumer) check() error {
	hash, err := hex.DecodeString(c.Hash)
	switch {
	case !isConsumerName(c.Name):
		reason := fmt.Sprintf("consumer %q: the name must be letters, digits and . _ - @ +", c.Name)
		return &Error{Class: ClassMisconfigured, Reason: reason, Remedy: "use a name such as grafana or bot-7"}
	case err != nil || len(hash) != 32:
		return &Error{Class: ClassFailed, Reason: "consumer " + c.Name + ": the hash of its token is not a SHA-256"}
	}
	return nil
}

func isConsumerName(name string) bool { return fits(name, isNameByte) && strings.Trim(name, ".") != "" }

// AddConsumer saves a new consumer. One whose name is taken is an *Error of ClassDeclined
// that matches ErrConflict: nobody takes another's rights away by mistake.
func (v *Vault) AddConsumer(ctx context.Context, c Consumer) error {
	if err := c.check(); err != nil {
		return err
	}
	form := sealedConsumer{c.Hash, c.Allow, c.ReadOnly, c.Calls, c.Created.Round(0).UTC(), c.Expires.Round(0).UTC()}
	_, err := v.put(ctx, Record{Key: consumerPrefix + c.Name, Generation: 1}, form)
	if errors.Is(err, ErrConflict) {
		reason := "there is a consumer " + c.Name + " already"
		return &Error{Class: ClassDeclined, Reason: reason, Remedy: "revoke it first, or use another name", Err: ErrConflict}
	}
	return err
}

// RemoveConsumer deletes a consumer: its token is worth nothing from then on. If there is
// none, the error is an *Error of ClassDeclined that matches ErrNotFound. A record that
// does not open is deleted like any other.
func (v *Vault) RemoveConsumer(ctx context.Context, name string) error {
	none := &Error{Class: ClassDeclined, Reason: fmt.Sprintf("there is no consumer %q", name), Err: ErrNotFound}
	if !isConsumerName(name) {
		return none
	}
	for {
		record, err := v.Store.Get(ctx, consumerPrefix+name)
		if err == nil {
			err = v.Store.Delete(ctx, record.Key, record.Version)
		}
		switch {
		case errors.Is(err, ErrConflict):
			continue
		case errors.Is(err, ErrNotFound):
			return none
		case err != nil:
			return storeError(ID{}, "delete", err)
		}
		return nil
	}
}

// Consumers reads all consumers, in the order of their names. One that does not open
// yields a Consumer with its name and an *Error of ClassDamaged, and the sequence
// continues; any other error ends it.
func (v *Vault) Consumers(ctx context.Context) iter.Seq2[Consumer, error] {
	return func(yield func(Consumer, error) bool) {
		for record, err := range v.all(ctx, consumerPrefix) {
			var c Consumer
			if err == nil {
				c, err = v.openConsumer(record)
			}
			if !yield(c, err) {
				return
			}
		}
	}
}

func (v *Vault) openConsumer(record Record) (Consumer, error) {
	name := strings.TrimPrefix(record.Key, consumerPrefix)
	var form sealedConsumer
	if err := v.open(record, &form); err != nil {
		return Consumer{Name: name}, err
	}
	return Consumer{name, form.Hash, form.Allow, form.ReadOnly, form.Calls, form.Created, form.Expires}, nil
}

// IsConsumerKey reports whether a key that a [Watcher] names is that of a consumer's
// record, or "", after which everything has to be read again.
func IsConsumerKey(key string) bool { return key == "" || strings.HasPrefix(key, consumerPrefix) }
