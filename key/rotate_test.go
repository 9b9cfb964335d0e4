package key

import (
	"errors"
	"os"
	"slices"
	"testing"
)

// rotate_test.go owns the life of keys that follow each other.

func TestKeysFollowEachOther(t *testing.T) {
	for _, choice := range []Choice{ChoiceFile, ChoiceKeyring, ChoicePassphrase} {
		t.Run(string(choice), func(t *testing.T) {
			c := config(t)
			first, _ := mustCreate(t, c, choice)

			// The next key is there, and the first one seals.
			added, err := c.Add(t.Context())
			if err != nil || added.Choice != choice {
				t.Fatalf("%+v %v", added, err)
			}
			if _, err := c.Add(t.Context()); !errors.Is(err, ErrExists) {
				t.Fatalf("a third one while the second does not seal: %v", err)
			}
			keys, info, err := c.LoadAll(t.Context())
			if err != nil || len(keys) != 2 || keys[0] != first || identify(keys[1]) != added.ID || info.ID != identify(first) {
				t.Fatalf("%d keys, %+v %v", len(keys), info, err)
			}
			if retired, err := c.Retire(); err != nil || len(retired) != 0 {
				t.Fatalf("retired %v %v", retired, err)
			}

			// It seals, and the first one still opens.
			if id, err := c.Use(); err != nil || id != added.ID {
				t.Fatal(id, err)
			}
			if key, info, err := c.Load(t.Context()); err != nil || key != keys[1] || info.ID != added.ID {
				t.Fatalf("%+v %v", info, err)
			}
			if all, current, err := c.IDs(); err != nil || current != added.ID || !slices.Equal(all, []string{identify(first), added.ID}) {
				t.Fatal(all, current, err)
			}

			// The first one is gone, from key.json and from where it was kept.
			if retired, err := c.Retire(); err != nil || !slices.Equal(retired, []string{identify(first)}) {
				t.Fatal(retired, err)
			}
			if left, _, err := c.LoadAll(t.Context()); err != nil || len(left) != 1 || left[0] != keys[1] {
				t.Fatal(len(left), err)
			}
			if _, _, err := c.load(t.Context(), choice, identify(first)); !errors.Is(err, ErrLost) {
				t.Fatalf("the retired key: %v", err)
			}
		})
	}
}

// Another machine has begun to use a key that was brought here as the next one.
func TestAKeyThatAnotherMachineHasBegunToUse(t *testing.T) {
	c := config(t)
	first, _ := mustCreate(t, c, ChoiceFile)
	next, err := c.Add(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct{ follow, seals string }{
		{"0000000000000000", identify(first)}, // one that is not known here
		{next.ID, next.ID},
		{identify(first), next.ID}, // and not back again
	} {
		if err := c.Follow(step.follow); err != nil {
			t.Fatal(err)
		}
		if _, current, err := c.IDs(); err != nil || current != step.seals {
			t.Errorf("after %s %s seals, want %s; %v", step.follow, current, step.seals, err)
		}
	}
}

func TestKeysThatMakeNoSense(t *testing.T) {
	c := config(t)
	mustCreate(t, c, ChoiceFile)
	for _, text := range []string{
		`{"version":1,"choice":"file","id":"9067408613aeb406","keys":["0067408613aeb406"]}`,
		`{"version":1,"choice":"file","id":"9067408613aeb406","keys":["9067408613aeb406","../../x"]}`,
	} {
		if err := os.WriteFile(c.path(memoryName), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, _, err := c.LoadAll(t.Context()); !errors.Is(err, ErrLost) {
			t.Errorf("%s: %v", text, err)
		}
	}
}
