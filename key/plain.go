package key

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// plain.go owns the key file: the key unencrypted, in a file that only its owner can
// read.

const plainTitle = "venuekey key file, version 1"

// plain stores keys in files of a folder.
type plain struct{ dir string }

func (p plain) where(id string) string { return filepath.Join(p.dir, "seal-"+id+".key") }

func (p plain) store(_ context.Context, id string, key [Size]byte) error {
	return writeNew(p.where(id), format(plainTitle,
		[]string{"Anyone who can read this file can open the vault: keep it private, and keep a copy in a safe place."},
		[][2]string{{"key", base64.StdEncoding.EncodeToString(key[:])}}))
}

func (p plain) load(_ context.Context, id string) (key [Size]byte, err error) {
	path := p.where(id)
	text, err := readOwn(path, 0o077)
	if errors.Is(err, fs.ErrNotExist) {
		return key, fmt.Errorf("%w: there is no %s; bring it back from a copy", ErrLost, path)
	}
	if err != nil {
		return key, err
	}
	fields, ok := parse(text, plainTitle)
	if !ok || !decode(fields["key"], key[:]) {
		return [Size]byte{}, fmt.Errorf("%w: %s is damaged; bring it back from a copy", ErrLost, path)
	}
	return key, nil
}

func (p plain) discard(id string) { _ = os.Remove(p.where(id)) }

// decode decodes base64 into a slice of exactly its length.
func decode(text string, into []byte) bool {
	raw, err := base64.StdEncoding.Strict().DecodeString(text)
	return err == nil && len(raw) == len(into) && copy(into, raw) == len(into)
}
