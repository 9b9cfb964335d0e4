package venues_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/emulator"
	tradovateemu "github.com/venuekey/venuekey/emulator/tradovate"
	"github.com/venuekey/venuekey/internal/keepertest"
	"github.com/venuekey/venuekey/venue/tradovate"
)

// switchstand_test.go owns the stand at which the switches of the emulated Tradovate are thrown,
// and what its client does there.

// stand is one emulated Tradovate and a client that is signed in before the switch is thrown.
type stand struct {
	*desk
	api    tradovate.API
	access venuekey.Secret // of a session
	oauth  tradovate.OAuthTokenResponse
	code   venuekey.Secret
	plain  bool // without PKCE
	kept   bool // the Keeper has signed in
}

const (
	liveStand   = "localhost:1"
	demoStand   = "localhost:2"
	callback    = "http://localhost:8080/auth/callback"
	dedicatedTo = "dedicated.tradovateapi.com"
)

// standHosts leads requests to the hosts of a stand. A dedicated host is the same venue, and
// redirects no further.
func (s *stand) standHosts(w http.ResponseWriter, r *http.Request) {
	defer func() {
		if r.Context().Err() != nil { // nobody waits for the answer
			panic(http.ErrAbortHandler)
		}
	}()
	switch r.URL.Host {
	case demoStand:
		s.server.Demo().ServeHTTP(w, r)
	case dedicatedTo:
		moved := s.server.Current().MovedTo
		s.server.Tune(func(k *tradovateemu.Knobs) { k.MovedTo = "" })
		s.server.ServeHTTP(w, r)
		s.server.Tune(func(k *tradovateemu.Knobs) { k.MovedTo = moved })
	default:
		s.server.ServeHTTP(w, r)
	}
}

// openStand signs in by password and by OAuth, and then throws the switch.
func openStand(t *testing.T, p setting, oauth bool) *stand {
	t.Helper()
	before := tradovateemu.Knobs{AccessLife: p.knobs.AccessLife, RefreshLife: p.knobs.RefreshLife}
	s := &stand{desk: openDesk(t, oauth, before)}
	uris := []string{callback, "https://app.example/cb"}
	s.server.Apps = []emulator.App{{ClientID: "demo-client", ClientSecret: "demo-secret", RedirectURIs: uris}}
	s.way.venue = keepertest.InProcess{Handler: http.HandlerFunc(s.standHosts)}
	s.api = tradovate.API{Base: "http://" + liveStand + "/v1", Transport: s.way}
	answer, err := s.api.AccessTokenRequest(t.Context(), s.credentials("wonderland"))
	if err != nil {
		t.Fatal(err)
	}
	s.access = answer.AccessToken
	if s.oauth, err = s.api.OAuthToken(t.Context(), s.grant("authorization_code", s.visit())); err != nil {
		t.Fatal(err)
	}
	if oauth && p.early {
		if err := s.signInKeeper(); err != nil {
			t.Fatal(err)
		}
	}
	s.server.Tune(func(k *tradovateemu.Knobs) { *k = p.knobs })
	s.plain = p.knobs.RejectPKCE
	s.code = s.visit()
	if p.before != nil {
		p.before(s)
	}
	return s
}

// verifier is the example of RFC 7636 appendix B, with its challenge.
const verifier, challenge = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"

// visit goes through the pages and returns a code.
func (s *stand) visit() venuekey.Secret {
	s.t.Helper()
	person := emulator.Person{Name: "alice", Password: "wonderland", Client: &http.Client{Transport: s.way.venue}}
	query := url.Values{"response_type": {"code"}, "client_id": {"demo-client"}, "redirect_uri": {callback}}
	if !s.plain {
		query.Set("code_challenge", challenge)
		query.Set("code_challenge_method", "S256")
	}
	back, err := person.Redirected(s.t.Context(), "http://"+liveStand+"/oauth?"+query.Encode())
	if err != nil {
		s.t.Fatal(err)
	}
	at, err := url.Parse(back)
	if err != nil || at.Query().Get("code") == "" {
		s.t.Fatal(err, "no code")
	}
	return venuekey.Secret(at.Query().Get("code"))
}

func (s *stand) credentials(password venuekey.Secret) tradovate.AccessTokenRequest {
	return tradovate.AccessTokenRequest{Name: "alice", Password: password, AppID: "stand", AppVersion: "1", DeviceID: "d",
		CID: "42", Sec: "demo-sec", HIBPCheck: true}
}

