package attacks_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/internal/keepertest"
	"github.com/venuekey/venuekey/oauth"
	"github.com/venuekey/venuekey/store/memory"
	"github.com/venuekey/venuekey/venue/tradovate"
	"github.com/venuekey/venuekey/venue/ttp"
)

const sentinel = "SENTINEL-do-not-print"

// eavesdropper reads plain requests on their way.
type eavesdropper struct{ heard []string }

func (e *eavesdropper) RoundTrip(request *http.Request) (*http.Response, error) {
	text := request.URL.String() + " " + request.Header.Get("Authorization")
	if request.Body != nil {
		body, _ := io.ReadAll(request.Body)
		text += " " + string(body)
	}
	e.heard = append(e.heard, text)
	return nil, errors.New("nobody is there")
}

// An app's addresses, which may come from a backup or a shared vault, say plain
// HTTP to another machine. No call with a token or a secret goes there.
func TestAttackAnAddressThatSendsTheBearerInPlain(t *testing.T) {
	for _, host := range []string{"http://site.example", "http://127.0.0.1.example", "http://localhost.example", "http://0.0.0.0", "http://[::ffff:10.0.0.1]", "HTTP://10.0.0.1", "ftp://site.example"} {
		e := &eavesdropper{}
		app := venuekey.App{Venue: "ttp", ClientID: "a", ClientSecret: sentinel, RedirectURI: "http://localhost:1/cb", URLs: map[string]string{"base": host}}
		one := venuekey.App{Venue: "ttp", ClientID: "a", ClientSecret: sentinel, URLs: map[string]string{"me": host + "/me"}}
		token := venuekey.Token{Access: sentinel, Refresh: sentinel}
		site, api := ttp.Venue{Transport: e}, tradovate.API{Base: host + "/v1", Transport: e}
		signed, err := http.NewRequestWithContext(t.Context(), http.MethodGet, host+"/me", nil)
		if err != nil {
			t.Fatal(err)
		}
		signed.Header.Set("Authorization", "Bearer "+sentinel)
		keeper := keepertest.New(t, &memory.Store{}, &keepertest.Venue{})
		if _, err := keeper.SignIn(t.Context(), keepertest.Alice, keepertest.NoUI{}); err != nil {
			t.Fatal(err)
		}
		for what, call := range map[string]func(context.Context) error{
			"me":           func(ctx context.Context) error { _, err := site.Me(ctx, app, sentinel); return err },
			"me by itself": func(ctx context.Context) error { _, err := site.Me(ctx, one, sentinel); return err },
			"identify":     func(ctx context.Context) error { _, err := site.Identify(ctx, one, token); return err },
			"site": func(ctx context.Context) error {
				_, err := ttp.Venue{Site: host, Transport: e}.Me(ctx, venuekey.App{}, sentinel)
				return err
			},
			"refresh": func(ctx context.Context) error { _, err := site.Refresh(ctx, app, token); return err },
			"revoke":  func(ctx context.Context) error { return site.Revoke(ctx, app, token) },
			"renewal": func(ctx context.Context) error { _, err := api.RenewAccessToken(ctx, sentinel); return err },
			"who":     func(ctx context.Context) error { _, err := api.Me(ctx, sentinel); return err },
			"another who": func(ctx context.Context) error {
				_, err := tradovate.API{MeBase: host, Transport: e}.Me(ctx, sentinel)
				return err
			},
			"code": func(ctx context.Context) error {
				_, err := api.OAuthToken(ctx, tradovate.OAuthToken{Code: sentinel})
				return err
			},
			"password": func(ctx context.Context) error {
				_, err := api.AccessTokenRequest(ctx, tradovate.AccessTokenRequest{Password: sentinel})
				return err
			},
			"whatever a venue sends": func(ctx context.Context) error { _, err := oauth.Send(e, signed.Clone(ctx)); return err },
			"an API": func(ctx context.Context) error {
				request, err := http.NewRequestWithContext(ctx, http.MethodGet, host+"/me", nil)
				if err != nil {
					t.Fatal(err)
				}
				response, err := (&venuekey.Transport{Source: keeper.Source(keepertest.Alice), Base: e}).RoundTrip(request)
				if err == nil {
					response.Body.Close()
				}
				return err
			},
		} {
			if err := call(t.Context()); err == nil || strings.Contains(err.Error(), sentinel) {
				t.Errorf("%s to %s: %v", what, host, err)
			}
			if len(e.heard) > 0 {
				t.Errorf("%s to %s is heard: %q", what, host, e.heard)
				e.heard = nil
			}
		}
	}
}
