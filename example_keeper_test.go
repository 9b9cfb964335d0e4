package venuekey_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/emulator"
	ctraderemu "github.com/venuekey/venuekey/emulator/ctrader"
	"github.com/venuekey/venuekey/store/memory"
	"github.com/venuekey/venuekey/venue/ctrader"
	"github.com/venuekey/venuekey/venue/tradovate"
)

// example_keeper_test.go owns the manual of the Keeper, its Sources and its Vault: an
// example for each verb.

var (
	ctx   = context.Background()
	alice = venuekey.ID{Venue: "ctrader", Name: "alice"}
)

// emulated is an emulated cTrader with a Keeper for it.
type emulated struct {
	*ctraderemu.Server
	web *httptest.Server
}

func (e emulated) Close() { e.web.Close() }

// atVenue returns a Keeper with an app at an emulated venue, and a UI with an emulated
// user.
func atVenue() (*venuekey.Keeper, venuekey.UI, emulated) {
	server := &ctraderemu.Server{Knobs: ctraderemu.Knobs{AnyLoopbackRedirect: true}}
	web := httptest.NewServer(server)
	keeper := &venuekey.Keeper{
		Vault:  &venuekey.Vault{Store: &memory.Store{}, Key: venuekey.SealKey{1}},
		Venues: []venuekey.Venue{ctrader.Venue{}},
	}
	err := keeper.Vault.SaveApp(ctx, venuekey.App{Venue: "ctrader", ClientID: "demo-client", ClientSecret: "demo-secret",
		RedirectURI: "http://127.0.0.1:0/auth/callback", URLs: map[string]string{"base": web.URL}})
	if err != nil {
		log.Panic(err)
	}
	return keeper, browser{emulator.Person{Name: "alice", Password: "wonderland"}, make(chan error, 9)}, emulated{server, web}
}

// signedIn returns a Keeper with alice signed in.
func signedIn() (*venuekey.Keeper, emulated) {
	keeper, ui, venue := atVenue()
	if _, err := keeper.SignIn(ctx, alice, ui); err != nil {
		log.Panic(err)
	}
	return keeper, venue
}

// In a terminal the UI is &terminal.UI{}. The token that SignIn returns is already durable.
func ExampleKeeper_SignIn() {
	keeper, ui, venue := atVenue()
	defer venue.Close()

	token, err := keeper.SignIn(ctx, alice, ui)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(token.Scopes, token.Valid(time.Now()))
	fmt.Println(token.Access, "and no refresh token:", token.Refresh == "") // secrets do not print
	// Output:
	// [trading] true
	// [secret] and no refresh token: true
}

// The user of a venue without refresh tokens has the password kept, to be signed in again
// after a weekend. At any other venue there is none to keep, and the sign-in goes on.
func ExampleKeeper_SignInWith() {
	keeper, ui, venue := atVenue()
	defer venue.Close()

	if _, err := keeper.SignInWith(ctx, alice, ui, venuekey.SignInOptions{KeepPassword: true}); err != nil {
		fmt.Println(err)
		return
	}
	status, err := keeper.Status(ctx, alice)
	fmt.Println(status.KeptPassword, err)
	// Output:
	// false <nil>
}

// A program asks for the token each time it needs one. The Keeper renews it when it is
// due; as long as the old one is good, the program does not notice if the venue is down.
func ExampleKeeper_Token() {
	keeper, venue := signedIn()
	defer venue.Close()

	token, err := keeper.Token(ctx, alice)
	fmt.Println(token.TypeOrBearer(), token.Life().Hours() > 24, err)

	_, err = keeper.Token(ctx, venuekey.ID{Venue: "ctrader", Name: "nobody"})
	fmt.Println(venuekey.NeedsSignIn(err))
	// Output:
	// Bearer true <nil>
	// true
}

