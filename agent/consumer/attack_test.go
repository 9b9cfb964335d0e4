package consumer_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"strings"
	"testing"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/agent/consumer"
	"github.com/venuekey/venuekey/store/memory"
)

// attack_test.go owns the attacks on consumers.

// What is no consumer's token gets one answer, whatever is wrong with it: nobody learns
// whether a name or a token was ever right.
func TestAttackATokenThatIsNoConsumers(t *testing.T) {
	vault := memoryVault()
	good := add(t, vault, consumer.Request{Name: "bot", Allow: []string{"ctrader/alice:token"}})
	revoked := add(t, vault, consumer.Request{Name: "old", Allow: []string{"*/*:admin"}})
	if err := vault.RemoveConsumer(t.Context(), "old"); err != nil {
		t.Fatal(err)
	}
	book := &consumer.Book{Vault: vault}
	hash := sha256.Sum256([]byte(good))
	for name, token := range map[string]venuekey.Secret{
		"none": "", "its prefix": consumer.Prefix, "a name": "bot", "a revoked one": revoked, "its hash": venuekey.Secret(hex.EncodeToString(hash[:])),
		"the hash's bytes": venuekey.Secret(hash[:]), "a part": good[:len(good)-1], "with more": good + "A", "with a space": good + " ",
		"in capitals": venuekey.Secret(strings.ToUpper(string(good))), "zeros": venuekey.Secret(strings.Repeat("\x00", 32)),
		"a gibibyte's beginning": venuekey.Secret(strings.Repeat("a", 1<<20)),
	} {
		c, err := book.Find(t.Context(), token)
		if !errors.Is(err, consumer.ErrUnknown) || err.Error() != consumer.ErrUnknown.Error() || c.Name != "" || c.May(alice, consumer.VerbToken) {
			t.Errorf("%s: %v, %v", name, c, err)
		}
	}
	if c, err := book.Find(t.Context(), good); err != nil || c.Name != "bot" {
		t.Errorf("the right one: %v, %v", c, err)
	}
}

// The vault, opened, holds nothing that is worth stealing from a consumer, and a token is
// never the same twice.
func TestAttackTheTokensOfConsumersInTheVault(t *testing.T) {
	store := &memory.Store{}
	vault := &venuekey.Vault{Store: store, Key: venuekey.SealKey{9}}
	seen := map[venuekey.Secret]bool{}
	for i := range 64 {
		token, c, err := consumer.Add(t.Context(), vault, consumer.Request{Name: fmt.Sprintf("bot-%d", i), Allow: []string{"ctrader/alice:token"}})
		if err != nil || seen[token] || !regexp.MustCompile(`^vkc_[A-Za-z0-9_-]{43}$`).MatchString(string(token)) {
			t.Fatalf("token %d, %v", i, err)
		}
		seen[token] = true
		if printed := fmt.Sprintf("%v %+v %#v %s %v", c, c, c, token, err); strings.Contains(printed, string(token[8:])) {
			t.Errorf("it is printed: %s", printed)
		}
	}
	for record, err := range vault.Consumers(t.Context()) {
		if err != nil || len(record.Hash) != 64 {
			t.Errorf("%v, %v", record, err)
		}
		for token := range seen {
			if text := fmt.Sprint(record); strings.Contains(text, string(token[8:])) {
				t.Errorf("the vault keeps %s", text)
			}
		}
	}
	records, _ := store.List(t.Context(), "", "", 1000)
	for _, record := range records {
		if bytes.Contains(record.Sealed, []byte("alice")) || record.Text != "" {
			t.Errorf("record %s is not sealed", record.Key)
		}
	}
}

// A record that a newer version wrote, or that someone without the key spoiled, gives no
// rights and takes none from others.
func TestAttackARecordOfAConsumerThatSaysTooMuch(t *testing.T) {
	store := &memory.Store{}
	vault := &venuekey.Vault{Store: store, Key: venuekey.SealKey{9}}
	good := add(t, vault, consumer.Request{Name: "bot", Allow: []string{"ctrader/alice:token"}})
	newer := venuekey.Secret(consumer.Prefix + strings.Repeat("n", 43))
	hash := sha256.Sum256([]byte(newer))
	if err := vault.AddConsumer(t.Context(), venuekey.Consumer{Name: "newer", Hash: hex.EncodeToString(hash[:]), ReadOnly: true,
		Allow: []string{"**:everything", "ctrader/alice:token", "ttp/*:status", "ctrader/alice", "*/*:*"}}); err != nil {
		t.Fatal(err)
	}
	if err := vault.AddConsumer(t.Context(), venuekey.Consumer{Name: "empty", Hash: strings.Repeat("00", 32), Allow: []string{"*/*:admin"}}); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Put(t.Context(), venuekey.Record{Key: "consumer/spoiled", Sealed: []byte("x"), Generation: 1}); err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	book := &consumer.Book{Vault: vault, Log: slog.New(slog.NewTextHandler(&log, nil))}
	c, err := book.Find(t.Context(), newer)
	if err != nil || c.May(alice, consumer.VerbToken) || c.MayAll(consumer.VerbAdmin) || !c.May(bob, consumer.VerbStatus) {
		t.Errorf("the newer one: %v, %v", c, err)
	}
	if _, err := book.Find(t.Context(), good); err != nil {
		t.Errorf("the good one: %v", err)
	}
	if _, err := book.Still(t.Context(), consumer.Consumer{}); !errors.Is(err, consumer.ErrUnknown) {
		t.Errorf("nobody: %v", err)
	}
	book.Forget()
	_, _ = book.Find(t.Context(), good)
	if strings.Count(log.String(), "spoiled") != 2 || strings.Count(log.String(), "\n") != 1 { // its name, and the record's
		t.Errorf("it is logged as %s", log.String())
	}
}

func FuzzRule(f *testing.F) {
	for _, seed := range []string{"ctrader/alice:token", "ttp/*:status,token", "*/*:admin", "a/[:token", "a/b:c", "::/", "*/**:proxy"} {
		f.Add(seed, "ctrader/alice")
	}
	f.Fuzz(func(t *testing.T, text, of string) {
		rule, err := consumer.ParseRule(text)
		if err != nil {
			if rule.String() != "" || strings.ContainsAny(err.Error(), "\x1b\n") {
				t.Fatalf("%q: %v, %v", text, rule, err)
			}
			return
		}
		again, err := consumer.ParseRule(rule.String())
		if err != nil || again.String() != text {
			t.Fatalf("%q is not read as it was written: %v", text, err)
		}
		id, err := venuekey.ParseID(of)
		if err != nil {
			return
		}
		c := consumer.Consumer{Allow: []consumer.Rule{rule}}
		for _, verb := range consumer.Verbs() {
			if c.May(id, verb) && !strings.Contains(text, string(verb)) {
				t.Fatalf("%q allows %s of %s", text, verb, id)
			}
			if c.May(id, verb) && !strings.Contains(rule.Pattern(), "*") && rule.Pattern() != id.String() {
				t.Fatalf("%q allows it for %s", text, id)
			}
		}
	})
}
