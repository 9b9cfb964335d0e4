package tradovate

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/venuekey/venuekey"
)

// password.go owns sign-ins with name, password and API key, by the user and by a program
// with what the user had kept.

// kept is the form of venuekey.Token.Password.
type kept struct {
	Name     string `json:"name"`
	Password string `json:"password"`
}

// loginByPassword asks the user for name and password. They go into the token, for the
// Keeper to keep or to drop.
func (v Venue) loginByPassword(ctx context.Context, app venuekey.App, ui venuekey.UI) (venuekey.Token, error) {
	given, err := ui.Ask(ctx, []venuekey.Field{
		{Name: "name", Help: "Tradovate user name", User: true},
		{Name: "password", Help: "Tradovate password, or the API key's own password", Secret: true},
	})
	if err != nil {
		return venuekey.Token{}, err
	}
	body := loginBody(app, string(given["name"]), given["password"])
	var response AccessTokenResponse
	err = waitedOut(ctx, ui, loginPlace(body), body.identity(), func(ticket venuekey.Secret) (err error) {
		body.Ticket = ticket
		response, err = v.API(app).AccessTokenRequest(ctx, body)
		return err
	})
	if err != nil {
		return venuekey.Token{}, err
	}
	token := response.Token()
	form, err := json.Marshal(kept{body.Name, string(body.Password)})
	if err != nil {
		return venuekey.Token{}, err
	}
	token.Password = venuekey.Secret(form)
	return token, nil
}

// SignInAgain implements venuekey.Repeater. A penalty is not waited for: its ticket is kept
// for the next attempt, also if that is one of the user.
func (v Venue) SignInAgain(ctx context.Context, app venuekey.App, password venuekey.Secret) (venuekey.Token, error) {
	var form kept
	if flowOf(app) != FlowPassword || json.Unmarshal([]byte(password), &form) != nil || form.Password == "" {
		return venuekey.Token{}, wrong("the app does not sign in with the name and password that were kept", "sign in again")
	}
	body := loginBody(app, form.Name, venuekey.Secret(form.Password))
	tickets, place := venuekey.TicketsIn(ctx), loginPlace(body)
	if ticket, found := tickets.Find(ctx, place); found {
		if ticket.Left() > 0 {
			return venuekey.Token{}, refusedUntil(ticket)
		}
		if tickets.Take(ctx, place, ticket) && ticket.For == body.identity() && !ticket.Captcha {
			body.Ticket = ticket.Value
		}
	}
	response, err := v.API(app).AccessTokenRequest(ctx, body)
	if penalty, ok := errors.AsType[*Penalty](err); ok {
		tickets.Keep(ctx, place, penalty.kept(body.identity()))
	}
	if err != nil {
		return venuekey.Token{}, err
	}
	return response.Token(), nil
}

// loginBody returns the request of a sign-in.
func loginBody(app venuekey.App, name string, password venuekey.Secret) AccessTokenRequest {
	return AccessTokenRequest{
		Name: name, Password: password,
		AppID: string(app.Param("app_id")), AppVersion: string(app.Param("app_version")), DeviceID: string(app.Param("device_id")),
		CID: string(app.Param("cid")), Sec: app.Param("sec"),
	}
}

// loginPlace is where the ticket of a sign-in's penalty is kept.
func loginPlace(body AccessTokenRequest) string { return "login " + body.Name }
