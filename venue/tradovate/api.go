package tradovate

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/internal/foreign"
	"github.com/venuekey/venuekey/oauth"
)

// api.go owns Tradovate's authentication endpoints as plain calls.

// API offers Tradovate's authentication endpoints as plain calls: accessTokenRequest,
// renewAccessToken, oauthToken and me. It stores nothing and repeats nothing. Every
// failure inside a 200 is returned as an error of type *venuekey.Error.
type API struct {
	// Base is the URL of the API including /v1; empty means that of the live host.
	Base string
	// MeBase is the same for me, which only the live host answers; empty means Base.
	MeBase string
	// DeviceID is the device that the app signed in from. It is not sent; the error of an
	// order that Tradovate denies names it, for the person who has to approve it.
	DeviceID string
	// Domains are those to which a 307 or 308 is followed, in the form of oauth.Within;
	// nil means Tradovate's own.
	Domains []string
	// Transport sends requests; see oauth.Client.
	Transport http.RoundTripper
}

// AccessTokenRequest signs in with user name and password and starts a new session: POST
// /auth/accesstokenrequest.
func (a API) AccessTokenRequest(ctx context.Context, body AccessTokenRequest) (AccessTokenResponse, error) {
	wire, err := body.wire()
	if err != nil {
		return AccessTokenResponse{}, err
	}
	request, err := a.request(ctx, http.MethodPost, a.Base, "/auth/accesstokenrequest", "application/json", wire)
	if err != nil {
		return AccessTokenResponse{}, err
	}
	return a.accessToken(request, "")
}

// RenewAccessToken extends the session of an access token that has not expired: GET
// /auth/renewaccesstoken. The answer holds a new access token.
func (a API) RenewAccessToken(ctx context.Context, access venuekey.Secret) (AccessTokenResponse, error) {
	request, err := a.request(ctx, http.MethodGet, a.Base, "/auth/renewaccesstoken", "", nil)
	if err != nil {
		return AccessTokenResponse{}, err
	}
	request.Header.Set("Authorization", "Bearer "+string(access))
	return a.accessToken(request, renewal)
}

// OAuthToken exchanges a code or presents a refresh token: POST /auth/oauthtoken, as a
// form, which is what the server accepts in practice.
func (a API) OAuthToken(ctx context.Context, body OAuthToken) (OAuthTokenResponse, error) {
	request, err := a.request(ctx, http.MethodPost, a.Base, "/auth/oauthtoken", "application/x-www-form-urlencoded", []byte(body.form().Encode()))
	if err != nil {
		return OAuthTokenResponse{}, err
	}
	var response OAuthTokenResponse
	err = a.call(request, &response, body.GrantType)
	if err == nil {
		err = unusable(response.AccessToken, response.TokenType)
	}
	return response, err
}

// unusable returns the error for an answer whose token is missing or cannot be used, nil
// if it can.
func unusable(access venuekey.Secret, kind string) error {
	reason := ""
	switch {
	case access == "":
		reason = "the answer is JSON but holds neither a token nor an error"
	case !foreign.IsToken(string(access)):
		reason = "the answer's access token holds characters that no token has, and cannot be used"
	case !foreign.IsBearer(kind):
		reason = "the answer's token is of a type that is not understood here, and cannot be used"
	default:
		return nil
	}
	return &venuekey.Error{Class: venuekey.ClassUnknown, Reason: reason}
}

// Me returns the user that a token belongs to: GET /auth/me.
func (a API) Me(ctx context.Context, access venuekey.Secret) (OAuthMeResponse, error) {
	base := a.MeBase
	if base == "" {
		base = a.Base
	}
	request, err := a.request(ctx, http.MethodGet, base, "/auth/me", "", nil)
	if err != nil {
		return OAuthMeResponse{}, err
	}
	request.Header.Set("Authorization", "Bearer "+string(access))
	var response OAuthMeResponse
	err = a.call(request, &response, "")
	return response, err
}

// renewal is the grant type by which the errors of a renewal are explained.
const renewal = "refresh_token"

func (a API) accessToken(request *http.Request, grant string) (AccessTokenResponse, error) {
	response := AccessTokenResponse{requested: time.Now()}
	err := a.call(request, &response, grant)
	if err == nil && response.AccessToken == "" {
		err = withoutToken(response.UserStatus)
	}
	if err == nil {
		err = unusable(response.AccessToken, "")
	}
	return response, err
}

// withoutToken returns the error for an answer that has a user's status and no token, nil if
// the status does not explain it. The words are those of the specification; others may come.
func withoutToken(status string) error {
	known, ok := map[string]venuekey.Error{
		"TemporaryLocked":  {Class: venuekey.ClassLater, RetryAfter: time.Hour, Reason: "Tradovate has locked this user for some time", Remedy: "wait for an hour without any attempt"},
		"Closed":           {Class: venuekey.ClassRefused, Reason: "Tradovate has closed this user's account", Remedy: "ask Tradovate's support"},
		"Initiated":        {Class: venuekey.ClassRefused, Reason: "this user's registration at Tradovate is not complete", Remedy: "complete it in Trader"},
		"UnconfirmedEmail": {Class: venuekey.ClassRefused, Reason: "this user has not confirmed the e-mail address", Remedy: "open the link in Tradovate's mail"},
	}[status]
	if !ok {
		return nil
	}
	return &known
}

