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

// memory.go owns key.json, which remembers the choice.

const (
	memoryName    = "key.json"
	memoryVersion = 1
)

// memory is what key.json holds.
type memory struct {
	Version int    `json:"version"`
	Choice  Choice `json:"choice"`
	ID      string `json:"id"` // of the key that seals
	// Keys are all that something may be sealed with, the oldest first; none
	// means ID alone.
	Keys []string `json:"keys,omitempty"`
}

// all names every key, the oldest first.
func (m memory) all() []string {
	if len(m.Keys) == 0 {
		return []string{m.ID}
	}
	return slices.Clone(m.Keys)
}

// remembered reads the choice; ErrNoKey if there was none.
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

// isNoID looks at what becomes part of a file's name.
func isNoID(text string) bool {
	id, err := hex.DecodeString(text)
	return err != nil || len(id) != idSize
}

// remember writes the choice, once and for all: whoever is second gets
// ErrExists.
func (c Config) remember(m memory) error {
	text, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return err
	}
	err = writeNew(c.path(memoryName), append(text, '\n'))
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%w: another program has just made it", ErrExists)
	}
	return err
}

func (c Config) path(name string) string { return filepath.Join(c.Dir, name) }