// If the answer to a renewal is lost, the refresh token may or may not be used up. The
// error says what that means, and the venue's policy decides what is tried next.
func ExampleKeeper_Refresh() {
	keeper, venue := signedIn()
	defer venue.Close()

	venue.Inject(emulator.Fault{On: emulator.AtRefresh, Kind: emulator.FaultStatusBefore, Status: http.StatusServiceUnavailable, RetryAfter: time.Minute})
	_, err := keeper.Refresh(ctx, alice)
	fmt.Println("try again later:", venuekey.Temporary(err), "- class:", venuekey.ClassOf(err))

	_, err = keeper.Refresh(ctx, alice)
	fmt.Println("renewed:", err == nil, venue.Log().Count(emulator.EventRefreshGranted))
	// Output:
	// try again later: true - class: later
	// renewed: true 1
}

// A program whose call was answered with 401 reports that, and gets another token.
func ExampleKeeper_Reject() {
	keeper, venue := signedIn()
	defer venue.Close()
	token, err := keeper.Token(ctx, alice)
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = keeper.Reject(ctx, alice, token.Access)
	fmt.Println(venuekey.Temporary(err)) // it was issued a moment ago: the 401 has another cause
	// Output:
	// true
}

// After a refusal a human may insist. At a venue that takes reuse for theft this may end
// the sign-in, so no program should do it without asking.
func ExampleKeeper_RefreshAgain() {
	keeper, venue := signedIn()
	defer venue.Close()
	venue.Tune(func(k *ctraderemu.Knobs) { k.ErrorCodes.Client = "INVALID_GRANT" })
	venue.Inject(emulator.Fault{On: emulator.AtRefresh, Kind: emulator.FaultDropAfter}) // the answer is lost
	for range 2 {
		_, err := keeper.Refresh(ctx, alice)
		fmt.Println("sign in again:", venuekey.NeedsSignIn(err))
	}
	_, err := keeper.RefreshAgain(ctx, alice)
	fmt.Println("it was used up indeed:", venuekey.NeedsSignIn(err))
	// Output:
	// sign in again: false
	// sign in again: true
	// it was used up indeed: true
}

// Run renews every sign-in of the vault in the background, until its context ends.
func ExampleKeeper_Run() {
	keeper, venue := signedIn()
	defer venue.Close()
	ctx, stop := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() { done <- keeper.Run(ctx) }()

	// ... the program works ...

	stop()
	fmt.Println(errors.Is(<-done, context.Canceled))
	keeper.Leave() // gives up what has not begun
	fmt.Println("lost:", keeper.Held(), keeper.Close())
	// Output:
	// true
	// lost: [] <nil>
}

// Events tells what happens to the sign-ins, whichever program caused or found it. The
// first events report the current state of each.
func ExampleKeeper_Events() {
	keeper, venue := signedIn()
	defer venue.Close()
	for event := range keeper.Events(ctx) {
		switch event.Kind {
		case venuekey.EventFound:
			fmt.Println(event.Kind, event.Status.ID, event.Status.State)
			venue.RevokeUser("alice") // and the next renewal finds out
			go keeper.Refresh(ctx, alice)
		case venuekey.EventTrouble:
			fmt.Println(event.Kind, event.Status.ID, event.Status.State, "-", event.Remedy)
			return
		}
	}
	// Output:
	// found ctrader/alice fresh
	// trouble ctrader/alice needs sign-in - venuekey login ctrader/alice
}

// Status reports the state of a sign-in, and what helps. It does not ask the venue.
func ExampleKeeper_Status() {
	keeper, venue := signedIn()
	defer venue.Close()

	status, err := keeper.Status(ctx, alice)
	fmt.Println(status.State, status.EndsWithin(24*time.Hour), err)

	venue.RevokeUser("alice")
	_, _ = keeper.Refresh(ctx, alice)
	status, err = keeper.Status(ctx, alice)
	fmt.Println(status.State, "-", status.Remedy(), err)

	state, err := keeper.State(ctx, alice) // the one word alone, which costs less
	fmt.Println(state, err)
	// Output:
	// fresh false <nil>
	// needs sign-in - sign in again <nil>
	// needs sign-in <nil>
}

