package venuekey

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
)

// seal.go owns the seal of a record.

// SealKey is the key that seals records. It comes from package key, or from wherever the
// program keeps 32 random bytes.
type SealKey [32]byte

// ID returns a name for the key, 16 hexadecimal digits that reveal nothing about it.
func (k SealKey) ID() string {
	id := k.id()
	return hex.EncodeToString(id[:])
}

// Format implements fmt.Formatter: a key never prints.
func (k SealKey) Format(f fmt.State, _ rune) { fmt.Fprint(f, redacted) }

// LogValue implements slog.LogValuer, and redacts.
func (k SealKey) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText implements encoding.TextMarshaler, which JSON and most other encoders use.
// It redacts: to store a key, convert it to bytes.
func (k SealKey) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// MarshalBinary implements encoding.BinaryMarshaler, which gob uses. It redacts.
func (k SealKey) MarshalBinary() ([]byte, error) { return []byte(redacted), nil }

// A seal consists of
//
//	1 byte format | 8 bytes key ID | 16 bytes salt | 12 bytes nonce | ciphertext and tag
//
// Each seal has its own key, derived by HKDF-SHA-256 from the vault's key and the salt,
// so that no number of renewals brings the random nonces of AES-GCM near their limit
// (2^32 messages per key, NIST SP 800-38D §8.3). The associated data is the head, the
// record's key and its generation: a seal that was moved to another record, or an older
// one put under a newer generation, does not open.
const (
	sealFormat  = 1
	keyIDLength = 8
	saltLength  = 16
	headLength  = 1 + keyIDLength + saltLength
	// sealOverhead is what AES-GCM adds: the nonce before the ciphertext and the tag
	// after it.
	sealOverhead = 12 + 16
)

var (
	errSealBroken   = errors.New("the seal does not open: the record is damaged or was moved")
	errSealOtherKey = errors.New("the seal was made with another key")
	errSealUnknown  = errors.New("the seal has a format that this version does not know")
)

func (k SealKey) id() (id [keyIDLength]byte) {
	derived, _ := hkdf.Key(sha256.New, k[:], nil, "venuekey key id", keyIDLength)
	copy(id[:], derived)
	return id
}

func (k SealKey) aead(salt []byte) (cipher.AEAD, error) {
	derived, err := hkdf.Key(sha256.New, k[:], salt, "venuekey record", len(k))
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(derived)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(block)
}

func boundTo(head []byte, recordKey string, generation int64) []byte {
	bound := append([]byte(nil), head...)
	bound = append(bound, recordKey...)
	return strconv.AppendInt(append(bound, 0), generation, 10)
}

func (k SealKey) seal(plain []byte, recordKey string, generation int64) ([]byte, error) {
	id := k.id()
	head := make([]byte, headLength, headLength+len(plain)+sealOverhead)
	head[0] = sealFormat
	copy(head[1:], id[:])
	rand.Read(head[1+keyIDLength:])
	aead, err := k.aead(head[1+keyIDLength:])
	if err != nil {
		return nil, err
	}
	return aead.Seal(head, nil, plain, boundTo(head, recordKey, generation)), nil
}

func (k SealKey) open(sealed []byte, recordKey string, generation int64) ([]byte, error) {
	if id, ok := keyIDOf(sealed); ok && id != k.id() {
		return nil, errSealOtherKey
	}
	return k.openOwn(sealed, recordKey, generation)
}

// openOwn opens a seal whose head is known to name this key: deriving the key's ID takes
// as long as opening a seal.
func (k SealKey) openOwn(sealed []byte, recordKey string, generation int64) ([]byte, error) {
	if len(sealed) < headLength {
		return nil, errSealBroken
	}
	if sealed[0] != sealFormat {
		return nil, errSealUnknown
	}
	head := sealed[:headLength]
	aead, err := k.aead(head[1+keyIDLength:])
	if err != nil {
		return nil, err
	}
	plain, err := aead.Open(nil, nil, sealed[headLength:], boundTo(head, recordKey, generation))
	if err != nil {
		return nil, errSealBroken
	}
	return plain, nil
}
