package key

import (
	"cmp"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/crypto/argon2"
)

// wrapped.go owns the key under a passphrase: a random key, encrypted with one that
// argon2id derives from the passphrase. Changing the passphrase does not change the key.

const wrappedTitle = "venuekey key file under a passphrase, version 1"

// cost is what trying one passphrase takes. It is stored with the key, so that it can be
// raised without locking anyone out.
type cost struct {
	time    uint32 // passes
	memory  uint32 // KiB
	threads uint8
}

// usual is the second recommendation of RFC 9106 section 4, for machines where 2 GiB per
// attempt would be too much: three passes over 64 MiB.
var usual = cost{time: 3, memory: 64 << 10, threads: 4}

// bearable rejects parameters that would take the machine down, as in a damaged file: a
// Go program that cannot get its memory dies at once. There is room for four times the
// usual.
func (c cost) bearable() bool {
	return c.time >= 1 && c.time <= 16 && c.memory >= 8 && c.memory <= 256<<10 && c.threads >= 1 && c.threads <= 16
}

func (c cost) String() string {
	return fmt.Sprintf("time=%d memory=%d threads=%d", c.time, c.memory, c.threads)
}

// readCost reads what String writes, and nothing else.
func readCost(text string) (c cost, ok bool) {
	_, err := fmt.Sscanf(text, "time=%d memory=%d threads=%d", &c.time, &c.memory, &c.threads)
	return c, err == nil && c.String() == text && c.bearable()
}

// wrapped stores keys in files of a folder, under the passphrase that ask returns.
type wrapped struct {
	dir  string
	ask  func(ctx context.Context) (string, error)
	cost cost // zero means usual
}

func (w wrapped) where(id string) string { return filepath.Join(w.dir, "seal-"+id+".wrapped") }

func (w wrapped) store(ctx context.Context, id string, key [Size]byte) error {
	return w.put(ctx, id, key, writeNew)
}

// replace stores the key under another passphrase.
func (w wrapped) replace(ctx context.Context, id string, key [Size]byte) error {
	return w.put(ctx, id, key, rewrite)
}

func (w wrapped) put(ctx context.Context, id string, key [Size]byte, write func(string, []byte) error) error {
	passphrase, err := w.passphrase(ctx)
	if err != nil {
		return err
	}
	salt := make([]byte, 16)
	rand.Read(salt) // never fails
	c := cmp.Or(w.cost, usual)
	d := derive(passphrase, salt, c)
	return write(w.where(id), format(wrappedTitle,
		[]string{"A passphrase opens the key in this file. Without the file the passphrase is useless: keep a copy."},
		[][2]string{
			{"argon2id", c.String()},
			{"salt", base64.StdEncoding.EncodeToString(salt)},
			{"check", base64.StdEncoding.EncodeToString(d.check[:])},
			{"key", base64.StdEncoding.EncodeToString(d.seal(id, key))},
		}))
}

func (w wrapped) load(ctx context.Context, id string) (key [Size]byte, err error) {
	path := w.where(id)
	text, err := readOwn(path, 0o077)
	if errors.Is(err, fs.ErrNotExist) {
		return key, fmt.Errorf("%w: there is no %s; bring it back from a copy", ErrLost, path)
	}
	if err != nil {
		return key, err
	}
	f, ok := readWrapped(text)
	if !ok {
		return key, damaged(path)
	}
	passphrase, err := w.passphrase(ctx)
	if err != nil {
		return key, err
	}
	d := derive(passphrase, f.salt[:], f.cost)
	if subtle.ConstantTimeCompare(d.check[:], f.check[:]) == 0 {
		return key, fmt.Errorf("%w in %s; try again", ErrPassphrase, path)
	}
	if key, ok = d.open(id, f.sealed[:]); !ok {
		return key, damaged(path)
	}
	return key, nil
}

// wrappedFile is the content of such a file.
type wrappedFile struct {
	cost        cost
	salt, check [16]byte
	sealed      [12 + Size + 16]byte
}

// readWrapped parses one; ok is false if any part is not as it was written.
func readWrapped(text []byte) (f wrappedFile, ok bool) {
	fields, ok := parse(text, wrappedTitle)
	if !ok || !decode(fields["salt"], f.salt[:]) || !decode(fields["check"], f.check[:]) || !decode(fields["key"], f.sealed[:]) {
		return f, false
	}
	f.cost, ok = readCost(fields["argon2id"])
	return f, ok
}

func (w wrapped) discard(id string) { _ = os.Remove(w.where(id)) }

func (w wrapped) passphrase(ctx context.Context) (string, error) {
	if w.ask == nil {
		return "", fmt.Errorf("%w: it needs a passphrase, and this program cannot ask for one; run it in a terminal", ErrLocked)
	}
	passphrase, err := w.ask(ctx)
	if errors.Is(err, ErrWeak) {
		return "", err // a passphrase was given, but is too weak
	}
	if err != nil {
		return "", fmt.Errorf("%w: the passphrase was not given: %w", ErrLocked, err)
	}
	if passphrase == "" {
		return "", fmt.Errorf("%w: the passphrase is empty; type at least a few words", ErrLocked)
	}
	return passphrase, nil
}

func damaged(path string) error {
	return fmt.Errorf("%w: %s is damaged; bring it back from a copy", ErrLost, path)
}

// derived is what argon2id derives from a passphrase: a key to encrypt with, and a value
// that recognises the passphrase. They are separate parts of its output, so neither
// reveals the other. The value tells a wrong passphrase from a damaged file, which the
// seal alone cannot.
type derived struct {
	wrapping [Size]byte
	check    [16]byte
}

func derive(passphrase string, salt []byte, c cost) derived {
	raw := argon2.IDKey([]byte(passphrase), salt, c.time, c.memory, c.threads, 2*Size)
	var d derived
	copy(d.wrapping[:], raw)
	sum := sha256.Sum256(raw[Size:])
	copy(d.check[:], sum[:])
	return d
}

// seal returns a random nonce followed by the encrypted key, bound to the key's ID.
func (d derived) seal(id string, key [Size]byte) []byte {
	return d.aead().Seal(nil, nil, key[:], []byte(id))
}

func (d derived) open(id string, sealed []byte) (key [Size]byte, ok bool) {
	raw, err := d.aead().Open(nil, nil, sealed, []byte(id))
	return key, err == nil && copy(key[:], raw) == Size
}

func (d derived) aead() cipher.AEAD {
	block, err := aes.NewCipher(d.wrapping[:])
	if err != nil {
		panic(err) // unreachable: the length is right
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		panic(err) // unreachable: so is the block size
	}
	return aead
}
