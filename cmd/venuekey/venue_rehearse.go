package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"time"

	"github.com/spf13/cobra"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/emulator"
	emu "github.com/venuekey/venuekey/emulator/defined"
	"github.com/venuekey/venuekey/store/memory"
	"github.com/venuekey/venuekey/venue/defined"
	"github.com/venuekey/venuekey/venue/defined/definition"
)

// venue_rehearse.go owns "venue test": the story of a sign-in, played with a venue that is emulated from
// the same file.

func (p *program) venueTestCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "test NAME|FILE",
		Short: "Play the story of a sign-in with the venue emulated from its file",
		Long: `Play the story of a sign-in with a venue that is emulated from its own file, on
this machine and with a made-up user: sign in, renew, a lost answer, an expired
token, an access that the user takes back, and how it ends. It shows that the
file can be used and what it means, and not that its facts are right: both sides
have read the same ones.

It takes a few seconds, and touches neither your vault nor a real venue. The
exit code is 1 if a step goes wrong.`,
		Example:           "  venuekey venue test schwab\n  venuekey venue test my-broker.json --json",
		Args:              p.oneDefinition,
		ValidArgsFunction: p.completeDefinitions,
		RunE: func(cmd *cobra.Command, args []string) error {
			d, err := p.definitionOf(args[0])
			if err != nil {
				return err
			}
			r := newRehearsal(d)
			defer r.close()
			return p.showRehearsal(r.play(cmd.Context()))
		},
	}
}

// scene is a step of the story, and what came of it.
type scene struct {
	Step string `json:"step"`
	Saw  string `json:"saw"`
	OK   bool   `json:"ok"`
}

func (p *program) showRehearsal(scenes []scene) error {
	failed := false
	shown := table{heading: []string{"STEP", "", "WHAT CAME OF IT"}}
	for _, one := range scenes {
		mark := cell{"ok", green}
		if !one.OK {
			failed, mark = true, cell{"wrong", red}
		}
		shown.add(text(one.Step), mark, text(oneLine(one.Saw)))
	}
	if p.json {
		if err := p.writeJSON(scenes); err != nil {
			return err
		}
	} else {
		shown.write(p.stdout, p.style())
	}
	if failed {
		return codeOnly(exitFailed)
	}
	return nil
}

// rehearsal is the stage: an emulated venue and a Keeper, both of their own.
type rehearsal struct {
	d      *definition.Definition
	server *emu.Server
	web    *httptest.Server
	keeper *venuekey.Keeper
	id     venuekey.ID
}

func newRehearsal(d *definition.Definition) *rehearsal {
	known := emulatedApp()
	r := &rehearsal{d: d, id: venuekey.ID{Venue: d.Name, Name: emulator.DefaultUser().Name}}
	r.server = &emu.Server{Definition: d, Knobs: emu.Knobs{AnyLoopbackRedirect: true},
		Apps: []emulator.App{{ClientID: known.ClientID, ClientSecret: known.ClientSecret, RedirectURIs: []string{rehearsedRedirect}}}}
	r.web = httptest.NewServer(r.server)
	app := rehearsedApp(d, r.web.URL)
	r.keeper = &venuekey.Keeper{Vault: &venuekey.Vault{Store: &memory.Store{}, Key: venuekey.SealKey{1}}, Venues: []venuekey.Venue{defined.New(d)},
		Apps: func(context.Context, string) (venuekey.App, error) { return app, nil }}
	return r
}

func (r *rehearsal) close() {
	_ = r.keeper.Close() // everything in it is made up
	r.web.Close()
}

// rehearsedRedirect is registered, and leads nowhere: the user pastes the address.
const rehearsedRedirect = "https://app.example/callback"

// rehearsedApp is the made-up app, with what the definition asks to keep: the first name is the
// user's, and each secret the user's password.
func rehearsedApp(d *definition.Definition, at string) venuekey.App {
	known, user := emulatedApp(), emulator.DefaultUser()
	app := venuekey.App{Venue: d.Name, RedirectURI: rehearsedRedirect, URLs: map[string]string{"base": at}, Params: map[string]venuekey.Secret{}}
	if d.Client != definition.ClientNone {
		app.ClientID, app.ClientSecret = known.ClientID, venuekey.Secret(known.ClientSecret)
	}
	for _, ask := range d.Ask {
		if ask.Keep == definition.KeepApp {
			app.Params[ask.Name] = inForm(ask.Pattern, rehearsedAnswer(ask.Secret, ask.Default, user))
		}
	}
	return app
}

