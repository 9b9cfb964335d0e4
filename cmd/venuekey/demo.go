package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/emulator"
	"github.com/venuekey/venuekey/local"
	"github.com/venuekey/venuekey/oauth"
	"github.com/venuekey/venuekey/store/sqlite"
)

// demo.go owns the command demo: the real Keeper, a real vault and real HTTP, with made-up
// venues and a made-up user.

func (p *program) demoCmd() *cobra.Command {
	return &cobra.Command{
		Use:     "demo",
		GroupID: groupTry,
		Short:   "Show everything in a few seconds, without an account",
		Long: `Show everything in a few seconds: start the emulated venues in this process,
register an app with each, sign a made-up user in to each over real HTTP, renew
each token, show that the used refresh token is refused now, and sign out. At
cTrader, also list the accounts, and stream quotes while the token is renewed.

It needs no configuration and no network, touches none of your files, and leaves
nothing behind. The exit code is 1 if anything fails.`,
		Example:           `  venuekey demo`,
		Args:              nothing,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE:              func(cmd *cobra.Command, _ []string) error { return p.demo(cmd.Context()) },
	}
}

func (p *program) demo(ctx context.Context) (err error) {
	p.grip.take() // only an orderly end removes the folder
	defer p.grip.give()
	folder, err := os.MkdirTemp(p.env("TMPDIR"), "venuekey-demo-")
	if err != nil {
		return err
	}
	// This runs last: the vault in it is closed by then.
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	stage, err := openStage(ctx, filepath.Join(folder, "vault.db"), p.narration())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stage.close()) }()
	var rows []act
	for _, e := range emulatedVenues(true) {
		row := stage.play(ctx, e)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		rows = append(rows, row)
	}
	return p.showActs(rows)
}

// stage is where the demonstration runs.
type stage struct {
	out    io.Writer
	keeper *venuekey.Keeper
	store  venuekey.Store
	web    servers
}

// narration is where the story goes: to the person, not into the JSON.
func (p *program) narration() io.Writer {
	if p.json {
		return p.stderr
	}
	return p.stdout
}

func openStage(ctx context.Context, path string, out io.Writer) (*stage, error) {
	var key venuekey.SealKey
	rand.Read(key[:])
	store, err := sqlite.Open(ctx, path)
	if err != nil {
		return nil, err
	}
	return &stage{out: out, store: store, keeper: &venuekey.Keeper{Vault: &venuekey.Vault{Store: store, Key: key}, Venues: local.Venues()}}, nil
}

func (s *stage) close() error { return errors.Join(s.keeper.Close(), s.store.Close(), s.web.stop()) }

func (s *stage) tell(format string, args ...any) { fmt.Fprintf(s.out, format+"\n", args...) }

// act is what happened at one venue. A step that fails leaves the steps after it empty.
type act struct {
	Venue      string `json:"venue"`
	SignedIn   string `json:"signed_in"`
	Connection string `json:"connection,omitempty"`
	Renewed    string `json:"renewed"`
	OldRefresh string `json:"old_refresh_token"`
	SignedOut  string `json:"signed_out"`
	Failure    string `json:"failure,omitempty"`
	Took       string `json:"took"`
}

// play shows one venue from sign-in to sign-out.
func (s *stage) play(ctx context.Context, e emulated) (row act) {
	row.Venue = e.title
	began := time.Now()
	id := venuekey.ID{Venue: e.venue, Name: emulator.DefaultUser().Name}
	for _, step := range []func(context.Context, emulated, venuekey.ID, *act) error{s.enter, s.connect, s.renew, s.leave} {
		if err := step(ctx, e, id, &row); err != nil {
			row.Failure = err.Error()
			s.tell("  this failed: %v", err)
			break
		}
	}
	row.Took = fmt.Sprintf("%d ms", time.Since(began).Milliseconds())
	return row
}

