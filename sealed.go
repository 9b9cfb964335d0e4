package venuekey

import (
	"encoding/json"
	"time"
)

// sealed.go owns the sealed forms of tokens and apps: JSON with their secrets in plain
// text, to which later versions can add fields.

// sealedToken is a Token as it is sealed, with its secrets in plain text.
type sealedToken struct {
	Access         string                     `json:"access,omitempty"`
	Refresh        string                     `json:"refresh,omitempty"`
	Password       string                     `json:"password,omitempty"`
	Type           string                     `json:"type,omitempty"`
	Issued         time.Time                  `json:"issued,omitzero"`
	Expires        time.Time                  `json:"expires,omitzero"`
	RefreshExpires time.Time                  `json:"refresh_expires,omitzero"`
	RefreshIssued  time.Time                  `json:"refresh_issued,omitzero"`
	SignedIn       time.Time                  `json:"signed_in,omitzero"`
	Scopes         []string                   `json:"scopes,omitempty"`
	Asked          []string                   `json:"asked,omitempty"`
	User           string                     `json:"user,omitempty"`
	Extras         map[string]json.RawMessage `json:"extras,omitempty"`
	RefusedUnder   string                     `json:"refused_under,omitempty"`
	RefusedFirst   time.Time                  `json:"refused_first,omitzero"`
	Ended          time.Time                  `json:"ended,omitzero"`
	Suspected      time.Time                  `json:"suspected,omitzero"`
	Began          time.Time                  `json:"began,omitzero"`
	Typed          string                     `json:"typed,omitempty"`
	SetAside       time.Time                  `json:"set_aside,omitzero"`
}

func sealedFrom(t Token) sealedToken {
	form := sealedToken{
		Access: string(t.Access), Refresh: string(t.Refresh), Password: string(t.Password), Type: t.Type,
		Issued: t.Issued.Round(0).UTC(), Expires: t.Expires.Round(0).UTC(), RefreshExpires: t.RefreshExpires.Round(0).UTC(),
		RefreshIssued: t.RefreshIssued.Round(0).UTC(), SignedIn: t.SignedIn.Round(0).UTC(), Scopes: t.Scopes, Asked: t.Asked, User: t.User,
		RefusedUnder: t.refusedUnder, RefusedFirst: t.refusedFirst.Round(0).UTC(), Ended: t.ended.Round(0).UTC(), Suspected: t.suspected.Round(0).UTC(),
		Began: t.began.Round(0).UTC(), Typed: t.typed, SetAside: t.setAside.Round(0).UTC(),
	}
	if len(t.Extras) > 0 {
		form.Extras = make(map[string]json.RawMessage, len(t.Extras))
		for name, value := range t.Extras {
			form.Extras[name] = rawJSON(string(value))
		}
	}
	return form
}

func (f sealedToken) token() Token {
	t := Token{
		Access: Secret(f.Access), Refresh: Secret(f.Refresh), Password: Secret(f.Password), Type: f.Type,
		Issued: f.Issued, Expires: f.Expires, RefreshExpires: f.RefreshExpires,
		RefreshIssued: f.RefreshIssued, SignedIn: f.SignedIn, Scopes: f.Scopes, Asked: f.Asked, User: f.User,
		refusedUnder: f.RefusedUnder, refusedFirst: f.RefusedFirst, ended: f.Ended, suspected: f.Suspected, began: f.Began, typed: f.Typed, setAside: f.SetAside,
	}
	if len(f.Extras) > 0 {
		t.Extras = make(map[string]Secret, len(f.Extras))
		for name, value := range f.Extras {
			t.Extras[name] = Secret(value)
		}
	}
	// An older program may have saved an unusable access token.
	t, _ = usable(t)
	return cleaned(t)
}

// rawJSON returns text that is JSON unchanged, and any other as a JSON string, so that an
// Extra that a program set by hand cannot spoil a record.
func rawJSON(text string) json.RawMessage {
	if json.Valid([]byte(text)) {
		return json.RawMessage(text)
	}
	quoted, _ := json.Marshal(text)
	return quoted
}

// sealedApp is an App as it is sealed.
type sealedApp struct {
	Venue        string            `json:"venue"`
	ClientID     string            `json:"client_id,omitempty"`
	ClientSecret string            `json:"client_secret,omitempty"`
	RedirectURI  string            `json:"redirect_uri,omitempty"`
	Scopes       []string          `json:"scopes,omitempty"`
	Environment  string            `json:"environment,omitempty"`
	URLs         map[string]string `json:"urls,omitempty"`
	Pace         time.Duration     `json:"pace,omitempty"`
	Burst        int               `json:"burst,omitempty"`
	Params       map[string]string `json:"params,omitempty"`
}

func sealedFromApp(a App) sealedApp {
	form := sealedApp{
		Venue: a.Venue, ClientID: a.ClientID, ClientSecret: string(a.ClientSecret), RedirectURI: a.RedirectURI,
		Scopes: a.Scopes, Environment: a.Environment, URLs: a.URLs, Pace: a.Pace, Burst: a.Burst,
	}
	if len(a.Params) > 0 {
		form.Params = make(map[string]string, len(a.Params))
		for name, value := range a.Params {
			form.Params[name] = string(value)
		}
	}
	return form
}

func (f sealedApp) app() App {
	app := App{
		Venue: f.Venue, ClientID: f.ClientID, ClientSecret: Secret(f.ClientSecret), RedirectURI: f.RedirectURI,
		Scopes: f.Scopes, Environment: f.Environment, URLs: f.URLs, Pace: f.Pace, Burst: f.Burst,
	}
	if len(f.Params) > 0 {
		app.Params = make(map[string]Secret, len(f.Params))
		for name, value := range f.Params {
			app.Params[name] = Secret(value)
		}
	}
	return app
}