// inForm is an answer, or one made of digits if a pattern wants that.
func inForm(pattern string, answer venuekey.Secret) venuekey.Secret {
	form, err := regexp.Compile("^(?:" + pattern + ")$")
	if err != nil || pattern == "" {
		return answer
	}
	for _, one := range []string{string(answer), "1000000001", "12345", "1234"} {
		if form.MatchString(one) {
			return venuekey.Secret(one)
		}
	}
	return answer
}

func rehearsedAnswer(secret bool, usual string, user emulator.User) venuekey.Secret {
	switch {
	case usual != "":
		return venuekey.Secret(usual)
	case secret:
		return venuekey.Secret(user.Password)
	}
	return venuekey.Secret(user.Name)
}

// play plays the story. A step that fails ends it.
func (r *rehearsal) play(ctx context.Context) (scenes []scene) {
	for _, step := range []struct {
		name string
		play func(context.Context) (string, error)
	}{
		{"sign in", r.signIn}, {"renew", r.renew}, {"a lost answer", r.loseAnswer}, {"expired while asleep", r.oversleep}, {"taken back by the user", r.takeBack}, {"how it ends", r.end},
	} {
		saw, err := step.play(ctx)
		one := scene{step.name, saw, err == nil}
		if err != nil {
			one.Saw = err.Error()
		}
		if scenes = append(scenes, one); err != nil {
			return scenes
		}
	}
	return scenes
}

func (r *rehearsal) signIn(ctx context.Context) (string, error) {
	user := emulator.DefaultUser()
	ui := &rehearsing{person: emulator.Person{Name: user.Name, Password: user.Password}, address: make(chan string, 1)}
	token, err := r.keeper.SignInWith(ctx, r.id, ui, venuekey.SignInOptions{EndOldest: true})
	if err != nil {
		return "", err
	}
	if !r.server.Alive(string(token.Access)) {
		return "", errors.New("the venue does not accept the access token that it issued")
	}
	return "the access token is valid for " + span(time.Until(token.Expires)), nil
}

func (r *rehearsal) renew(ctx context.Context) (string, error) {
	before, err := r.keeper.Token(ctx, r.id)
	if err != nil {
		return "", err
	}
	after, err := r.keeper.Refresh(ctx, r.id)
	switch {
	case r.d.Keepalive != nil && err == nil:
		return "a call keeps the session alive; its token stays the same", nil
	case r.d.Renew.With == definition.WithNone:
		if !venuekey.NeedsSignIn(err) {
			return "", fmt.Errorf("the file says that nothing renews a token, and yet: %w", cmpErr(err, "it was renewed"))
		}
		return "nothing renews it: the user signs in again", nil
	case err != nil:
		return "", err
	case !r.server.Alive(string(after.Access)):
		return "", errors.New("the venue does not accept the renewed access token")
	case after.Access == before.Access:
		return "", errors.New("the renewed access token is the old one")
	}
	if r.d.Renew.KillsAccess == r.server.Alive(string(before.Access)) {
		return "", errors.New("the old access token is not what renew.kills_access says")
	}
	return "a new access token; the old one " + map[bool]string{true: "ended", false: "lives on"}[r.d.Renew.KillsAccess], nil
}

// cmpErr is an error, or one that says so if there is none.
func cmpErr(err error, otherwise string) error {
	if err == nil {
		return errors.New(otherwise)
	}
	return err
}

