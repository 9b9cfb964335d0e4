package key

import (
	"context"
	"fmt"
	"unicode/utf8"
)

// passphrase.go owns what is asked of a new passphrase. One that is in use opens
// what it was made for, however short it is.

// shortest is how many characters a passphrase has at least, as NIST SP 800-63B
// section 3.1.1.2 asks of a secret that somebody remembers. No letters of a
// certain kind are asked for, as it says too.
const shortest = 8

// CheckPassphrase is ErrWeak for a passphrase that nothing is to be sealed by.
func CheckPassphrase(passphrase string) error {
	if utf8.RuneCountInString(passphrase) < shortest {
		return fmt.Errorf("%w: it has fewer than %d characters; type a few words", ErrWeak, shortest)
	}
	return nil
}

// choosing is for a passphrase that is chosen now.
func (c Config) choosing() Config {
	c.Passphrase = strong(c.Passphrase)
	return c
}

// strong asks for a passphrase that is not too short. That it is empty is found by
// whoever uses it.
func strong(ask func(context.Context) (string, error)) func(context.Context) (string, error) {
	if ask == nil {
		return nil
	}
	return func(ctx context.Context) (string, error) {
		passphrase, err := ask(ctx)
		if err == nil && passphrase != "" {
			err = CheckPassphrase(passphrase)
		}
		return passphrase, err
	}
}