// At a venue where a renewal ends the old access token (Policy.KillsAccess), whatever
// ended the refresh token has most likely ended the access token as well: do not use it.
func ExampleStatus_AccessEnded() {
	keeper, venue := signedIn()
	defer venue.Close()
	venue.RevokeUser("alice")
	_, _ = keeper.Refresh(ctx, alice)

	status, _ := keeper.Status(ctx, alice)
	signedInAt, err := keeper.Venue(alice.Venue)
	fmt.Println(status.State, status.AccessEnded(signedInAt.Policy()), err)
	// Output:
	// needs sign-in true <nil>
}

// Pacing fills in the defaults of a policy, for a page or a command that shows them.
func ExamplePolicy_Pacing() {
	burst, pace := venuekey.Policy{}.Pacing()
	fmt.Println(burst, "at once, then one in", pace)
	// Output:
	// 10 at once, then one in 200ms
}

// Statuses ranges over all sign-ins. One that cannot be read has Err set in its Status; an
// error of the sequence ends it.
func ExampleKeeper_Statuses() {
	keeper, venue := signedIn()
	defer venue.Close()
	for status, err := range keeper.Statuses(ctx) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(status.ID, status.State, status.Err)
	}
	// Output:
	// ctrader/alice fresh <nil>
}

// SignOut deletes a sign-in, and revokes it if the venue can.
func ExampleKeeper_SignOut() {
	keeper, venue := signedIn()
	defer venue.Close()
	err := keeper.SignOut(ctx, alice, true)
	fmt.Println("cTrader revokes:", !errors.Is(err, errors.ErrUnsupported))
	fmt.Println(keeper.SignOut(ctx, alice, false))
	_, err = keeper.Token(ctx, alice)
	fmt.Println(venuekey.NeedsSignIn(err))
	// Output:
	// cTrader revokes: false
	// <nil>
	// true
}

// Adopt takes over a token from another tool, and renews it like any other from then on.
// That tool must not present the refresh token again.
func ExampleKeeper_Adopt() {
	keeper, _, venue := atVenue()
	defer venue.Close()
	pair := venue.Issue(emulator.Grant{User: "alice", Client: "demo-client", Scope: "trading"})

	_, err := keeper.Adopt(ctx, alice, venuekey.Token{
		Access: venuekey.Secret(pair.Access), Refresh: venuekey.Secret(pair.Refresh), Expires: time.Now().Add(time.Hour),
	})
	fmt.Println(err)
	token, err := keeper.Refresh(ctx, alice)
	fmt.Println(venue.Alive(string(token.Access)), err)
	// Output:
	// <nil>
	// true <nil>
}

// Named saves whose sign-in it is, if only a later call to the venue's API says so.
func ExampleKeeper_Named() {
	keeper, venue := signedIn()
	defer venue.Close()
	token, err := keeper.Token(ctx, alice)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(keeper.Named(ctx, alice, token, "alice@example.com"))
	status, err := keeper.Status(ctx, alice)
	fmt.Println(status.User, err)
	// Output:
	// <nil>
	// alice@example.com <nil>
}

// Close waits for renewals in flight: a program that ends without it may use up a refresh
// token and lose the answer.
func ExampleKeeper_Close() {
	keeper, venue := signedIn()
	defer venue.Close()
	venue.Inject(emulator.Fault{On: emulator.AtRefresh, Kind: emulator.FaultDelayAfter, Delay: 20 * time.Millisecond})
	ctx, leave := context.WithCancel(ctx)
	go func() {
		_ = venue.Log().Wait(ctx, emulator.EventRefreshPresented, 1)
		leave() // the caller does not wait for the answer, the Keeper does
	}()
	_, err := keeper.Refresh(ctx, alice)
	fmt.Println(errors.Is(err, context.Canceled))

	err = keeper.Close() // an error says what is in memory only, and Held names it
	fmt.Println(keeper.Held(), err)
	state, err := keeper.State(context.Background(), alice)
	fmt.Println(state, err)
	// Output:
	// true
	// [] <nil>
	// fresh <nil>
}

