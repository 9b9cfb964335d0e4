package venuekey_test

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/venue/ctrader"
)

// A machine that sleeps after its claim, in the middle of the TLS handshake, sends
// nothing when it wakes: somebody else may have renewed the token by now.
func TestWhoSleepsInTheHandshakePresentsNothing(t *testing.T) {
	for name, own := range map[string]bool{"over its own transport": true, "over one that was given": false} {
		t.Run(name, func(t *testing.T) {
			var asleep atomic.Bool
			var shown atomic.Int32
			server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				shown.Add(1)
				_, _ = w.Write([]byte(`{"accessToken":"a","refreshToken":"r"}`))
			}))
			server.TLS = &tls.Config{GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) {
				asleep.Store(true) // the lid closes while the server answers
				return nil, nil
			}}
			server.StartTLS()
			defer server.Close()
			venue := ctrader.Venue{TokenURL: server.URL}
			app := venuekey.App{ClientID: "c", ClientSecret: "s"}
			if own {
				certificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
				app.Params = map[string]venuekey.Secret{"ca": venuekey.Secret(certificate)}
			} else {
				pool := x509.NewCertPool()
				pool.AddCert(server.Certificate())
				venue.Transport = &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}, DisableKeepAlives: true}
			}
			held := &venuekey.Error{Class: venuekey.ClassNotSent, Reason: "this machine stood still"}
			ctx := venuekey.WithSending(t.Context(), func() error {
				if asleep.Load() {
					return held
				}
				return nil
			})
			_, err := venue.Refresh(ctx, app, venuekey.Token{Refresh: "once"})
			if venuekey.ClassOf(err) != venuekey.ClassNotSent || shown.Load() != 0 || err.Error() != held.Error() {
				t.Fatalf("presented %d times: %v", shown.Load(), err)
			}
			if _, err := venue.Refresh(t.Context(), app, venuekey.Token{Refresh: "once"}); err != nil || shown.Load() != 1 {
				t.Fatalf("outside a renewal: %v", err)
			}
		})
	}
}