func (s *stand) grant(kind string, with venuekey.Secret) tradovate.OAuthToken {
	body := tradovate.OAuthToken{GrantType: kind, ClientID: "demo-client", ClientSecret: "demo-secret"}
	if kind == "refresh_token" {
		body.RefreshToken = with
		return body
	}
	body.Code, body.RedirectURI = with, callback
	if !s.plain {
		body.CodeVerifier = verifier
	}
	return body
}

// The things that happen before an operation; what comes of them does not matter.

func (s *stand) signInWrongly(times int) {
	for i := range times {
		_, _ = s.api.AccessTokenRequest(s.t.Context(), s.credentials(venuekey.Secret(fmt.Sprint("wrong", i))))
	}
}

func (s *stand) signInElsewhere(times int) {
	for range times {
		_, _ = s.api.AccessTokenRequest(s.t.Context(), s.credentials("wonderland"))
	}
}

func (s *stand) renew(times int) {
	for range times {
		_, _ = s.api.RenewAccessToken(s.t.Context(), s.access)
	}
}

func (s *stand) askWhoNobodyIs(times int) {
	for range times {
		_, _ = s.api.Me(s.t.Context(), "made-up")
	}
}

func (s *stand) listAccounts(times int) {
	for range times {
		_, _ = s.api.Do(s.t.Context(), s.access, tradovate.Operation{Path: "account/list"})
	}
}

// give carries an operation out and tells what it gave.
func (s *stand) give(op string) string {
	if op == opPassword || op == opOAuth {
		return s.keep()
	}
	ctx, stop := context.WithTimeout(s.t.Context(), 10*time.Minute)
	defer stop()
	switch op {
	case opLogin:
		return s.waited(func(ticket venuekey.Secret) (string, error) {
			body := s.credentials("wonderland")
			body.Ticket = ticket
			return s.ofSession(s.api.AccessTokenRequest(ctx, body))
		})
	case opWrong:
		return said(s.ofSession(s.api.AccessTokenRequest(ctx, s.credentials("looking-glass"))))
	case opRenew:
		return s.waited(func(venuekey.Secret) (string, error) {
			return s.withOld(s.access)(s.ofSession(s.api.RenewAccessToken(ctx, s.access)))
		})
	case opMe:
		return s.waited(func(venuekey.Secret) (string, error) { return ofUser(s.api.Me(ctx, s.access)) })
	case opDemo:
		return said(ofUser(tradovate.API{Base: "http://" + demoStand + "/v1", Transport: s.way}.Me(ctx, s.access)))
	case opExchange:
		return said(s.ofGrant(s.api.OAuthToken(ctx, s.grant("authorization_code", s.code))))
	case opRefresh:
		return said(s.withOld(s.oauth.AccessToken)(s.ofGrant(s.api.OAuthToken(ctx, s.grant("refresh_token", s.oauth.RefreshToken)))))
	case opReuse:
		_, _ = s.api.OAuthToken(ctx, s.grant("refresh_token", s.oauth.RefreshToken))
		time.Sleep(time.Second)
		return said(s.ofGrant(s.api.OAuthToken(ctx, s.grant("refresh_token", s.oauth.RefreshToken))))
	case opList:
		return s.call(ctx, tradovate.Operation{Path: "account/list"})
	case opOrder:
		order := []byte(`{"accountId":5002,"symbol":"ESZ6","action":"Buy","orderQty":1}`)
		return s.call(ctx, tradovate.Operation{Path: "order/placeorder", Body: order})
	}
	s.t.Fatal("there is no operation " + op)
	return ""
}

func (s *stand) call(ctx context.Context, o tradovate.Operation) string {
	_, err := s.api.Do(ctx, s.access, o)
	return said("done", err)
}

// keptID is the Keeper's sign-in.
var keptID = venuekey.ID{Venue: "tradovate", Name: "kept"}

func (s *stand) signInKeeper() error {
	person := emulator.Person{Name: "alice", Password: "wonderland", Client: &http.Client{Transport: s.way.venue}}
	ctx, stop := context.WithTimeout(s.t.Context(), 10*time.Minute)
	defer stop()
	_, err := s.keeper.SignIn(ctx, keptID, &pastesOnce{Paster: keepertest.Paster{Person: person, URL: make(chan string, 1)}})
	s.kept = err == nil
	return err
}

