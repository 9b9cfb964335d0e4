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
)

// spill.go owns the files in which renewed tokens wait that the store refuses.

const spillSuffix = ".spill"

// spillForm is what lies in a spill file: the record as it is to be written, and
// the generation that it replaces.
type spillForm struct {
	Record
	Replaces int64 `json:",omitempty"`
}

// spillPath is where a record's spill lies. The name of the key that sealed it is
// in it, so that two vaults can share a folder; the record's is hashed, since it
// is a user's.
func (k *Keeper) spillPath(recordKey string, key Key) string {
	hash := sha256.Sum256([]byte(recordKey))
	return filepath.Join(k.Spill, key.ID()+"-"+hex.EncodeToString(hash[:12])+spillSuffix)
}

// findSpill looks for the spill of a record under every key of the vault, the
// newest first.
func (k *Keeper) findSpill(id ID) (r rotation, held bool, err error) {
	for _, key := range slices.Backward(k.Vault.keyring().Keys) {
		if r, held, err = k.readSpill(k.spillPath(tokenPrefix+id.String(), key)); held || err != nil {
			return r, held, err
		}
	}
	return rotation{}, false, nil
}

// spill writes the rotation to its file, and reports whether it is durable.
func (k *Keeper) spill(id ID, r *rotation) bool {
	if k.Spill == "" || r.file != "" {
		return r.file != ""
	}
	file := k.spillPath(r.record.Key, r.Key)
	text, err := json.Marshal(spillForm{r.record, r.from})
	if err == nil {
		err = writeDurably(file, text)
	}
	if err != nil {
		k.log().Error("the store refuses a renewed token, and so does the spill folder", "id", id, "error", err)
		return false
	}
	r.file = file
	k.log().Warn("the store refuses a renewed token; it lies in a spill file, sealed, until the store answers", "id", id, "file", file)
	return true
}

func (k *Keeper) unspill(r rotation) {
	if k.Spill == "" {
		return
	}
	// A file that cannot be removed is found again and fenced off.
	if err := os.Remove(k.spillPath(r.record.Key, r.Key)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		k.log().Warn("a spill file that is saved cannot be removed", "error", err)
	}
}

// spillFiles names the spill files of this vault.
func (k *Keeper) spillFiles() ([]string, error) {
	if k.Spill == "" {
		return nil, nil
	}
	entries, err := os.ReadDir(k.Spill)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var files []string
	for _, entry := range entries {
		keyID, _, _ := strings.Cut(entry.Name(), "-")
		ours := slices.ContainsFunc(k.Vault.keyring().Keys, func(key Key) bool { return key.ID() == keyID })
		if ours && strings.HasSuffix(entry.Name(), spillSuffix) {
			files = append(files, filepath.Join(k.Spill, entry.Name()))
		}
	}
	return files, err
}

// readSpill reads a spill file; none is no error. A file that does not open
// stays where it is: it may be the only copy of a token.
func (k *Keeper) readSpill(path string) (rotation, bool, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return rotation{}, false, nil
	}
	var form spillForm
	if err == nil {
		err = json.Unmarshal(text, &form)
	}
	r := rotation{record: form.Record, from: form.Replaces, file: path}
	if err == nil {
		r.token, err = k.Vault.Open(r.record)
	}
	if err == nil {
		r.Key, err = k.Vault.keyOf(r.record.Sealed)
	}
	if err != nil {
		return rotation{}, false, &Error{Op: "spill", Class: Damaged, Reason: fmt.Sprintf("spill file %s does not open: %v", filepath.Base(path), err),
			Remedy: "keep the file; sign in again if the token it holds is needed now", Err: err}
	}
	return r, true, nil
}

// writeDurably writes a private file under another name and renames it when it
// is on disk; the folder is flushed too, or the name could be lost.
func writeDurably(path string, text []byte) error {
	folder := filepath.Dir(path)
	if err := makeFolder(folder); err != nil {
		return err
	}
	file, err := os.CreateTemp(folder, ".spill-*") // mode 0600
	if err != nil {
		return err
	}
	_, err = file.Write(text)
	err = errors.Join(err, file.Sync(), file.Close())
	if err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(file.Name()))
	}
	return syncFolder(folder)
}
