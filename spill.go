package venuekey

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/venuekey/venuekey/internal/draft"
	"github.com/venuekey/venuekey/internal/foreign"
	"github.com/venuekey/venuekey/internal/own"
)

// spill.go owns spill files, which hold renewed tokens that the store refuses.

const (
	spillSuffix = ".spill"
	// longestSpill is more than any sealed record needs.
	longestSpill = 4 << 20
)

// spillForm is the content of a spill file: the record to write, and the generation that
// it replaces.
type spillForm struct {
	Record
	Replaces int64 `json:",omitempty"`
}

// spillName returns the name of a record's spill file. It contains the ID of the key that
// sealed the record, so that vaults can share a folder; the record's key is hashed, since
// it may name a user.
func spillName(recordKey string, key SealKey) string {
	hash := sha256.Sum256([]byte(recordKey))
	return key.ID() + "-" + hex.EncodeToString(hash[:12]) + spillSuffix
}

// findSpill looks for an ID's spill file in every folder, whatever key it is sealed with:
// it may come from a program that followed a rotation of keys before this one did. The
// newest generation counts; a file that cannot be read is an error only if there is no
// other.
func (k *Keeper) findSpill(id ID) (newest rotation, found bool, err error) {
	_, ending, _ := strings.Cut(spillName(tokenPrefix+id.String(), SealKey{}), "-")
	for _, folder := range k.Spills {
		entries, unreadable := os.ReadDir(folder)
		if unreadable != nil && !missing(unreadable) {
			err = errors.Join(err, unreadable)
		}
		for _, entry := range entries {
			if _, name, _ := strings.Cut(entry.Name(), "-"); name != ending {
				continue
			}
			r, held, unreadable := k.readSpill(filepath.Join(folder, entry.Name()))
			if errors.Is(unreadable, errSealOtherKey) {
				continue // another vault's
			}
			err = errors.Join(err, unreadable)
			if held && (!found || r.record.Generation > newest.record.Generation) {
				newest, found = r, true
			}
		}
	}
	if found {
		err = nil
	}
	return newest, found, err
}

// writeSpill writes a rotation to a file in the first folder that accepts it, over the
// folder's reserve if there is no room for a new file. When it returns no error, the file
// is durable.
func (k *Keeper) writeSpill(r rotation) (file string, err error) {
	text, err := json.Marshal(spillForm{r.record, r.from})
	failed := errors.Join(errNoSpill, err)
	for _, folder := range k.Spills {
		file := filepath.Join(folder, spillName(r.record.Key, r.Key))
		err := writeDurably(file, text)
		if err != nil && writeReserved(file, text) == nil {
			err = nil
		}
		if err == nil {
			return file, nil
		}
		failed = errors.Join(failed, err)
	}
	return "", failed
}

var errNoSpill = errors.New("no spill folder accepts it")

// removeSpills removes the files of a rotation that was saved. A later rotation that
// another program spilled meanwhile has the same file name, and stays.
func (k *Keeper) removeSpills(r rotation) {
	for _, folder := range k.Spills {
		file := filepath.Join(folder, spillName(r.record.Key, r.Key))
		if there, ok, err := k.readSpill(file); err == nil && (!ok || there.record.Generation > r.record.Generation) {
			continue
		}
		// A file that cannot be removed is found again and fenced off.
		if err := os.Remove(file); err != nil && !missing(err) {
			k.log().Warn("a spill file whose token is saved cannot be removed", "error", systemError(err))
		}
	}
}

// missing reports whether a file does not exist, or its folder is not a folder.
func missing(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR)
}

// spillFiles returns the spill files of this vault, in all folders.
func (k *Keeper) spillFiles() (files []string, err error) {
	for _, folder := range k.Spills {
		entries, unreadable := os.ReadDir(folder)
		if unreadable != nil && !missing(unreadable) {
			err = errors.Join(err, unreadable)
		}
		for _, entry := range entries {
			keyID, _, _ := strings.Cut(entry.Name(), "-")
			ours := slices.ContainsFunc(k.Vault.keyring().Keys, func(key SealKey) bool { return key.ID() == keyID })
			if ours && strings.HasSuffix(entry.Name(), spillSuffix) {
				files = append(files, filepath.Join(folder, entry.Name()))
			}
		}
	}
	return files, err
}

// readSpill reads a spill file; a missing one is not an error. A file that does not open
// stays: it may be the only copy of a token.
func (k *Keeper) readSpill(path string) (rotation, bool, error) {
	text, err := own.Read(path, longestSpill, 0o022)
	if missing(err) {
		return rotation{}, false, nil
	}
	var form spillForm
	if err == nil {
		err = json.Unmarshal(text, &form)
	}
	r := rotation{record: form.Record, from: form.Replaces, file: path}
	if err == nil {
		err = checkCounts(r.record)
	}
	if err == nil {
		r.token, err = k.Vault.openToken(r.record)
	}
	if err == nil {
		r.Key, err = k.Vault.keyOf(r.record.Sealed)
	}
	if err != nil {
		return rotation{}, false, &Error{Op: "spill", Class: ClassDamaged, Reason: foreign.Fit(fmt.Sprintf("spill file %s does not open: %v", filepath.Base(path), err)),
			Remedy: "keep the file; sign in again if the token it holds is needed now", Err: systemError(err)}
	}
	return r, true, nil
}

// writeDurably writes a private file under another name and renames it once it is on
// disk.
func writeDurably(path string, text []byte) error {
	if err := own.MakeFolder(filepath.Dir(path)); err != nil {
		return err
	}
	return draft.Write(path, "spill", os.Rename, func(file *os.File) error {
		_, err := file.Write(text)
		return err
	})
}