// enter starts the venue, registers the app and signs the user in.
func (s *stage) enter(ctx context.Context, e emulated, id venuekey.ID, row *act) error {
	at, err := s.web.serve("127.0.0.1:0", e.hosts[0].handler)
	if err != nil {
		return err
	}
	s.tell("%s, emulated at %s", e.title, at)
	known := emulatedApp()
	app := venuekey.App{
		Venue: e.venue, ClientID: known.ClientID, ClientSecret: venuekey.Secret(known.ClientSecret),
		RedirectURI: "http://localhost:0/auth/callback", URLs: map[string]string{e.hosts[0].url: at},
	}
	if err := s.keeper.Vault.SaveApp(ctx, app); err != nil {
		return err
	}
	s.tell("  app %s registered", app.ClientID)
	user := emulator.DefaultUser()
	ui := &walkIn{tell: s.tell, person: emulator.Person{Name: user.Name, Password: user.Password}}
	token, err := ui.signIn(ctx, s.keeper, id)
	if err != nil {
		return err
	}
	row.SignedIn = "as " + id.Name
	s.tell("  signed in %s: access token %s, valid for %s", id, redacted(token.Access), span(token.Life()))
	return nil
}

// renew forces a renewal, and presents the used refresh token once more.
func (s *stage) renew(ctx context.Context, e emulated, id venuekey.ID, row *act) error {
	old, err := s.copied(ctx, id)
	if err != nil {
		return err
	}
	renewed, err := s.keeper.Refresh(ctx, id)
	if err != nil {
		return err
	}
	if renewed.Access == old.Access {
		return errors.New("the renewed access token is the old one")
	}
	row.Renewed = "yes"
	s.tell("  renewed: access token %s", redacted(renewed.Access))
	if row.OldRefresh, err = s.reuse(ctx, e, id, old); err != nil {
		return err
	}
	// The new token is still served, whatever was done with the old one.
	still, err := s.keeper.Token(ctx, id)
	if err == nil && still.Access != renewed.Access {
		err = errors.New("the token that is served is not the renewed one")
	}
	return err
}

// copied returns the token with its refresh token, as a backup of the vault has it.
func (s *stage) copied(ctx context.Context, id venuekey.ID) (venuekey.Token, error) {
	for snapshot, err := range s.keeper.Snapshots(ctx) {
		if err != nil || snapshot.ID == id {
			return snapshot.Token, err
		}
	}
	return venuekey.Token{}, fmt.Errorf("%s is not signed in", id)
}

// reuse presents the used refresh token, as someone with an old copy would. A Keeper never
// does, so it goes to the venue over plain HTTP.
func (s *stage) reuse(ctx context.Context, e emulated, id venuekey.ID, old venuekey.Token) (string, error) {
	venue, err := s.keeper.Venue(id.Venue)
	if err != nil {
		return "", err
	}
	if venue.Policy().RenewsWith == venuekey.RenewWithAccessToken {
		s.tell("  it was renewed with the live access token: nothing was used up")
		return "not used up", nil
	}
	app, err := s.keeper.Vault.App(ctx, id.Venue)
	if err != nil {
		return "", err
	}
	log := e.server.Log()
	refused := log.Count(emulator.EventRefreshRefused)
	if err := present(ctx, app.URLs[e.hosts[0].url]+e.tokens, app, old.Refresh); err != nil {
		return "", err
	}
	events := log.Events()
	if last := events[len(events)-1]; last.Kind == emulator.EventRefreshRefused && log.Count(emulator.EventRefreshRefused) == refused+1 {
		s.tell("  someone presents the old refresh token %s again: %s refuses it", redacted(old.Refresh), e.title)
		return "refused", nil
	}
	return "", errors.New("a used refresh token was not refused")
}