// keep signs in by a Keeper and renews; if that fails, it tells what became of the sign-in.
func (s *stand) keep() string {
	ctx, id := s.t.Context(), keptID
	if !s.kept {
		if err := s.signInKeeper(); err != nil {
			return "sign-in " + said("", err)
		}
	}
	time.Sleep(10 * time.Second) // a renewal just after the sign-in would be none
	token, err := s.keeper.Refresh(ctx, id)
	if err == nil && s.server.Alive(string(token.Access)) {
		return "renewed"
	}
	s.run(4 * time.Hour)
	now, failed := s.keeper.Token(ctx, id)
	if failed != nil {
		return fmt.Sprintf("renewal %s; and four hours later %s", said("", err), said("", failed))
	}
	if !s.server.Alive(string(now.Access)) {
		return fmt.Sprintf("renewal %s; and four hours later it is DEAD", said("", err))
	}
	return fmt.Sprintf("kept, but renewal %s", said("", err))
}

// pastesOnce is a user who does not try again when an address is not accepted.
type pastesOnce struct {
	keepertest.Paster
	pasted bool
}

// Paste implements venuekey.UI.
func (p *pastesOnce) Paste(ctx context.Context) (string, error) {
	if p.pasted {
		return "", errors.New("it is not accepted")
	}
	p.pasted = true
	return p.Paster.Paste(ctx)
}

// waited carries an operation out, and again after a penalty without a captcha.
func (s *stand) waited(once func(ticket venuekey.Secret) (string, error)) string {
	text, err := once("")
	penalty, ok := errors.AsType[*tradovate.Penalty](err)
	if !ok || penalty.Captcha {
		return said(text, err)
	}
	time.Sleep(penalty.Wait)
	return fmt.Sprintf("after %s, %s", penalty.Wait, said(once(penalty.Ticket)))
}

// said is what an operation gave: what it holds, or the class of its error and its reason.
func said(text string, err error) string {
	var known *venuekey.Error
	switch {
	case err == nil:
		return text
	case !errors.As(err, &known):
		return "NOT AN ERROR OF OURS: " + err.Error()
	case known.RetryAfter > 0:
		return fmt.Sprintf("%s for %s: %s", known.Class, known.RetryAfter, known.Reason)
	}
	return fmt.Sprintf("%s: %s", known.Class, known.Reason)
}

func (s *stand) ofSession(answer tradovate.AccessTokenResponse, err error) (string, error) {
	text := fmt.Sprint("token for ", answer.Token().Life().Round(time.Second))
	if answer.MDAccessToken != "" {
		text += ", md"
	}
	if hosts := answer.APIHosts; hosts != nil {
		text += fmt.Sprintf(", %d hosts (%s %s %s)", len(hosts), hosts["live"], hosts["demo"], hosts["mdLive"])
	}
	if answer.HIBPHint != "" {
		text += ", " + answer.HIBPHint
	}
	if answer.UserStatus != "Active" {
		text += ", " + answer.UserStatus
	}
	if err == nil && !s.server.Alive(string(answer.AccessToken)) {
		text += ", DEAD"
	}
	return text, err
}

func (s *stand) ofGrant(answer tradovate.OAuthTokenResponse, err error) (string, error) {
	text := fmt.Sprintf("token for %s", time.Duration(answer.ExpiresIn)*time.Second)
	if answer.RefreshToken != "" {
		text += fmt.Sprintf(", refresh token for %s", time.Duration(answer.RefreshTokenExpiresIn)*time.Second)
	}
	if answer.IDToken != "" {
		text += ", id"
	}
	if answer.Extras["mdAccessToken"] != "" {
		text += ", md"
	}
	if answer.APIHosts != nil {
		text += fmt.Sprintf(", %d hosts", len(answer.APIHosts))
	}
	if err == nil && !s.server.Alive(string(answer.AccessToken)) {
		text += ", DEAD"
	}
	return text, err
}

// withOld adds what became of the token before.
func (s *stand) withOld(old venuekey.Secret) func(string, error) (string, error) {
	return func(text string, err error) (string, error) {
		if s.server.Alive(string(old)) {
			return text + ", old one lives", err
		}
		return text + ", old one is dead", err
	}
}

func ofUser(answer tradovate.OAuthMeResponse, err error) (string, error) {
	return fmt.Sprintf("%s, %d", answer.Name, answer.UserID), err
}
