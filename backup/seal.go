package backup

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"

	agefile "filippo.io/age"
	"filippo.io/age/armor"

	"github.com/venuekey/venuekey"
)

// seal.go owns sealing and opening files with age.

// Sealer seals a file: to a passphrase or to recipients.
type Sealer struct {
	recipients []agefile.Recipient
}

// ToPassphrase returns a Sealer for a passphrase. Trying a passphrase takes about a second.
func ToPassphrase(passphrase venuekey.Secret) (Sealer, error) {
	return ToPassphraseWith(passphrase, 0)
}

// ToPassphraseWith is ToPassphrase with another scrypt work factor, a logarithm; 0 is age's
// default.
func ToPassphraseWith(passphrase venuekey.Secret, work int) (Sealer, error) {
	recipient, err := agefile.NewScryptRecipient(string(passphrase))
	if err == nil && work != 0 {
		recipient.SetWorkFactor(work)
	}
	return Sealer{[]agefile.Recipient{recipient}}, err
}

// ToRecipients returns a Sealer for age recipients, one per line, as age-keygen prints them.
func ToRecipients(text io.Reader) (Sealer, error) {
	recipients, err := agefile.ParseRecipients(text)
	return Sealer{recipients}, err
}

// Seal wraps a writer: what is written to the result is sealed. The file is complete after
// Close.
func (s Sealer) Seal(to io.Writer) (io.WriteCloser, error) {
	return agefile.Encrypt(to, s.recipients...)
}

var (
	// ErrNotSealed means that the file is not an age file.
	ErrNotSealed = errors.New("the file is not an age file")
	// ErrByPassphrase means that the file is sealed with a passphrase, but an identity was
	// given.
	ErrByPassphrase = errors.New("the file is sealed with a passphrase")
	// ErrPassphrase means that the passphrase does not open the file.
	ErrPassphrase = errors.New("the passphrase does not open the file")
	// ErrToRecipient means that the file is sealed to a recipient, but no identity was
	// given.
	ErrToRecipient = errors.New("the file is sealed to a recipient")
	// ErrIdentity means that the identity does not belong to a recipient of the file.
	ErrIdentity = errors.New("the identity does not open the file")
)

// Opener opens a sealed file. WithPassphrase and WithIdentities return one.
type Opener struct {
	// What is the name of the file in errors; "" means "backup".
	What string
	// Plain makes Open return a file that is not sealed as it is.
	Plain bool

	ask        func(context.Context) (venuekey.Secret, error)
	identities []agefile.Identity
}

// WithPassphrase returns an Opener for a passphrase. ask is called only if the file is sealed
// with one; its error is the error of Open.
func WithPassphrase(ask func(context.Context) (venuekey.Secret, error)) Opener {
	return Opener{ask: ask}
}

// WithIdentities returns an Opener for age identities, as age-keygen writes them. The error
// may repeat the text: do not show it.
func WithIdentities(text io.Reader) (Opener, error) {
	identities, err := agefile.ParseIdentities(text)
	return Opener{identities: identities}, err
}

// Open opens a sealed file, binary or armored. If it does not open, the error is a
// [venuekey.Error] that matches ErrNotSealed, ErrByPassphrase, ErrPassphrase, ErrToRecipient
// or ErrIdentity.
func (o Opener) Open(ctx context.Context, from io.Reader) (io.Reader, error) {
	buffered := bufio.NewReader(from)
	var stream io.Reader = buffered
	begins, _ := buffered.Peek(21)
	switch {
	case bytes.HasPrefix(begins, []byte("-----BEGIN AGE")):
		stream = armor.NewReader(buffered)
	case o.Plain && !bytes.HasPrefix(begins, []byte("age-encryption.org/v1")):
		return buffered, nil
	}
	asking := &passphraseWhenWanted{ask: func() (venuekey.Secret, error) { return o.ask(ctx) }}
	identities := o.identities
	if o.ask != nil {
		identities = []agefile.Identity{asking}
	}
	opened, err := agefile.Decrypt(stream, identities...)
	switch {
	case asking.failed != nil:
		return nil, asking.failed
	case err != nil && ctx.Err() != nil:
		return nil, err
	case err != nil:
		return nil, o.notOpened(err)
	}
	return opened, nil
}

// notOpened explains why a file does not open.
func (o Opener) notOpened(err error) error {
	if _, known := errors.AsType[*venuekey.Error](err); known {
		return err
	}
	what := o.What
	if what == "" {
		what = "backup"
	}
	failed := &venuekey.Error{Op: "backup", Class: venuekey.ClassMisconfigured}
	mismatch, ok := errors.AsType[*agefile.NoIdentityMatchError](err)
	byPassphrase := ok && slices.Contains(mismatch.StanzaTypes, "scrypt")
	var why error
	switch {
	case !ok:
		why, failed.Class = ErrNotSealed, venuekey.ClassDamaged
		failed.Reason, failed.Remedy = "the file is not a "+what+", or its beginning is damaged", "give the file that was exported"
	case byPassphrase && o.ask == nil:
		why, failed.Reason, failed.Remedy = ErrByPassphrase, "the "+what+" is sealed with a passphrase, not to a recipient", "open it with the passphrase"
	case byPassphrase:
		why, failed.Reason, failed.Remedy = ErrPassphrase, "the passphrase does not open the "+what, "give the passphrase that it was exported with"
	case o.ask != nil:
		why, failed.Reason, failed.Remedy = ErrToRecipient, "the "+what+" is sealed to a recipient", "open it with the identity of that recipient"
	default:
		why, failed.Reason, failed.Remedy = ErrIdentity, "the identity does not open the "+what, "give the identity of a recipient that it was exported to"
	}
	failed.Err = errors.Join(why, err)
	return failed
}

// passphraseWhenWanted asks for the passphrase only if the file is sealed with one.
type passphraseWhenWanted struct {
	ask    func() (venuekey.Secret, error)
	failed error // why it was not tried
}

// Unwrap implements age.Identity.
func (w *passphraseWhenWanted) Unwrap(stanzas []*agefile.Stanza) ([]byte, error) {
	if len(stanzas) != 1 || stanzas[0].Type != "scrypt" {
		return nil, agefile.ErrIncorrectIdentity
	}
	if w.failed = affordable(stanzas[0]); w.failed != nil {
		return nil, w.failed
	}
	passphrase, err := w.ask()
	if err != nil {
		w.failed = err
		return nil, err
	}
	identity, err := agefile.NewScryptIdentity(string(passphrase))
	if err != nil {
		return nil, err
	}
	identity.SetMaxWorkFactor(mostWork)
	return identity.Unwrap(stanzas)
}

// mostWork is twice the work of an export's passphrase, and needs 512 MiB. The head of a file
// says how much it needs, and the file may be an attacker's.
const mostWork = 19

// affordable refuses a file that needs more, before it asks for the passphrase.
func affordable(scrypt *agefile.Stanza) error {
	if len(scrypt.Args) != 2 {
		return nil // age says what is wrong
	}
	work, err := strconv.Atoi(scrypt.Args[1])
	if err != nil || work <= mostWork {
		return nil
	}
	return &venuekey.Error{Op: "backup", Class: venuekey.ClassMisconfigured, Reason: fmt.Sprintf("the passphrase of the file needs more work than an export's (work factor %d, at most %d)", work, mostWork),
		Remedy: "seal it again: age -d FILE | age -p"}
}