// A Source hands a sign-in's token to the rest of a program. While the token is fresh, a
// call takes a few nanoseconds.
func ExampleSource_Token() {
	keeper, venue := signedIn()
	defer venue.Close()
	source := keeper.Source(alice)

	token, err := source.Token(ctx)
	fmt.Println(source.ID(), token.Scopes, err)
	access, err := source.Access(ctx) // for what wants a function that gives the secret alone
	fmt.Println(access.Equal(token.Access), err)
	// Output:
	// ctrader/alice [trading] <nil>
	// true <nil>
}

// Client signs its requests, and repeats one that was answered with 401, with another token.
func ExampleSource_Client() {
	keeper, venue := signedIn()
	defer venue.Close()
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, "signed: ", len(r.Header.Get("Authorization")) > len("Bearer "))
	}))
	defer api.Close()

	client := keeper.Source(alice).Client()
	response, err := client.Get(api.URL)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	fmt.Println(string(text), err)
	// Output:
	// signed: true <nil>
}

// A client of another protocol than HTTP reports the refused token, and gets a newer one:
// the current one, or a renewed one.
func ExampleSource_Newer() {
	keeper, venue := signedIn()
	defer venue.Close()
	source := keeper.Source(alice)
	access, err := source.Access(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	other := &venuekey.Keeper{Vault: keeper.Vault, Venues: keeper.Venues} // another program
	if _, err := other.Refresh(ctx, alice); err != nil {
		fmt.Println(err)
		return
	}
	newer, err := source.Newer(ctx, access)
	fmt.Println(newer.Equal(access), err)
	// Output:
	// false <nil>
}

// A Transport with Hosts sends the token only to these, whatever address a program follows.
func ExampleTransport() {
	keeper, venue := signedIn()
	defer venue.Close()
	client := &http.Client{Transport: &venuekey.Transport{Source: keeper.Source(alice), Hosts: []string{"api.example.com"}}}
	_, err := client.Get("https://elsewhere.example.com/orders")
	fmt.Println(errors.Unwrap(err))
	// Output:
	// ctrader/alice: the token is not sent to elsewhere.example.com, which is not one of the hosts that it is for
}

// A program that sends requests by other means signs them itself.
func ExampleSource_Sign() {
	keeper, venue := signedIn()
	defer venue.Close()
	source := keeper.Source(alice)
	token, err := source.Token(context.Background())
	if err != nil {
		fmt.Println(err)
		return
	}
	request, _ := http.NewRequest("GET", "https://api.example.com/orders", nil)
	source.Sign(token, request)
	fmt.Println(strings.HasPrefix(request.Header.Get("Authorization"), "Bearer "))
	// Output: true
}

// RefusalOf returns what a response says about the token. A 403 that requires more scopes
// says nothing against the token itself.
func ExampleRefusalOf() {
	response := &http.Response{StatusCode: http.StatusForbidden, Header: http.Header{
		"Www-Authenticate": {`Bearer error="insufficient_scope", scope="trading"`},
	}}
	err := venuekey.RefusalOf(response)
	fmt.Println(venuekey.Misconfigured(err), venuekey.NeedsSignIn(err))
	var refusal *venuekey.Error
	if errors.As(err, &refusal) {
		fmt.Println(refusal.Code, refusal.Scopes)
	}
	// Output:
	// true false
	// insufficient_scope [trading]
}

// A vault holds the app of each venue, sealed like the tokens.
func ExampleVault_SaveApp() {
	vault := &venuekey.Vault{Store: &memory.Store{}, Key: venuekey.SealKey{1}} // a real one: key.Config.Vault
	err := vault.SaveApp(ctx, venuekey.App{Venue: "ctrader", ClientID: "my-client", ClientSecret: "my-secret",
		RedirectURI: "http://localhost:8080/auth/callback", Scopes: []string{"trading"}})
	fmt.Println(err)

	app, err := vault.App(ctx, "ctrader")
	fmt.Println(app.ClientID, app.ClientSecret, err)
	for app, err := range vault.Apps(ctx) {
		fmt.Println(app.Venue, err)
	}
	fmt.Println(vault.DeleteApp(ctx, "ctrader"))
	// Output:
	// <nil>
	// my-client [secret] <nil>
	// ctrader <nil>
	// <nil>
}

// Rekey reseals everything with the newest key while programs keep running.
func ExampleVault_Rekey() {
	store := &memory.Store{}
	old, next := venuekey.SealKey{1}, venuekey.SealKey{2}
	before := &venuekey.Vault{Store: store, Key: old}
	if err := before.SaveApp(ctx, venuekey.App{Venue: "ctrader", ClientID: "my-client"}); err != nil {
		fmt.Println(err)
		return
	}
	vault := &venuekey.Vault{Store: store, Key: old, Keys: []venuekey.SealKey{old, next}}
	done, err := vault.Rekey(ctx, nil)
	fmt.Println("sealed anew:", done.Sealed, err)
	seals, err := vault.SealingKey(ctx)
	fmt.Println(seals == next.ID(), err)
	// Output:
	// sealed anew: 1 <nil>
	// true <nil>
}

// An ID is "venue/name", in configuration files too.
func ExampleParseID() {
	id, err := venuekey.ParseID("ctrader/alice")
	fmt.Println(id.Venue, id.Name, id.IsZero(), err)
	_, err = venuekey.ParseID("ctrader/al ice")
	fmt.Println(err != nil)
	// Output:
	// ctrader alice false <nil>
	// true
}

// A Token has every field of the venue's answer.
func ExampleToken() {
	issued := time.Now()
	token := venuekey.Token{
		Access: "abc", Issued: issued, Scopes: []string{"accounts"}, Asked: []string{"trading", "accounts"},
		Extras: map[string]venuekey.Secret{"accountId": "7"},
	}
	token.EndsAfter(time.Hour, issued)
	fmt.Println(token.Life(), token.Valid(issued.Add(2*time.Hour)), token.Missing(), token.TypeOrBearer())
	request := httptest.NewRequest("GET", "https://venue.example/orders", nil)
	token.SetAuthHeader(request)
	fmt.Println(string(token.Extra("accountId")), request.Header.Get("Authorization"))
	// Output:
	// 1h0m0s false [trading] Bearer
	// 7 Bearer abc
}

// Copy moves a vault to another store, say from a file to a database, without opening a
// seal. Stop the programs that use it first.
func ExampleVault_Copy() {
	keeper, venue := signedIn()
	defer venue.Close()
	other := &memory.Store{}
	done, err := keeper.Vault.Copy(ctx, other, nil)
	fmt.Println(done.Total, done.Copied, err)

	moved := &venuekey.Vault{Store: other, Key: keeper.Vault.Key}
	found, err := moved.Check(ctx) // opens every seal
	fmt.Println(found.SignIns, found.Apps, found.Damaged, err)
	for id, err := range moved.IDs(ctx) {
		fmt.Println(id, err)
	}
	// Output:
	// 2 2 <nil>
	// 1 1 [] <nil>
	// ctrader/alice <nil>
}

// Writable checks the store before a program starts something that has to be saved.
func ExampleVault_Writable() {
	store := &memory.Store{}
	vault := &venuekey.Vault{Store: store}
	fmt.Println(vault.Writable(ctx))
	store.Close()
	fmt.Println(vault.Writable(ctx) != nil)
	// Output:
	// <nil>
	// true
}

// Census shows, before an old key is retired, what is still sealed with it in the vault and
// in spill files.
func ExampleKeeper_Census() {
	keeper, venue := signedIn()
	defer venue.Close()
	sealed, err := keeper.Census(ctx)
	fmt.Println(sealed[keeper.Vault.Key.ID()].Records, sealed[venuekey.SealKey{9}.ID()].Records, err)
	// Output:
	// 2 0 <nil>
}

// Snapshots are for a backup, and Restore brings one back. An existing sign-in stays unless
// replace is true: only one of the two may be used.
func ExampleKeeper_Snapshots() {
	keeper, venue := signedIn()
	defer venue.Close()
	next := &venuekey.Keeper{Vault: &venuekey.Vault{Store: &memory.Store{}}, Venues: keeper.Venues} // on another machine
	for snapshot, err := range keeper.Snapshots(ctx) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(snapshot.ID, snapshot.Check())
		for range 2 {
			done, err := next.Restore(ctx, snapshot, false)
			fmt.Println("there:", done.There, "changed:", done.Changed, err)
		}
	}
	// Output:
	// ctrader/alice <nil>
	// there: false changed: true <nil>
	// there: true changed: false <nil>
}

