package tradovate

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/internal/foreign"
	"github.com/venuekey/venuekey/oauth"
)

// api.go owns Tradovate's operations as plain calls.

// API is Tradovate's authentication as plain calls, one for each operation:
// accessTokenRequest, renewAccessToken, oauthToken and me. Nothing is kept and
// nothing is repeated; every way in which a 200 fails is an error.
type API struct {
	// Base is the address below which the operations lie, with /v1; empty means
	// the live host's.
	Base string
	// MeBase is the same for me, which only the live host answers; empty means
	// Base.
	MeBase string
	// Transport sends requests; see oauth.Client.
	Transport http.RoundTripper
}

// AccessTokenRequest signs in by user name and password and starts a new
// session: POST /auth/accesstokenrequest.
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

// RenewAccessToken prolongs the session of a live access token: GET
// /auth/renewaccesstoken. The answer holds a new token.
func (a API) RenewAccessToken(ctx context.Context, access venuekey.Secret) (AccessTokenResponse, error) {
	request, err := a.request(ctx, http.MethodGet, a.Base, "/auth/renewaccesstoken", "", nil)
	if err != nil {
		return AccessTokenResponse{}, err
	}
	request.Header.Set("Authorization", "Bearer "+string(access))
	return a.accessToken(request, renewal)
}

// OAuthToken exchanges a code or presents a refresh token: POST
// /auth/oauthtoken, as a form, which is what the server takes in practice.
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

// unusable is the error for a token that an answer holds and nobody can use, nil if
// it can be used.
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

// Me says whose a token is: GET /auth/me.
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

// renewal is the grant that words are judged by which renew a token.
const renewal = "refresh_token"

func (a API) accessToken(request *http.Request, grant string) (AccessTokenResponse, error) {
	response := AccessTokenResponse{requested: time.Now()}
	err := a.call(request, &response, grant)
	if err == nil {
		err = unusable(response.AccessToken, "")
	}
	return response, err
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

// call sends a request and reads the answer into a response, after it looked
// for every way in which the answer can fail.
func (a API) call(request *http.Request, response any, grant string) error {
	address := request.URL
	scheme, access, _ := strings.Cut(request.Header.Get("Authorization"), " ")
	bearer := scheme == "Bearer"
	answer, err := oauth.Send(a.Transport, request)
	if err != nil {
		return err
	}
	if bearer {
		// That a renewal's token is dead is not taken from a challenge: a gateway
		// sends one too.
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

// notJSON reads what Tradovate answers without JSON: 401 and 429 have empty
// bodies or plain text, 408 and 500 are what a closed session gets.
func notJSON(answer oauth.Answer, address *url.URL, grant string, bearer bool) *venuekey.Error {
	switch {
	case answer.Status == http.StatusUnauthorized && bearer && !answer.IsPage():
		return &venuekey.Error{Class: venuekey.ClassRefused, Reason: "Tradovate does not accept the access token"}
	case answer.Status == http.StatusTooManyRequests:
		return &venuekey.Error{Class: venuekey.ClassLater, RetryAfter: time.Hour, Reason: "Tradovate was asked too often; asking again within the hour prolongs it"}
	case answer.Status == http.StatusTemporaryRedirect && bearer:
		return &venuekey.Error{Class: venuekey.ClassMisconfigured, Reason: "Tradovate keeps this user at another host", Remedy: "set the app's api address to the host that apiHosts names"}
	case bearer && (answer.Status == http.StatusRequestTimeout || answer.Status == http.StatusInternalServerError):
		return answer.NotJSON(address)
	}
	return stranger(answer, address, grant)
}

// stranger is an answer that is not Tradovate's own word. A sign-in has nothing
// to lose by it.
func stranger(answer oauth.Answer, address *url.URL, grant string) *venuekey.Error {
	if grant == renewal {
		return answer.Stranger(address)
	}
	return answer.NotJSON(address)
}
