package main

import (
	"context"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/key"
	"github.com/venuekey/venuekey/local"
)

// passphrase.go owns asking a person for a passphrase.

// typePassphrase asks for the vault's passphrase. It asks for a new one twice, because it
// is not shown while it is typed.
func (p *program) typePassphrase(ctx context.Context, isNew bool) (venuekey.Secret, error) {
	if !isNew {
		return p.askPassphrase(ctx, "passphrase of the vault")
	}
	first, err := p.askPassphrase(ctx, "passphrase for the new vault")
	if err == nil {
		err = key.CheckPassphrase(string(first)) // before the second prompt
	}
	if err != nil {
		return "", err
	}
	second, err := p.askPassphrase(ctx, "repeat the passphrase")
	if err == nil && !first.Equal(second) {
		err = misused("try again", "the two passphrases differ")
	}
	if err != nil {
		return "", err
	}
	return first, nil
}

func (p *program) askPassphrase(ctx context.Context, label string) (venuekey.Secret, error) {
	if !p.interactive() {
		return "", local.ErrNoPassphrase
	}
	return p.ask(ctx, venuekey.Field{Name: label, Secret: true})
}

// secret returns the secret in a variable of the environment, or in the file that the
// variable with the suffix _FILE names.
func (p *program) secret(ctx context.Context, name string) (venuekey.Secret, error) {
	place, err := p.place()
	if err != nil {
		return "", err
	}
	return place.Secret(ctx, name)
}
