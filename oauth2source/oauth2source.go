// Package oauth2source lets programs that are written for golang.org/x/oauth2
// use a venuekey Source with one line:
//
//	client := oauth2.NewClient(ctx, oauth2source.New(ctx, keeper.Source(id)))
//
// Only the access token, its type and its end go across. The refresh token
// stays with the Keeper, so that x/oauth2 cannot present it a second time.
package oauth2source

import (
	"context"

	"golang.org/x/oauth2"

	"github.com/venuekey/venuekey"
)

// New gives the Source as an oauth2.TokenSource. x/oauth2's interface takes no
// context, so the one given here bounds every wait for a renewal; the renewal
// itself goes on when it ends.
//
// Do not wrap it in oauth2.ReuseTokenSource: that would keep a token that the
// Source already replaced.
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
