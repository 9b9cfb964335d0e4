package tradovate

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/internal/foreign"
	"github.com/venuekey/venuekey/oauth"
)

// wire.go owns the requests and answers of the endpoints.

// AccessTokenRequest is the request of a password sign-in. Name and Password are
// required. Every text is at most 64 bytes long, Sec at most 8192.
type AccessTokenRequest struct {
	Name       string
	Password   venuekey.Secret
	AppID      string
	AppVersion string
	DeviceID   string
	// CID is the number of the API key, Sec its secret.
	CID string
	Sec venuekey.Secret
	// HIBPCheck asks Tradovate to look the password up among leaked ones.
	HIBPCheck bool
	// Ticket answers a Penalty; the rest of the request must be unchanged.
	Ticket venuekey.Secret
}

// wire returns the JSON that is sent. Only here are the secrets spelled out.
func (r AccessTokenRequest) wire() ([]byte, error) {
	if r.Name == "" || r.Password == "" {
		return nil, wrong("user name or password is empty", "")
	}
	for _, field := range []struct {
		name, value string
		limit       int
	}{
		{"name", r.Name, 64}, {"password", string(r.Password), 64}, {"appId", r.AppID, 64}, {"appVersion", r.AppVersion, 64},
		{"deviceId", r.DeviceID, 64}, {"cid", r.CID, 64}, {"sec", string(r.Sec), 8192},
	} {
		if len(field.value) > field.limit {
			return nil, wrong(fmt.Sprintf("%s is longer than %d characters", field.name, field.limit), "")
		}
	}
	body := map[string]any{"name": r.Name, "password": string(r.Password)}
	put := func(name, value string) {
		if value != "" {
			body[name] = value
		}
	}
	put("appId", r.AppID)
	put("appVersion", r.AppVersion)
	put("deviceId", r.DeviceID)
	put("sec", string(r.Sec))
	put("p-ticket", string(r.Ticket))
	put("cid", r.CID)
	// The schema says string; every example and some servers use a number.
	if number, err := strconv.ParseInt(r.CID, 10, 64); err == nil {
		body["cid"] = number
	}
	if r.HIBPCheck {
		body["hibpCheck"] = true
	}
	return json.Marshal(body)
}

// identity returns what tells a request from others, without its ticket.
func (r AccessTokenRequest) identity() string {
	return venuekey.TicketFor("login", r.Name, string(r.Password), r.AppID, r.AppVersion, r.DeviceID, r.CID, string(r.Sec), strconv.FormatBool(r.HIBPCheck))
}

// AccessTokenResponse is the answer to a password sign-in and to a renewal.
type AccessTokenResponse struct {
	AccessToken venuekey.Secret `json:"accessToken"`
	// MDAccessToken opens the market data socket; no schema declares it.
	MDAccessToken          venuekey.Secret   `json:"mdAccessToken"`
	ExpirationTime         time.Time         `json:"expirationTime"`
	PasswordExpirationTime time.Time         `json:"passwordExpirationTime"`
	UserStatus             string            `json:"userStatus"`
	UserID                 int64             `json:"userId"`
	Name                   string            `json:"name"`
	HasLive                bool              `json:"hasLive"`
	HasFunded              bool              `json:"hasFunded"`
	HasMarketData          bool              `json:"hasMarketData"`
	HasSimPlus             bool              `json:"hasSimPlus"`
	OutdatedTaC            bool              `json:"outdatedTaC"`
	OutdatedLiquidation    bool              `json:"outdatedLiquidationPolicy"`
	ShowKIDs               bool              `json:"showKIDs"`
	HIBPHint               string            `json:"hibpHint"`
	APIHosts               map[string]string `json:"apiHosts"`
	// Extras holds the JSON text of every field, known or unknown, except the access
	// token and its expiry.
	Extras map[string]venuekey.Secret `json:"-"`

	requested, server time.Time
}

// UnmarshalJSON keeps unknown fields in Extras.
func (r *AccessTokenResponse) UnmarshalJSON(data []byte) error {
	type plain AccessTokenResponse
	if err := json.Unmarshal(data, (*plain)(r)); err != nil {
		return err
	}
	var err error
	r.Extras, err = extras(data, "accessToken", "expirationTime", "errorText")
	return err
}

func (r *AccessTokenResponse) date(server time.Time) { r.server = server }

// Token returns the answer as a venuekey.Token. Its Extras are those of r.
func (r AccessTokenResponse) Token() venuekey.Token {
	token := venuekey.Token{
		Access: r.AccessToken, Type: "Bearer",
		Issued: r.requested, User: identity(r.AccessToken, r.Name, r.UserID),
		Extras: r.Extras,
	}
	if token.Issued.IsZero() {
		token.Issued = time.Now()
	}
	if !r.ExpirationTime.IsZero() {
		since := token.Issued
		if !r.server.IsZero() {
			since = r.server
		}
		life, note := oauth.Life(r.ExpirationTime.Sub(since), AccessLife)
		if note != "" {
			token.Notes = append(token.Notes, note)
		}
		token.EndsAfter(life, r.server)
	}
	if end := r.PasswordExpirationTime; !end.IsZero() && end.Sub(token.Issued) < passwordWarning {
		token.Notes = append(token.Notes, "the password expires at "+end.UTC().Format(time.RFC3339)+": change it in Trader before then")
	}
	return token
}

