package key

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
)

// memory.go owns key.json, which records the choice.

const (
	memoryName    = "key.json"
	memoryVersion = 1
)

// memory is what key.json holds.
type memory struct {
	Version int    `json:"version"`
	Choice  Choice `json:"choice"`
	ID      string `json:"id"` // of the key that seals
	// Keys are all keys that something may be sealed with, the oldest first; empty means
	// ID alone.
	Keys []string `json:"keys,omitempty"`
}

// all returns the IDs of all keys, the oldest first.
func (m memory) all() []string {
	if len(m.Keys) == 0 {
		return []string{m.ID}
	}
	return slices.Clone(m.Keys)
}

// remembered reads key.json; ErrNoKey if there is none.
func (c Config) remembered() (memory, error) {
	path := c.path(memoryName)
	var text []byte
	err := ownFolder(c.Dir)
	if err == nil {
		c.sweep()
		text, err = readOwn(path, 0o022)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return memory{}, fmt.Errorf("%w: there is no %s", ErrNoKey, path)
	}
	if err != nil {
		return memory{}, err
	}
	var m memory
	if err := json.Unmarshal(text, &m); err != nil {
		return memory{}, fmt.Errorf("%w: %s cannot be read (%w); bring it back from a copy", ErrLost, path, err)
	}
	if m.Version > memoryVersion {
		return memory{}, fmt.Errorf("key choice in %s was written by a newer venuekey; update this program", path)
	}
	if m.Version < 1 || len(m.Keys) > mostKeys || !slices.Contains(m.all(), m.ID) || slices.ContainsFunc(m.all(), isNoID) {
		return memory{}, fmt.Errorf("%w: %s does not name a key; bring it back from a copy", ErrLost, path)
	}
	return m, nil
}

// isNoID checks a name that becomes part of a file name.
func isNoID(text string) bool {
	id, err := hex.DecodeString(text)
	return err != nil || len(id) != idSize
}

// remember writes key.json for the first time. If another program was faster, the error
// is ErrExists.
func (c Config) remember(m memory) error {
	text, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return err
	}
	err = writeNew(c.path(memoryName), append(text, '\n'))
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%w: another program has just created it", ErrExists)
	}
	return err
}

func (c Config) path(name string) string { return filepath.Join(c.Dir, name) }