// A venue that limits a user's sessions may end another sign-in of the same user. A program
// can warn of that before it signs a user in.
func ExampleKeeper_Rivals() {
	keeper, venue := signedIn()
	defer venue.Close()
	rivals, err := keeper.Rivals(ctx, venuekey.ID{Venue: "ctrader", Name: "second"})
	fmt.Println(rivals, err)
	// Output:
	// [ctrader/alice] <nil>
}

// A Venue calls BeforeSending right before the first byte of a renewal leaves, and
// MayPresentTwice before it tries a second way. Outside a renewal neither objects.
func ExampleBeforeSending() {
	post := func(ctx context.Context, address string) error {
		if err := venuekey.BeforeSending(ctx); err != nil { // this machine stood still: nothing may be sent
			return err
		}
		return fmt.Errorf("%s: connection refused", address)
	}
	err := post(ctx, "https://venue.example/token")
	if err != nil && venuekey.MayPresentTwice(ctx) {
		err = post(ctx, "https://venue.example/oauth/token")
	}
	fmt.Println(err)
	// Output:
	// https://venue.example/oauth/token: connection refused
}

// A Venue reads what it needs from the App, and its errors say what they are about.
func ExampleApp() {
	app := venuekey.App{Venue: "mine", ClientID: "my-client",
		URLs: map[string]string{"base": "http://localhost:9100"}, Params: map[string]venuekey.Secret{"device_id": "7"}}
	fmt.Println(app.URL("token", "https://venue.example/oauth/token"))
	fmt.Println(string(app.Param("device_id")), app.Param("unknown") == "")

	refused := &venuekey.Error{Class: venuekey.ClassRefused, Code: "invalid_grant", Reason: "the refresh token is not known"}
	fmt.Println(venuekey.About(venuekey.ID{Venue: "mine", Name: "alice"}, "refresh", refused))
	// Output:
	// http://localhost:9100/oauth/token
	// 7 true
	// mine/alice: refresh: the refresh token is not known (invalid_grant)
}

