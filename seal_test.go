package venuekey

import (
	"bytes"
	"errors"
	"testing"
)

func TestSealsOpenOnlyWhereTheyWereMade(t *testing.T) {
	key := SealKey{1}
	sealed, err := key.seal([]byte("plain"), "token/a/b", 7)
	if err != nil {
		t.Fatal(err)
	}
	if plain, err := key.open(sealed, "token/a/b", 7); err != nil || string(plain) != "plain" {
		t.Fatal(string(plain), err)
	}
	flipped := func(at int) []byte {
		damaged := bytes.Clone(sealed)
		damaged[at] ^= 1
		return damaged
	}
	for _, row := range []struct {
		name       string
		key        SealKey
		sealed     []byte
		recordKey  string
		generation int64
		want       error
	}{
		{"another record", key, sealed, "token/a/c", 7, errSealBroken},
		{"another generation", key, sealed, "token/a/b", 8, errSealBroken},
		{"another key", SealKey{2}, sealed, "token/a/b", 7, errSealOtherKey},
		{"another format", key, flipped(0), "token/a/b", 7, errSealUnknown},
		{"a flipped key id", key, flipped(1), "token/a/b", 7, errSealOtherKey},
		{"a flipped salt", key, flipped(10), "token/a/b", 7, errSealBroken},
		{"a flipped last bit", key, flipped(len(sealed) - 1), "token/a/b", 7, errSealBroken},
		{"cut short", key, sealed[:headLength+3], "token/a/b", 7, errSealBroken},
		{"nothing", key, nil, "token/a/b", 7, errSealBroken},
	} {
		if _, err := row.key.open(row.sealed, row.recordKey, row.generation); !errors.Is(err, row.want) {
			t.Errorf("%s: %v, want %v", row.name, err, row.want)
		}
	}
}

func FuzzOpen(f *testing.F) {
	key := SealKey{1}
	const sealedText = `{"access":"a"}`
	sealed, _ := key.seal([]byte(sealedText), "token/a/b", 1)
	f.Add(sealed)
	f.Add(sealed[:headLength])
	f.Add([]byte{sealFormat})
	f.Fuzz(func(t *testing.T, data []byte) {
		plain, err := key.open(data, "token/a/b", 1)
		// Whatever opens was sealed by somebody who has the key: by this test, in
		// this process or in the one that made the corpus.
		if err == nil && string(plain) != sealedText {
			t.Fatalf("opened %d bytes that were not sealed, giving %q", len(data), plain)
		}
		// The form under the seal is decoded from whatever opens.
		_, _ = (&Vault{Key: key}).Open(Record{Key: "token/a/b", Generation: 1, Sealed: data})
	})
}
