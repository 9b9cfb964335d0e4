package postgres

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
)

// whisper.go owns how announcements are hidden from others. Any role that can connect to
// the database can listen and notify on every channel; PostgreSQL has no privilege for
// that. So the channel's name and the encryption key derive from a random number in the
// table migration, which needs a privilege to read. Other roles cannot find the channel,
// learn no user names from it, and what they send there is discarded before it costs
// anything.

// whisper is the channel and the key of one schema. It opens no record.
type whisper struct {
	channel string
	key     []byte
}

// secretSize is the least size of the random number, in bytes.
const secretSize = 32

// whisperFrom derives both from the random number.
func whisperFrom(secret []byte) *whisper {
	name := derived(secret, "channel", nil)
	return &whisper{channel: "venuekey_" + hex.EncodeToString(name[:16]), key: derived(secret, "announcements", nil)}
}

func derived(secret []byte, use string, salt []byte) []byte {
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(use))
	mac.Write(salt)
	return mac.Sum(nil)
}

const (
	saltSize = 16
	// wrapSize is how many bytes sealing adds.
	wrapSize = saltSize + 16
	// textSize is how many bytes one announcement can hold: PostgreSQL accepts a little
	// less than 8000 in a notification, and base64 turns 3 into 4.
	textSize = 7900/4*3 - wrapSize
)

// seal encrypts a text into a payload. Each has a key of its own, so the constant zero
// nonce is never used twice with one key.
func (w *whisper) seal(text string) string {
	sealed := make([]byte, saltSize, wrapSize+len(text))
	rand.Read(sealed)
	aead := w.aead(sealed)
	return base64.RawStdEncoding.EncodeToString(aead.Seal(sealed, make([]byte, aead.NonceSize()), []byte(text), nil))
}

// open decrypts a payload, and reports false if it is not one of ours.
func (w *whisper) open(payload string) (string, bool) {
	sealed, err := base64.RawStdEncoding.DecodeString(payload)
	if err != nil || len(sealed) < wrapSize {
		return "", false
	}
	aead := w.aead(sealed[:saltSize])
	text, err := aead.Open(nil, make([]byte, aead.NonceSize()), sealed[saltSize:], nil)
	return string(text), err == nil
}

func (w *whisper) aead(salt []byte) cipher.AEAD {
	block, err := aes.NewCipher(derived(w.key, "one", salt))
	if err != nil {
		panic(err) // unreachable: the key has 32 bytes
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		panic(err) // unreachable: AES has blocks of 16 bytes
	}
	return aead
}