// passwordWarning is how long before the end of a password that is limited in time a sign-in
// says so. The token does not depend on it (GitHub tradovate/api issue 50).
const passwordWarning = 14 * 24 * time.Hour

// OAuthToken is an OAuth token request; only GrantType is required.
type OAuthToken struct {
	GrantType    string
	Code         venuekey.Secret
	RedirectURI  string
	ClientID     string
	ClientSecret venuekey.Secret
	HTTPAuth     venuekey.Secret
	RefreshToken venuekey.Secret
	CodeVerifier venuekey.Secret
	Resource     string
	Assertion    venuekey.Secret
}

func (r OAuthToken) form() url.Values {
	form := url.Values{}
	for name, value := range map[string]string{
		"grant_type": r.GrantType, "code": string(r.Code), "redirect_uri": r.RedirectURI, "client_id": r.ClientID, "client_secret": string(r.ClientSecret),
		"httpAuth": string(r.HTTPAuth), "refresh_token": string(r.RefreshToken), "code_verifier": string(r.CodeVerifier), "resource": r.Resource, "assertion": string(r.Assertion),
	} {
		if value != "" {
			form.Set(name, value)
		}
	}
	return form
}

// OAuthTokenResponse is the answer to OAuthToken. Lifetimes are in seconds.
type OAuthTokenResponse struct {
	AccessToken           venuekey.Secret   `json:"access_token"`
	TokenType             string            `json:"token_type"`
	ExpiresIn             int64             `json:"expires_in"`
	RefreshToken          venuekey.Secret   `json:"refresh_token"`
	RefreshTokenExpiresIn int64             `json:"refresh_token_expires_in"`
	IDToken               venuekey.Secret   `json:"id_token"`
	Scope                 string            `json:"scope"`
	APIHosts              map[string]string `json:"apiHosts"`
	// Extras holds the JSON text of every field, known or unknown, except the tokens and
	// their lifetimes.
	Extras map[string]venuekey.Secret `json:"-"`
}

// UnmarshalJSON keeps unknown fields in Extras.
func (r *OAuthTokenResponse) UnmarshalJSON(data []byte) error {
	type plain OAuthTokenResponse
	if err := json.Unmarshal(data, (*plain)(r)); err != nil {
		return err
	}
	var err error
	r.Extras, err = extras(data, "access_token", "token_type", "expires_in", "refresh_token", "refresh_token_expires_in", "scope", "error", "error_description")
	return err
}

// OAuthMeResponse describes the user that a token belongs to. Its texts are as Tradovate
// sent them: sanitise them before showing them on a terminal.
type OAuthMeResponse struct {
	UserID             int64    `json:"userId"`
	Name               string   `json:"name"`
	FullName           string   `json:"fullName"`
	Email              string   `json:"email"`
	EmailVerified      bool     `json:"emailVerified"`
	IsTrial            bool     `json:"isTrial"`
	OrganizationName   string   `json:"organizationName"`
	CurrentAccountPlan string   `json:"currentAccountPlan"`
	CurrentMDSubs      []string `json:"currentMDSubs"`
	CurrentBalance     float64  `json:"currentBalance"`
	ActivePlugins      []string `json:"activePlugins"`
	// Extras holds the JSON text of every field, known or unknown.
	Extras map[string]venuekey.Secret `json:"-"`
}

// UnmarshalJSON keeps unknown fields in Extras.
func (r *OAuthMeResponse) UnmarshalJSON(data []byte) error {
	type plain OAuthMeResponse
	if err := json.Unmarshal(data, (*plain)(r)); err != nil {
		return err
	}
	var err error
	r.Extras, err = extras(data, "errorText")
	return err
}

// extras returns the JSON text of every field except the named ones.
func extras(data []byte, but ...string) (map[string]venuekey.Secret, error) {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(data, &fields); err != nil {
		return nil, err
	}
	rest := make(map[string]venuekey.Secret, len(fields))
	for name, value := range fields {
		if !slices.Contains(but, name) && string(value) != "null" {
			rest[name] = venuekey.Secret(value)
		}
	}
	return rest, nil
}

// identity returns the name of a user in a form that is safe to show, even if the answer
// repeats the token as a name.
func identity(access venuekey.Secret, name string, userID int64) string {
	name = foreign.NameWithout(name, access)
	if userID == 0 {
		return name
	}
	return fmt.Sprintf("%s (user %d)", name, userID)
}
