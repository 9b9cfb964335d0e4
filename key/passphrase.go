package key

import (
	"context"
	"fmt"
	"unicode/utf8"
)

// passphrase.go owns the rules for a new passphrase. An existing one still opens what it
// was created for, however short it is.

// shortest is the least number of characters in a passphrase (NIST SP 800-63B section
// 3.1.1.2). As it advises, there are no rules about kinds of characters.
const shortest = 8

// CheckPassphrase returns ErrWeak if a new passphrase has fewer than eight characters.
func CheckPassphrase(passphrase string) error {
	if utf8.RuneCountInString(passphrase) < shortest {
		return fmt.Errorf("%w: it has fewer than %d characters; type a few words", ErrWeak, shortest)
	}
	return nil
}

// choosing returns a Config that checks the passphrase as a new one.
func (c Config) choosing() Config {
	c.Passphrase = strong(c.Passphrase)
	return c
}

// strong wraps ask with the check for a new passphrase. An empty one is reported by its
// user.
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
