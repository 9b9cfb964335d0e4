package defined

import (
	"fmt"
	"strings"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/oauth"
	"github.com/venuekey/venuekey/venue/defined/definition"
)

// app.go owns what an app needs: the form for a person, and the check.

// AppForm implements venuekey.Registrar.
func (v venue) AppForm() venuekey.AppForm {
	form := venuekey.AppForm{Register: v.d.Register, URLs: v.d.Addresses()}
	for _, ask := range v.d.Ask {
		if ask.Keep == definition.KeepApp {
			form.Fields = append(form.Fields, fieldOf(ask))
		}
	}
	return form
}

func fieldOf(ask definition.Ask) venuekey.Field {
	return venuekey.Field{Name: ask.Name, Help: ask.Help, Secret: ask.Secret, User: ask.User, Default: ask.Default, Optional: ask.Optional || ask.Default != ""}
}

// Secretless implements venuekey.Secretless.
func (v venue) Secretless(app venuekey.App) bool {
	return v.d.Client == definition.ClientNone || v.d.Client == definition.ClientPublic && app.ClientSecret == ""
}

// CheckApp implements venuekey.Registrar.
func (v venue) CheckApp(app venuekey.App) error {
	switch {
	case v.d.Client != definition.ClientNone && app.ClientID == "":
		return wrong("the app has no client id", "register one: "+v.d.Register)
	case !v.Secretless(app) && app.ClientSecret == "":
		return wrong("the app has no client secret", "register one: "+v.d.Register)
	}
	if _, known := v.d.Environments[app.Environment]; app.Environment == "demo" && !known || app.Environment != "" && app.Environment != "live" && !known {
		return wrong(fmt.Sprintf("%s has no such environment", v.d.Name), "leave the environment out, or write live")
	}
	for _, ask := range v.d.Ask {
		value := app.Param(ask.Name)
		switch {
		case ask.Keep != definition.KeepApp || value == "" && (ask.Optional || ask.Default != ""):
		case value == "":
			return wrong("the app has no "+ask.Name, "set it: "+ask.Help)
		case !fits(ask.Pattern, value) || strings.ContainsFunc(string(value), func(r rune) bool { return r < ' ' || r == 0x7f }):
			return v.misfit(ask)
		}
	}
	if _, err := oauth.Roots(app); err != nil {
		return err
	}
	if v.d.Login != definition.LoginCode {
		return nil
	}
	redirect, err := oauth.ParseRedirect(app.RedirectURI)
	if err != nil {
		return err
	}
	want := v.d.Authorize.Redirect // an emulated venue takes any
	if want != "" && want != definition.RedirectAny && redirect.URL.Scheme != string(want) && app.URLs["base"] == "" {
		return wrong("the redirect uri is "+redirect.URL.Scheme+", and "+v.d.Name+" accepts "+string(want)+" only", "register one that begins with "+string(want)+"://"+noteOf(v.d))
	}
	return nil
}

func noteOf(d *definition.Definition) string {
	if d.Authorize.Note == "" {
		return ""
	}
	return "; " + d.Authorize.Note
}
