// Package oauth2source adapts a venuekey.Source to golang.org/x/oauth2:
//
//	client := oauth2.NewClient(ctx, oauth2source.New(ctx, keeper.Source(id)))
//
// Only the access token, its type, its expiry and its extra fields are passed on. The
// refresh token stays with the Keeper, so x/oauth2 cannot present it a second time.
package oauth2source

import (
	"context"

	"golang.org/x/oauth2"

	"github.com/venuekey/venuekey"
)

// New returns source as an oauth2.TokenSource. The methods of x/oauth2 take no context,
// so ctx bounds every wait for a renewal; a renewal in progress continues when ctx ends.
// Errors are those of Source.Token.
//
// Do not wrap it in oauth2.ReuseTokenSource, which would keep a token that the Source has
// already replaced.
func New(ctx context.Context, source *venuekey.Source) oauth2.TokenSource {
	return tokens{wait: func() (*venuekey.Token, error) { return source.Token(ctx) }}
}

type tokens struct {
	wait func() (*venuekey.Token, error)
}

// Token implements oauth2.TokenSource.
func (t tokens) Token() (*oauth2.Token, error) {
	token, err := t.wait()
	if err != nil {
		return nil, err
	}
	extra := make(map[string]any, len(token.Extras))
	for name := range token.Extras {
		extra[name] = string(token.Extra(name))
	}
	given := &oauth2.Token{AccessToken: string(token.Access), TokenType: token.TypeOrBearer(), Expiry: token.Expires}
	return given.WithExtra(extra), nil
}
