package key_test

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/key"
	"github.com/venuekey/venuekey/store/memory"
)

// folder returns a new folder, and a function that removes it.
func folder() (dir string, remove func()) {
	dir, err := os.MkdirTemp("", "venuekey-example-")
	if err != nil {
		panic(err)
	}
	return dir, func() { _ = os.RemoveAll(dir) }
}

// The first start creates the key. ErrExists means that another program was faster: its
// key can be opened now.
func ExampleConfig_Create() {
	ctx := context.Background()
	dir, remove := folder()
	defer remove()
	keys := key.Config{Dir: dir}

	_, _, err := keys.Load(ctx)
	fmt.Println("none yet:", errors.Is(err, key.ErrNoKey))
	made, info, err := keys.Create(ctx, key.ChoiceFile) // key.ChoiceAutomatic is the keyring, if there is one
	fmt.Println(info.Choice, err)
	_, _, err = keys.Create(ctx, key.ChoiceFile)
	fmt.Println("another start was faster:", errors.Is(err, key.ErrExists))
	loaded, _, err := keys.Load(ctx)
	fmt.Println(loaded == made, err)
	// Output:
	// none yet: true
	// file <nil>
	// another start was faster: true
	// true <nil>
}

// The vault that a Config opens follows when the keys are rotated, by this program or
// another.
func ExampleConfig_Vault() {
	ctx := context.Background()
	dir, remove := folder()
	defer remove()
	keys := key.Config{Dir: dir}
	if _, _, err := keys.Create(ctx, key.ChoiceFile); err != nil {
		fmt.Println(err)
		return
	}
	vault, info, err := keys.Vault(ctx, &memory.Store{}) // a real one: sqlite.Open
	if err != nil {
		fmt.Println(err)
		return
	}
	seals, err := vault.SealingKey(ctx)
	fmt.Println(seals == info.ID, err)
	// Output:
	// true <nil>
}

// The passphrase is asked for when it is needed, and can be changed without sealing
// anything again.
func ExampleConfig_ChangePassphrase() {
	ctx := context.Background()
	dir, remove := folder()
	defer remove()
	says := func(text string) func(context.Context) (string, error) {
		return func(context.Context) (string, error) { return text, nil }
	}
	fmt.Println(errors.Is(key.CheckPassphrase("secret"), key.ErrWeak))

	keys := key.Config{Dir: dir, Passphrase: says("correct horse battery staple")}
	if _, _, err := keys.Create(ctx, key.ChoicePassphrase); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(keys.ChangePassphrase(ctx, says("incorrect horse battery staple")))
	// Output:
	// true
	// <nil>
}

// A rotation: create the next key, seal everything with it, and destroy the older ones.
// Programs that share the vault follow on their own.
func ExampleConfig_Add() {
	ctx := context.Background()
	dir, remove := folder()
	defer remove()
	keys := key.Config{Dir: dir}
	if _, _, err := keys.Create(ctx, key.ChoiceFile); err != nil {
		fmt.Println(err)
		return
	}
	_, err := keys.Add(ctx)
	fmt.Println("added:", err)
	newest, err := keys.Use()
	fmt.Println("seals from now on:", err)

	vault, info, err := keys.Vault(ctx, &memory.Store{})
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = vault.Rekey(ctx, nil)
	fmt.Println(info.ID == newest, err)
	retired, err := keys.Retire() // look first: what is still sealed with one is lost
	all, seals, _ := keys.IDs()
	fmt.Println(len(retired), err, len(all), seals == newest)
	// Output:
	// added: <nil>
	// seals from now on: <nil>
	// true <nil>
	// 1 <nil> 1 true
}

// Machines that share a vault need the same keys. Import adds those of another machine
// and replaces nothing.
func ExampleConfig_Import() {
	ctx := context.Background()
	here, remove := folder()
	defer remove()
	there, clear := folder()
	defer clear()
	first := key.Config{Dir: here}
	if _, _, err := first.Create(ctx, key.ChoiceFile); err != nil {
		fmt.Println(err)
		return
	}
	all, info, err := first.LoadAll(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	second := key.Config{Dir: there}
	brought, added, err := second.Import(ctx, key.ChoiceFile, all, info.ID)
	fmt.Println(added, brought.ID == info.ID, err)
	// A machine follows when it learns that a newer key seals.
	fmt.Println(second.Follow(info.ID))
	// Output:
	// 1 true <nil>
	// <nil>
}

// An ID identifies a key and reveals nothing about it.
func ExampleInfo() {
	fmt.Println(len(venuekey.SealKey{1}.ID()))
	// Output:
	// 16
}