// Where a call of a venue's API goes, and what it does: for whoever makes it in a program's
// place.
func ExampleKeeper_Call() {
	keeper := &venuekey.Keeper{Venues: []venuekey.Venue{tradovate.Venue{}, ctrader.Venue{}},
		Apps: func(context.Context, string) (venuekey.App, error) { return venuekey.App{Environment: "demo"}, nil }}
	bot := venuekey.ID{Venue: "tradovate", Name: "bot"}
	for _, path := range []string{"account/list", "Order/PlaceOrder", "auth/renewaccesstoken"} {
		target, err := keeper.Call(ctx, bot, venuekey.Token{}, venuekey.Call{Method: "POST", Path: path})
		fmt.Println(target.URL, target.Name, target.Effect == venuekey.EffectNone, target.Effect == venuekey.EffectCredentials, err)
	}
	_, err := keeper.Call(ctx, alice, venuekey.Token{}, venuekey.Call{Method: "GET", Path: "accounts"})
	fmt.Println(err)
	// Output:
	// https://demo.tradovateapi.com/v1/account/list account/list true false <nil>
	// https://demo.tradovateapi.com/v1/Order/PlaceOrder order/placeorder false false <nil>
	// https://demo.tradovateapi.com/v1/auth/renewaccesstoken auth/renewaccesstoken false true <nil>
	// ctrader/alice: call: the API of ctrader is not called over HTTP with a bearer token
}
