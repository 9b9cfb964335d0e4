package agent

import (
	"encoding/json"
	"time"

	"github.com/venuekey/venuekey"
)

// wire.go owns the forms in which tokens and sign-ins cross the socket.

// tokenForm is a token.
type tokenForm struct {
	ID          string                     `json:"id"`
	AccessToken string                     `json:"access_token"`
	TokenType   string                     `json:"token_type"`
	IssuedAt    time.Time                  `json:"issued_at"`
	ExpiresAt   time.Time                  `json:"expires_at"`
	Generation  int64                      `json:"generation"`
	State       string                     `json:"state,omitempty"`
	Scopes      []string                   `json:"scopes,omitempty"`
	User        string                     `json:"user,omitempty"`
	Headers     map[string]string          `json:"headers"`
	Extras      map[string]json.RawMessage `json:"extras,omitempty"`
}

func tokenFormOf(id venuekey.ID, token *venuekey.Token, headers map[string]string) tokenForm {
	form := tokenForm{
		ID: id.String(), AccessToken: string(token.Access), TokenType: token.TypeOrBearer(),
		IssuedAt: token.Issued.UTC(), ExpiresAt: token.Expires.UTC(), Generation: token.Generation,
		Scopes: token.Scopes, User: token.User, Headers: headers,
	}
	for name, value := range token.Extras {
		if form.Extras == nil {
			form.Extras = make(map[string]json.RawMessage, len(token.Extras))
		}
		form.Extras[name] = rawJSON(string(value))
	}
	return form
}

// rawJSON is text that is JSON, or as a JSON string.
func rawJSON(text string) json.RawMessage {
	if json.Valid([]byte(text)) {
		return json.RawMessage(text)
	}
	quoted, _ := json.Marshal(text)
	return quoted
}

func (f tokenForm) token() *venuekey.Token {
	token := &venuekey.Token{
		Access: venuekey.Secret(f.AccessToken), Type: f.TokenType, Issued: f.IssuedAt, Expires: f.ExpiresAt,
		Scopes: f.Scopes, User: f.User, Generation: f.Generation,
	}
	for name, value := range f.Extras {
		if token.Extras == nil {
			token.Extras = make(map[string]venuekey.Secret, len(f.Extras))
		}
		token.Extras[name] = venuekey.Secret(value)
	}
	return token
}

// signInForm is the status of a sign-in.
type signInForm struct {
	ID               string          `json:"id"`
	State            string          `json:"state"`
	Reason           string          `json:"reason,omitempty"`
	Remedy           string          `json:"remedy,omitempty"`
	Error            string          `json:"error,omitempty"` // its record cannot be read
	Generation       int64           `json:"generation"`
	SignedInAt       time.Time       `json:"signed_in_at,omitzero"`
	IssuedAt         time.Time       `json:"issued_at,omitzero"`
	ExpiresAt        time.Time       `json:"expires_at,omitzero"`
	NextRefreshAt    time.Time       `json:"next_refresh_at,omitzero"`
	RefreshExpiresAt time.Time       `json:"refresh_expires_at,omitzero"`
	SignInEndsAt     time.Time       `json:"sign_in_ends_at,omitzero"`
	Ending           venuekey.Ending `json:"ending"`
	EndsAnyway       bool            `json:"ends_anyway,omitempty"`
	Scopes           []string        `json:"scopes,omitempty"`
	ScopesMissing    []string        `json:"scopes_missing,omitempty"`
	Limits           string          `json:"limits,omitempty"`
	User             string          `json:"user,omitempty"`
	Failures         int             `json:"failures,omitempty"`
	Spilled          bool            `json:"spilled,omitempty"`
	Behind           bool            `json:"behind,omitempty"`
	Odd              string          `json:"odd,omitempty"`
	KeptPassword     bool            `json:"kept_password,omitempty"`
	LeftAloneUntil   time.Time       `json:"left_alone_until,omitzero"`
	MaintenanceFrom  time.Time       `json:"maintenance_from,omitzero"`
	MaintenanceTo    time.Time       `json:"maintenance_to,omitzero"`
}

func signInFormOf(s venuekey.Status) signInForm {
	form := signInForm{
		ID: s.ID.String(), State: string(s.State), Reason: s.Reason, Remedy: string(s.Remedy()), Generation: s.Generation,
		SignedInAt: s.SignedIn.UTC(), IssuedAt: s.Issued.UTC(), ExpiresAt: s.Expires.UTC(), NextRefreshAt: s.NextRefresh.UTC(),
		RefreshExpiresAt: s.RefreshExpires.UTC(), SignInEndsAt: s.SignInEnds.UTC(), Ending: s.Ending, EndsAnyway: s.EndsAnyway,
		Scopes: s.Scopes, ScopesMissing: s.ScopesMissing, Limits: s.Limits, User: s.User, Failures: s.Failures, Spilled: s.Spilled,
		Behind: s.Behind, Odd: s.Odd, KeptPassword: s.KeptPassword, LeftAloneUntil: s.LeftAloneUntil.UTC(),
		MaintenanceFrom: s.Maintenance.From.UTC(), MaintenanceTo: s.Maintenance.To.UTC(),
	}
	if s.Err != nil {
		form.Error = s.Err.Error()
	}
	return form
}

// status is what a form says. An ID that this version cannot parse stays zero.
func (f signInForm) status() venuekey.Status {
	id, _ := venuekey.ParseID(f.ID)
	s := venuekey.Status{
		ID: id, State: venuekey.State(f.State), Reason: f.Reason, Generation: f.Generation,
		SignedIn: f.SignedInAt, Issued: f.IssuedAt, Expires: f.ExpiresAt, NextRefresh: f.NextRefreshAt,
		RefreshExpires: f.RefreshExpiresAt, SignInEnds: f.SignInEndsAt, Ending: f.Ending, EndsAnyway: f.EndsAnyway,
		Scopes: f.Scopes, ScopesMissing: f.ScopesMissing, Limits: f.Limits, User: f.User, Failures: f.Failures, Spilled: f.Spilled,
		Behind: f.Behind, Odd: f.Odd, KeptPassword: f.KeptPassword, LeftAloneUntil: f.LeftAloneUntil,
		Maintenance: venuekey.Window{From: f.MaintenanceFrom, To: f.MaintenanceTo},
	}
	if !f.ExpiresAt.IsZero() {
		s.Left = time.Until(f.ExpiresAt)
	}
	if f.Error != "" {
		s.Err = &venuekey.Error{ID: id, Class: venuekey.ClassDamaged, Reason: f.Error}
	}
	return s
}
