package venuekey_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/store/memory"
)

// The stories of consumers' records: made once, seen by every program, removed for good.

var someHash = strings.Repeat("0a", 32)

func consumerNames(t *testing.T, vault *venuekey.Vault) (names []string) {
	t.Helper()
	for c, err := range vault.Consumers(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, c.Name)
	}
	return names
}

func TestConsumersAreSharedByWhoeverSharesTheVault(t *testing.T) {
	store := &memory.Store{}
	here, there := &venuekey.Vault{Store: store, Key: oldKey}, &venuekey.Vault{Store: store, Key: oldKey}
	at := time.Date(2026, time.November, 26, 12, 0, 0, 0, time.UTC)
	want := venuekey.Consumer{Name: "bot-7", Hash: someHash, Allow: []string{"ctrader/alice:token"}, ReadOnly: true, Created: at, Expires: at.Add(time.Hour)}
	if err := here.AddConsumer(t.Context(), want); err != nil {
		t.Fatal(err)
	}
	for got, err := range there.Consumers(t.Context()) {
		if err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("there it is %v, %v", got, err)
		}
	}
	err := there.AddConsumer(t.Context(), venuekey.Consumer{Name: "bot-7", Hash: someHash})
	if !errors.Is(err, venuekey.ErrConflict) || venuekey.ClassOf(err) != venuekey.ClassDeclined {
		t.Errorf("a name that is taken: %v", err)
	}
	if err := there.RemoveConsumer(t.Context(), "bot-7"); err != nil {
		t.Fatal(err)
	}
	if left := consumerNames(t, here); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
	if err := here.RemoveConsumer(t.Context(), "bot-7"); !errors.Is(err, venuekey.ErrNotFound) {
		t.Errorf("removed twice: %v", err)
	}
}

func TestOnlyAConsumerThatCanBeRightIsSaved(t *testing.T) {
	vault := &venuekey.Vault{Store: &memory.Store{}, Key: oldKey}
	for _, c := range []venuekey.Consumer{
		{Name: "", Hash: someHash}, {Name: "..", Hash: someHash}, {Name: "a/b", Hash: someHash}, {Name: "a b", Hash: someHash},
		{Name: strings.Repeat("a", 129), Hash: someHash}, {Name: "bot"}, {Name: "bot", Hash: "0a"}, {Name: "bot", Hash: strings.Repeat("x", 64)},
	} {
		if err := vault.AddConsumer(t.Context(), c); err == nil {
			t.Errorf("%.20q with the hash %q was saved", c.Name, c.Hash)
		}
	}
	if names := consumerNames(t, vault); len(names) > 0 {
		t.Errorf("saved: %v", names)
	}
	if err := vault.RemoveConsumer(t.Context(), "../token/ctrader/alice"); !errors.Is(err, venuekey.ErrNotFound) {
		t.Errorf("a name that is none: %v", err)
	}
}

// Whoever can write to the store and has no key can neither make a consumer nor turn one
// into another, which has more rights.
func TestAttackAConsumerThatWasPlanted(t *testing.T) {
	store := &memory.Store{}
	vault := &venuekey.Vault{Store: store, Key: oldKey}
	for _, name := range []string{"admin", "small"} {
		if err := vault.AddConsumer(t.Context(), venuekey.Consumer{Name: name, Hash: someHash}); err != nil {
			t.Fatal(err)
		}
	}
	admin, _ := store.Get(t.Context(), "consumer/admin")
	small, _ := store.Get(t.Context(), "consumer/small")
	small.Sealed = admin.Sealed
	planted := venuekey.Record{Key: "consumer/zero", Sealed: admin.Sealed, Generation: 1}
	bare := venuekey.Record{Key: "consumer/bare", Text: `{"name":"bare"}`}
	for _, record := range []venuekey.Record{small, planted, bare} {
		if _, err := store.Put(t.Context(), record); err != nil {
			t.Fatal(err)
		}
	}
	var good, damaged []string
	for c, err := range vault.Consumers(t.Context()) {
		if err == nil {
			good = append(good, c.Name)
		} else if venuekey.ClassOf(err) == venuekey.ClassDamaged && c.Hash == "" {
			damaged = append(damaged, c.Name)
		}
	}
	if !slices.Equal(good, []string{"admin"}) || !slices.Equal(damaged, []string{"bare", "small", "zero"}) {
		t.Errorf("good %v, damaged %v", good, damaged)
	}
	found, err := vault.Check(t.Context())
	if err != nil || found.Consumers != 1 || len(found.Damaged) != 3 {
		t.Errorf("the check finds %+v, %v", found, err)
	}
	if err := vault.RemoveConsumer(t.Context(), "small"); err != nil {
		t.Errorf("a damaged one stays: %v", err)
	}
}

// A rotation of keys and a move to another store take consumers along.
func TestConsumersSurviveANewKeyAndANewStore(t *testing.T) {
	from, to := &memory.Store{}, &memory.Store{}
	vault := &venuekey.Vault{Store: from, Key: oldKey}
	if err := vault.AddConsumer(t.Context(), venuekey.Consumer{Name: "bot", Hash: someHash}); err != nil {
		t.Fatal(err)
	}
	if _, err := rotator(from).Rekey(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	onlyNew(t, from)
	if _, err := rotator(from).Copy(t.Context(), to, nil); err != nil {
		t.Fatal(err)
	}
	if names := consumerNames(t, &venuekey.Vault{Store: to, Key: newKey}); !slices.Equal(names, []string{"bot"}) {
		t.Errorf("there are %v", names)
	}
}

func ExampleVault_Consumers() {
	ctx := context.Background()
	vault := &venuekey.Vault{Store: &memory.Store{}, Key: venuekey.SealKey{1}}
	for _, name := range []string{"grafana", "bot-7"} {
		// Package agent/consumer makes the token, and its hash.
		if err := vault.AddConsumer(ctx, venuekey.Consumer{Name: name, Hash: strings.Repeat("0", 64), Allow: []string{"ttp/*:status"}}); err != nil {
			fmt.Println(err)
		}
	}
	if err := vault.RemoveConsumer(ctx, "bot-7"); err != nil {
		fmt.Println(err)
	}
	for c, err := range vault.Consumers(ctx) {
		fmt.Println(c.Name, c.Allow, err)
	}
	// A program that watches the store reads them again when one of them changes.
	fmt.Println(venuekey.IsConsumerKey("consumer/grafana"), venuekey.IsConsumerKey("token/ttp/alice"))
	// Output:
	// grafana [ttp/*:status] <nil>
	// true false
}