// loseAnswer loses the answer to a renewal, and shows what the policy makes of it.
func (r *rehearsal) loseAnswer(ctx context.Context) (string, error) {
	if r.d.Renew.With == definition.WithNone {
		return "there is no renewal to lose", nil
	}
	r.server.Inject(emulator.Fault{On: emulator.AtRefresh, Kind: emulator.FaultDropAfter})
	_, err := r.keeper.Refresh(ctx, r.id)
	if err == nil {
		return "the venue repeats it", nil
	}
	status, failed := r.keeper.Status(ctx, r.id)
	if failed != nil {
		return "", failed
	}
	if _, err := r.keeper.Token(ctx, r.id); err != nil && !venuekey.NeedsSignIn(err) && !venuekey.Temporary(err) {
		return "", err
	}
	saw := "the sign-in is " + string(status.State)
	if _, err := r.keeper.RefreshAgain(ctx, r.id); err == nil {
		return saw + ", and renewed by presenting the same once more", nil
	} else if !venuekey.NeedsSignIn(err) {
		return "", err
	}
	if _, err := r.signIn(ctx); err != nil {
		return "", err
	}
	return saw + "; the same token presented once more is refused, and the user signs in again", nil
}

// oversleep lets the access token expire while nobody asks.
func (r *rehearsal) oversleep(ctx context.Context) (string, error) {
	r.server.Tune(func(k *emu.Knobs) { k.AccessLife = 2 * time.Second })
	defer r.server.Tune(func(k *emu.Knobs) { k.AccessLife = 0 })
	if _, err := r.signIn(ctx); err != nil {
		return "", err
	}
	if token, err := r.keeper.Token(ctx, r.id); err == nil && time.Until(token.Expires) > time.Minute {
		return "the venue's answers do not say how long a token lives: the file is believed", nil
	}
	select {
	case <-time.After(2100 * time.Millisecond):
	case <-ctx.Done():
		return "", ctx.Err()
	}
	token, err := r.keeper.Token(ctx, r.id)
	switch {
	case err == nil && !r.server.Alive(string(token.Access)):
		return "", errors.New("the token that is handed out afterwards is dead")
	case err == nil:
		return "it is renewed when it is asked for", nil
	case venuekey.NeedsSignIn(err) && (r.d.Renew.With == definition.WithNone || r.d.Renew.With == definition.WithAccess):
		return "the user signs in again", nil
	}
	return "", err
}

// takeBack has the user take the access back on the venue's pages.
func (r *rehearsal) takeBack(ctx context.Context) (string, error) {
	if _, err := r.signIn(ctx); err != nil {
		return "", err
	}
	r.server.RevokeUser(r.id.Name)
	_, err := r.keeper.Refresh(ctx, r.id)
	switch {
	case err == nil && r.d.Renew.With == definition.WithApp:
		return "the app's key signs in again by itself", nil
	case !venuekey.NeedsSignIn(err):
		return "", fmt.Errorf("it should need a sign-in: %w", cmpErr(err, "it was renewed"))
	}
	status, failed := r.keeper.Status(ctx, r.id)
	if failed != nil {
		return "", failed
	}
	return "needs sign-in: " + status.Reason, nil
}

// end says when the sign-in will end although nothing fails, and when there are warnings.
func (r *rehearsal) end(ctx context.Context) (string, error) {
	if _, err := r.signIn(ctx); err != nil {
		return "", err
	}
	status, err := r.keeper.Status(ctx, r.id)
	switch {
	case err != nil:
		return "", err
	case status.EndsAnyway:
		return "the sign-in ends " + signInEnds(status, when) + ", whatever happens; its user is warned before", nil
	}
	return "the end of the sign-in: " + signInEnds(status, when), nil
}

// rehearsing is the UI of the made-up user.
type rehearsing struct {
	person  emulator.Person
	address chan string
}

// Visit implements venuekey.UI.
func (u *rehearsing) Visit(_ context.Context, visit venuekey.Visit) error {
	u.address <- visit.Elsewhere
	return nil
}

// Paste implements venuekey.UI.
func (u *rehearsing) Paste(ctx context.Context) (string, error) {
	select {
	case address := <-u.address:
		u.person.Client = &http.Client{}
		return u.person.Redirected(ctx, address)
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

// Ask implements venuekey.UI.
func (u *rehearsing) Ask(_ context.Context, fields []venuekey.Field) (map[string]venuekey.Secret, error) {
	answers := map[string]venuekey.Secret{}
	for _, field := range fields {
		answers[field.Name] = rehearsedAnswer(field.Secret, field.Default, emulator.User{Name: u.person.Name, Password: u.person.Password})
	}
	return answers, nil
}

// Tell implements venuekey.UI.
func (u *rehearsing) Tell(string) {}