// present sends a refresh token to a token endpoint (RFC 6749 §6). The outcome is in the
// venue's log, because each venue words its refusals differently.
func present(ctx context.Context, address string, app venuekey.App, refresh venuekey.Secret) error {
	form := url.Values{
		"grant_type": {"refresh_token"}, "refresh_token": {string(refresh)},
		"client_id": {app.ClientID}, "client_secret": {string(app.ClientSecret)},
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, address, strings.NewReader(form.Encode()))
	if err != nil {
		return errors.New("the venue's token endpoint has no address")
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	_, err = oauth.Send(nil, request)
	return err
}

// leave signs out, at the venue too if it can revoke.
func (s *stage) leave(ctx context.Context, e emulated, id venuekey.ID, row *act) error {
	row.SignedOut = "revoked"
	err := s.keeper.SignOut(ctx, id, true)
	if errors.Is(err, errors.ErrUnsupported) {
		row.SignedOut, err = "forgotten", s.keeper.SignOut(ctx, id, false)
	}
	if err != nil {
		row.SignedOut = ""
		return err
	}
	if _, err := s.keeper.Token(ctx, id); !venuekey.NeedsSignIn(err) {
		row.SignedOut = ""
		return fmt.Errorf("a token is served after the sign-out: %w", err)
	}
	s.tell("  signed out: the token is %s\n", row.SignedOut)
	return nil
}

// cells marks the first step that failed; those after it were not reached.
func (a act) cells() []cell {
	cells, failed := []cell{text(a.Venue)}, false
	for _, step := range []string{a.SignedIn, a.Connection, a.Renewed, a.OldRefresh, a.SignedOut} {
		switch {
		case step != "":
			cells = append(cells, cell{step, green})
		case !failed:
			cells, failed = append(cells, cell{"FAILED", red}), true
		default:
			cells = append(cells, text("-"))
		}
	}
	return append(cells, text(a.Took))
}

func (p *program) showActs(rows []act) error {
	shown := table{heading: []string{"VENUE", "SIGNED IN", "CONNECTION", "RENEWED", "OLD REFRESH TOKEN", "SIGNED OUT", "TOOK"}}
	failed := 0
	for _, row := range rows {
		if row.Failure != "" {
			failed++
		}
		shown.add(row.cells()...)
	}
	if p.json {
		if err := p.writeJSON(rows); err != nil {
			return err
		}
	} else {
		look := p.style()
		look.aligned = true // for people, wherever it goes
		shown.write(p.stdout, look)
	}
	if failed > 0 {
		return fmt.Errorf("demo: %d of %d venues failed", failed, len(rows))
	}
	return nil
}

// redacted shows which token it is without showing the token.
func redacted(secret venuekey.Secret) string {
	return fmt.Sprintf("[%d characters, SHA-256 %s…]", len(secret), emulator.Fingerprint(string(secret)))
}

// walkIn is a venuekey.UI with a made-up person at the browser.
type walkIn struct {
	tell    func(string, ...any)
	person  emulator.Person
	visit   sync.WaitGroup
	giveUp  context.CancelCauseFunc
	problem error
}

var _ venuekey.UI = (*walkIn)(nil)

func (w *walkIn) signIn(ctx context.Context, keeper *venuekey.Keeper, id venuekey.ID) (*venuekey.Token, error) {
	ctx, w.giveUp = context.WithCancelCause(ctx)
	defer w.giveUp(nil)
	token, err := keeper.SignIn(ctx, id, w)
	w.visit.Wait()
	return token, errors.Join(err, w.problem)
}

// Visit implements venuekey.UI.
func (w *walkIn) Visit(ctx context.Context, visit venuekey.Visit) error {
	before, _, _ := strings.Cut(visit.Elsewhere, "?")
	w.tell("  %s opens %s and allows access", w.person.Name, before)
	w.visit.Go(func() {
		if w.problem = w.person.Visit(ctx, visit.URL); w.problem != nil {
			w.giveUp(w.problem)
		}
	})
	return nil
}

// Paste implements venuekey.UI.
func (w *walkIn) Paste(context.Context) (string, error) { return "", errors.ErrUnsupported }

// Ask implements venuekey.UI.
func (w *walkIn) Ask(context.Context, []venuekey.Field) (map[string]venuekey.Secret, error) {
	return map[string]venuekey.Secret{"name": venuekey.Secret(w.person.Name), "password": venuekey.Secret(w.person.Password)}, nil
}

// Tell implements venuekey.UI.
func (w *walkIn) Tell(line string) { w.tell("  %s", line) }