func (a API) request(ctx context.Context, method, base, path, contentType string, body []byte) (*http.Request, error) {
	if base == "" {
		base = LiveHost + "/v1"
	}
	address, err := oauth.Endpoint("api", strings.TrimSuffix(base, "/")+path)
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequestWithContext(ctx, method, address.String(), bytes.NewReader(body))
	if err != nil {
		return nil, wrong("the api address is not usable", "")
	}
	if contentType != "" {
		request.Header.Set("Content-Type", contentType)
	}
	return request, nil
}

// call sends a request, checks its answer for every kind of failure, and decodes it into
// response.
func (a API) call(request *http.Request, response any, grant string) error {
	scheme, access, _ := strings.Cut(request.Header.Get("Authorization"), " ")
	bearer := scheme == "Bearer"
	answer, address, err := oauth.SendWithin(a.domains(), a.Transport, request)
	if err != nil {
		return err
	}
	if bearer {
		// A challenge does not prove that a renewal's token is dead: gateways send them
		// too.
		refusal := answer.Refusal(venuekey.Secret(access))
		if refusal != nil && (refusal.Code == "insufficient_scope" || refusal.Code == "invalid_token" && grant != renewal) {
			return refusal
		}
	}
	fields, ok := answer.Fields()
	if !ok {
		return notJSON(answer, address, grant, bearer)
	}
	if err := failure(grant, answer, fields); err != nil {
		return err
	}
	if answer.Status >= 300 {
		return stranger(answer, address, grant)
	}
	if err := json.Unmarshal(answer.Text(), response); err != nil {
		return &venuekey.Error{Class: venuekey.ClassUnknown, Reason: address.Host + " answered JSON whose fields are not of the types they should have"}
	}
	if dated, ok := response.(interface{ date(time.Time) }); ok {
		if date, err := http.ParseTime(answer.Header.Get("Date")); err == nil {
			dated.date(date)
		}
	}
	return nil
}

func (a API) domains() []string {
	if a.Domains == nil {
		return ownDomains
	}
	return a.Domains
}

// notJSON explains Tradovate's answers without JSON: 401 and 429 have an empty body or
// plain text; 408 and 500 are what a closed session gets.
func notJSON(answer oauth.Answer, address *url.URL, grant string, bearer bool) *venuekey.Error {
	switch {
	case answer.Status == http.StatusUnauthorized && bearer && !answer.IsPage():
		return &venuekey.Error{Class: venuekey.ClassRefused, Reason: "Tradovate does not accept the access token"}
	case answer.Status == http.StatusUnauthorized && grant == "" && !bearer && !answer.IsPage():
		return &venuekey.Error{Class: venuekey.ClassRefused, Reason: "Tradovate does not accept user name and password, or the API key",
			Remedy: "check name and password, then cid and sec, against Trader, Application Settings, API Access"}
	case answer.Status == http.StatusLocked:
		// It precedes a lockout, which every further request would begin (fact sheet §6).
		return &venuekey.Error{Class: venuekey.ClassLater, RetryAfter: time.Hour, OfUser: true, Reason: "Tradovate is about to lock this user out (423)",
			Remedy: "stop every program that calls Tradovate for this user, for an hour"}
	case answer.Status == http.StatusTooManyRequests:
		return asEnded(bearer, &venuekey.Error{Class: venuekey.ClassLater, RetryAfter: time.Hour, OfUser: bearer, Reason: "too many requests to Tradovate; another one within the hour extends the block"})
	case answer.Status == http.StatusTemporaryRedirect:
		return &venuekey.Error{Class: venuekey.ClassMisconfigured, Reason: "Tradovate serves this user from another host, and sends requests to an address that is not its own, or on and on", Remedy: "if you trust the address, set it as the app's api address: venuekey app add tradovate --url api=URL"}
	case bearer && (answer.Status == http.StatusRequestTimeout || answer.Status == http.StatusInternalServerError):
		return asEnded(bearer, answer.NotJSON(address))
	}
	return stranger(answer, address, grant)
}

// asEnded marks the error of an answer that the token of a closed session gets: 408, 429 or
// 500, which have other causes too (Tradovate facts §2).
func asEnded(bearer bool, failure *venuekey.Error) *venuekey.Error {
	if bearer {
		failure.Err = errors.Join(failure.Err, venuekey.ErrSessionEnded)
	}
	return failure
}

// stranger returns the error for an answer that is not Tradovate's own. A sign-in has
// nothing to lose by it; a renewal may have.
func stranger(answer oauth.Answer, address *url.URL, grant string) *venuekey.Error {
	if grant == renewal {
		return answer.Stranger(address)
	}
	return answer.NotJSON(address)
}
