package main

import (
	"context"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/key"
	"github.com/venuekey/venuekey/local"
)

// passphrase.go owns asking a person for a passphrase.

// typePassphrase asks for the vault's: a new one twice, since nobody sees what is
// typed.
func (p *program) typePassphrase(ctx context.Context, isNew bool) (venuekey.Secret, error) {
	if !isNew {
		return p.askPassphrase(ctx, "passphrase of the vault")
	}
	first, err := p.askPassphrase(ctx, "passphrase for the new vault")
	if err == nil {
		err = key.CheckPassphrase(string(first)) // before it is typed once more
	}
	if err != nil {
		return "", err
	}
	second, err := p.askPassphrase(ctx, "the same once more")
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

// secret reads a secret from a variable of the environment, or from the file that the
// one with _FILE after its name leads to.
func (p *program) secret(ctx context.Context, name string) (venuekey.Secret, error) {
	place, err := p.place()
	if err != nil {
		return "", err
	}
	return place.Secret(ctx, name)
}
