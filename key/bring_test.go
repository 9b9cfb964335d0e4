package key

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

// bring_test.go owns bringing keys from one machine to another.

func TestKeysAreBroughtToAnotherMachine(t *testing.T) {
	for _, choice := range choices {
		t.Run(string(choice), func(t *testing.T) {
			here, there := config(t), config(t)
			there.Keyring = newRing()
			mustCreate(t, here, ChoiceFile)
			bring := func(added int) {
				t.Helper()
				keys, info, err := here.LoadAll(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				got, n, err := there.Import(t.Context(), choice, keys, info.ID)
				if err != nil || n != added || got.ID != info.ID || got.Choice != choice {
					t.Fatalf("%d added, %+v, %v", n, got, err)
				}
				brought, told, err := there.LoadAll(t.Context())
				if err != nil || !slices.Equal(brought, keys) || told.ID != info.ID {
					t.Fatalf("%d keys, %+v, %v", len(brought), told, err)
				}
			}
			bring(1)
			bring(0) // again is no harm

			// A rotation is prepared, brought, and made.
			if _, err := here.Add(t.Context()); err != nil {
				t.Fatal(err)
			}
			bring(1)
			if _, err := here.Use(); err != nil {
				t.Fatal(err)
			}
			bring(0)
		})
	}
}

func TestNoKeyIsReplacedByOneThatIsBrought(t *testing.T) {
	here, there := config(t), config(t)
	first, mine := mustCreate(t, there, ChoiceFile)
	other, info := mustCreate(t, here, ChoiceFile)
	_, _, err := there.Import(t.Context(), ChoiceFile, [][Size]byte{other}, info.ID)
	wants(t, "a key of another vault", err, ErrForeign, mine.ID)
	if key, again, err := there.Load(t.Context()); err != nil || key != first || again != mine {
		t.Fatalf("the key that was there: %+v %v", again, err)
	}
	if _, _, err := there.Import(t.Context(), ChoiceFile, [][Size]byte{other}, mine.ID); err == nil || errors.Is(err, ErrForeign) {
		t.Errorf("what seals is not among them: %v", err)
	}
}

func TestRowsOfKeysAreJoined(t *testing.T) {
	for _, test := range []struct{ here, brought, want string }{
		{"a", "a", "a"},
		{"a", "a b", "a b"},
		{"a b", "a", "a b"},
		{"a b", "b c", "a b c"},  // there the oldest was retired
		{"b", "a b c", "a b c"},  // and here it was
		{"a b", "a b", "a b"},    // nothing is new
		{"a b c", "c", "a b c"},  // two were retired there
		{"a", "b", ""},           // two vaults
		{"a b", "a c", ""},       // each made a next one
		{"a b c d", "b c e", ""}, // the same, later
		{"a b c", "a c d", "a b c d"},
	} {
		got, err := joined(strings.Fields(test.here), strings.Fields(test.brought))
		if test.want == "" && !errors.Is(err, ErrForeign) || strings.Join(got, " ") != test.want {
			t.Errorf("%q and %q: %q %v, want %q", test.here, test.brought, got, err, test.want)
		}
	}
}
