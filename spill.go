package venuekey

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// A rotation is a token that a venue gave and that the store does not have yet.
// Where the store refuses it, it lies in a spill file: sealed like a record,
// flushed to disk with its folder, and saved by whoever comes first once the
// store answers. Spills are fenced by generation like every save, so that a
// file which is found twice, or late, does no harm.
type rotation struct {
	// record is what is to be written, sealed, with the new generation.
	record Record
	token  Token
	// key is what record is sealed with.
	Key Key
	// spilled says that the spill file is on disk.
	spilled bool
}

// fence is the generation that the record must still have when it is written.
func (r rotation) fence() int64 { return r.record.Generation - 1 }

// rotation seals a token that just arrived.
func (k *Keeper) rotation(claimed Record, token Token, policy Policy) (rotation, error) {
	record := granted(claimed, token, policy)
	record.Generation++
	sealed, err := k.Vault.sealed(record, sealedFrom(token))
	r := rotation{record: sealed, token: token}
	if err == nil {
		r.Key, err = k.Vault.keyOf(sealed.Sealed)
	}
	return r, err
}

const spillSuffix = ".spill"

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
	if k.Spill == "" || r.spilled {
		return r.spilled
	}
	text, err := json.Marshal(r.record)
	if err == nil {
		err = writeDurably(k.spillPath(r.record.Key, r.Key), text)
	}
	if err != nil {
		k.log().Error("the store refuses a renewed token, and so does the spill folder", "id", id, "error", err)
		return false
	}
	r.spilled = true
	k.log().Warn("the store refuses a renewed token; it lies in a spill file until the store answers", "id", id)
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

// hold keeps a rotation that could not be saved, and flush saves it.
func (k *Keeper) hold(id ID, r rotation) {
	k.mu.Lock()
	k.unsaved[id] = r
	k.mu.Unlock()
	k.Source(id).fresh.Store(nil) // the next caller tries again to save it
}

// flush saves what waits for an ID, in memory or in a spill file that this or
// another program left. It comes before every look at the stored token, so that
// an older one is never taken for the newest. What the store still refuses is
// returned: it is as good as a saved one, if it lies in a spill file.
func (k *Keeper) flush(ctx context.Context, id ID) (waiting *rotation, err error) {
	k.mu.Lock()
	r, held := k.unsaved[id]
	delete(k.unsaved, id)
	k.mu.Unlock()
	if !held && k.Spill != "" {
		if r, held, err = k.findSpill(id); err != nil {
			// The record's intent is open; the policy says what becomes of it.
			k.log().Error("a spill file cannot be used", "id", id, "error", err)
		}
	}
	if !held {
		return nil, nil
	}
	_, err = k.save(ctx, id, r)
	k.mu.Lock()
	defer k.mu.Unlock()
	if r, held := k.unsaved[id]; held && err == nil {
		return &r, nil
	}
	return nil, err
}

// waiting is what flush leaves waiting, if it is newer than a generation. Whoever
// is about to present a token asks for it, since its successor may have been
// spilled a moment ago. What flush saved is seen in the store instead: the claim
// finds the record changed.
func (k *Keeper) waiting(ctx context.Context, id ID, than int64) (token Token, found bool, err error) {
	r, err := k.flush(ctx, id)
	if err != nil || r == nil || r.record.Generation <= than {
		return Token{}, false, err
	}
	return r.token, true, nil
}

// waits looks for a rotation of an ID without saving it.
func (k *Keeper) waits(id ID) (rotation, bool) {
	k.mu.Lock()
	r, held := k.unsaved[id]
	k.mu.Unlock()
	if !held && k.Spill != "" {
		r, held, _ = k.findSpill(id)
	}
	return r, held
}

// flushAll saves everything that waits, and says what still does.
func (k *Keeper) flushAll(ctx context.Context) error {
	k.mu.Lock()
	waiting := slices.Collect(maps.Keys(k.unsaved))
	k.mu.Unlock()
	names, err := k.spillFiles()
	for _, name := range names {
		r, ok, unreadable := k.readSpill(filepath.Join(k.Spill, name))
		err = errors.Join(err, unreadable)
		if id := r.record.ID(); ok && !slices.Contains(waiting, id) {
			waiting = append(waiting, id)
		}
	}
	for _, id := range waiting {
		r, refused := k.flush(ctx, id)
		if r != nil {
			refused = &Error{ID: id, Op: "save", Class: Failed, Reason: "the store refuses a renewed token, which waits in a spill file"}
		}
		err = errors.Join(err, refused)
	}
	return err
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
	var names []string
	for _, entry := range entries {
		keyID, _, _ := strings.Cut(entry.Name(), "-")
		ours := slices.ContainsFunc(k.Vault.keyring().Keys, func(key Key) bool { return key.ID() == keyID })
		if ours && strings.HasSuffix(entry.Name(), spillSuffix) {
			names = append(names, entry.Name())
		}
	}
	return names, err
}

// readSpill reads a spill file; none is no error. A file that does not open
// stays where it is: it may be the only copy of a token.
func (k *Keeper) readSpill(path string) (rotation, bool, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return rotation{}, false, nil
	}
	r := rotation{spilled: true}
	if err == nil {
		err = json.Unmarshal(text, &r.record)
	}
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
