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

// whisper.go owns what announcements look like to others. Whoever may connect to
// the database may listen on every channel and send on it, and PostgreSQL has no
// right for it. So the channel's name and the key that announcements are sealed
// with come from a random number in the table migration, which takes a right to
// read: others do not find the channel, read no name of a user on it, and what
// they send there is thrown away before it costs anything.

// whisper is the channel and the key of one schema. It holds nothing that opens a
// record.
type whisper struct {
	channel string
	key     []byte
}

// secretSize is how long the random number is, at least.
const secretSize = 32

// whisperFrom makes both out of the random number.
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
	// wrapSize is what sealing adds.
	wrapSize = saltSize + 16
	// textSize is how many bytes can be announced at once: PostgreSQL takes a
	// little less than 8000 in one notification, and base64 makes 4 of 3.
	textSize = 7900/4*3 - wrapSize
)

// seal makes a payload of a text. Each has a key of its own, so that no number of
// them wears out the nonce, which is always zero.
func (w *whisper) seal(text string) string {
	sealed := make([]byte, saltSize, wrapSize+len(text))
	rand.Read(sealed)
	aead := w.aead(sealed)
	return base64.RawStdEncoding.EncodeToString(aead.Seal(sealed, make([]byte, aead.NonceSize()), []byte(text), nil))
}

// open gives the text of a payload, and false where it is not one of ours.
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
		panic(err) // the key has 32 bytes
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		panic(err) // AES has blocks of 16 bytes
	}
	return aead
}
