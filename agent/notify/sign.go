package notify

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"
	"time"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/internal/foreign"
	"github.com/venuekey/venuekey/internal/own"
)

// sign.go owns the signature of a notice: HMAC-SHA-256 (RFC 2104) over the time, a dot and
// the body, so that neither can be changed, and an old request is no new one.

const (
	// HeaderSignature has the signature: t=UNIXSECONDS,v1=HEX.
	HeaderSignature = "Venuekey-Signature"
	// HeaderDelivery has the delivery of the notice, which its body has too.
	HeaderDelivery = "Venuekey-Delivery"
	// UsualTolerance is how old or how far ahead a signature may be.
	UsualTolerance = 5 * time.Minute

	leastKey      = 32
	longestKey    = 4 << 10
	longestHeader = 1 << 10
	mostTried     = 4 // signatures in one header, as while a key is replaced
)

var (
	// ErrNotSigned matches, by errors.Is, what Verify says of a header that has no signature
	// in it.
	ErrNotSigned = errors.New("the header has no signature")
	// ErrForged matches what Verify says of a signature that was made with another key, or of
	// another body or time.
	ErrForged = errors.New("the signature does not fit the body and the key")
	// ErrStale matches what Verify says of a good signature of another time: the request was
	// kept and sent again, or a clock is wrong.
	ErrStale = errors.New("the signature is of another time")
)

// ReadKey reads a key from a file, without the line break at its end. It has 32 bytes at
// least, and only this user can read the file:
//
//	(umask 077; openssl rand -hex 32 >webhook.key)
func ReadKey(path string) (venuekey.Secret, error) {
	wrong := func(reason, remedy string, err error) error {
		return &venuekey.Error{Op: "webhook key", Class: venuekey.ClassMisconfigured, Reason: foreign.Fit(reason), Remedy: remedy, Err: err}
	}
	text, err := own.Read(path, longestKey, 0o077)
	exposed, isExposed := errors.AsType[*own.Exposed](err)
	switch {
	case isExposed:
		return "", wrong(exposed.Path+" "+exposed.Reason, exposed.Remedy, err)
	case errors.Is(err, own.ErrLong):
		return "", wrong(path+" is too long for a key", makeKey(path), err)
	case errors.Is(err, fs.ErrNotExist):
		return "", wrong("there is no file "+path, makeKey(path), err)
	case err != nil:
		return "", wrong(err.Error(), "", err)
	}
	key := venuekey.Secret(strings.TrimRight(string(text), "\r\n"))
	if len(key) < leastKey {
		return "", wrong(fmt.Sprintf("the key in %s has %d bytes, and needs %d", path, len(key), leastKey), makeKey(path), nil)
	}
	return key, nil
}

func makeKey(path string) string {
	return foreign.Fit("(umask 077; openssl rand -hex 32 >" + path + ")")
}

// sign returns the header for a body that is sent at a time.
func sign(key venuekey.Secret, body []byte, at time.Time) string {
	seconds := strconv.FormatInt(at.Unix(), 10)
	return "t=" + seconds + ",v1=" + hex.EncodeToString(codeOf(key, seconds, body))
}

func codeOf(key venuekey.Secret, seconds string, body []byte) []byte {
	code := hmac.New(sha256.New, []byte(key))
	code.Write([]byte(seconds + "."))
	code.Write(body)
	return code.Sum(nil)
}

// Verify is for whoever receives notices. It reports whether the header was made for this
// very body with this key, and not longer ago than the tolerance; zero is UsualTolerance.
// Compare the body as it came, before anything parses it, and remember the deliveries of
// that time: one that comes twice was repeated by the sender, or by someone else.
func Verify(key venuekey.Secret, header string, body []byte, now time.Time, tolerance time.Duration) error {
	if len(key) < leastKey {
		return fmt.Errorf("the key has %d bytes, and needs %d", len(key), leastKey)
	}
	seconds, codes, err := parseSignature(header)
	if err != nil {
		return err
	}
	want, fits := codeOf(key, seconds, body), false
	for _, code := range codes {
		fits = hmac.Equal(code, want) || fits
	}
	if !fits {
		return ErrForged
	}
	if tolerance <= 0 {
		tolerance = UsualTolerance
	}
	at, _ := strconv.ParseInt(seconds, 10, 64) // it was parsed
	if off := now.Sub(time.Unix(at, 0)); off > tolerance || off < -tolerance {
		return fmt.Errorf("%w: it is %s off", ErrStale, off.Round(time.Second))
	}
	return nil
}

// parseSignature reads a header. Fields that this version does not know are passed over.
func parseSignature(header string) (seconds string, codes [][]byte, err error) {
	if len(header) > longestHeader {
		return "", nil, ErrNotSigned
	}
	for field := range strings.SplitSeq(header, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(field), "=")
		switch name {
		case "t":
			at, err := strconv.ParseInt(value, 10, 64)
			if err != nil || at < 0 || strconv.FormatInt(at, 10) != value || seconds != "" {
				return "", nil, ErrNotSigned
			}
			seconds = value
		case "v1":
			code, err := hex.DecodeString(value)
			if err != nil || len(code) != sha256.Size || len(codes) == mostTried {
				return "", nil, ErrNotSigned
			}
			codes = append(codes, code)
		}
	}
	if seconds == "" || len(codes) == 0 {
		return "", nil, ErrNotSigned
	}
	return seconds, codes, nil
}
