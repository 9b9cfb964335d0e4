package oauth_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/oauth"
)

// mute is a transport other than net/http's, which does not trace its connections.
type mute struct{ read bool }

func (m mute) RoundTrip(request *http.Request) (*http.Response, error) {
	if m.read && request.Body != nil {
		_, _ = io.Copy(io.Discard, request.Body)
	}
	return nil, errors.New("the stream was reset")
}

// Of a request that went through a transport that tells nothing nobody knows whether
// it left.
func TestATransportThatTellsNothing(t *testing.T) {
	for name, row := range map[string]struct {
		method    string
		transport mute
	}{
		"POST": {http.MethodPost, mute{read: true}},
		"GET":  {http.MethodGet, mute{}},
	} {
		t.Run(name, func(t *testing.T) {
			var body io.Reader
			if row.method == http.MethodPost {
				body = strings.NewReader("grant_type=refresh_token")
			}
			request, err := http.NewRequest(row.method, "https://venue.test/token", body)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := oauth.Send(row.transport, request); venuekey.ClassOf(err) != venuekey.ClassUnknown {
				t.Fatalf("%v: %v", venuekey.ClassOf(err), err)
			}
		})
	}
}
