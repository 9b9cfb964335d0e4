package agent_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/agent"
	"github.com/venuekey/venuekey/internal/keepertest"
	"github.com/venuekey/venuekey/store/memory"
)

// An agent, and a program that uses it: a Source is what a venuekey.Transport signs with.
func ExampleClient_Source() {
	keeper := &venuekey.Keeper{Vault: &venuekey.Vault{Store: &memory.Store{}, Key: venuekey.SealKey{7}}, Venues: []venuekey.Venue{&keepertest.Venue{}},
		Apps: func(context.Context, string) (venuekey.App, error) { return venuekey.App{Venue: "stage"}, nil }}
	id := venuekey.ID{Venue: "stage", Name: "alice"}
	if _, err := keeper.SignIn(context.Background(), id, keepertest.NoUI{}); err != nil {
		fmt.Println(err)
	}
	folder, err := os.MkdirTemp("", "agent")
	if err != nil {
		fmt.Println(err)
	}
	defer os.RemoveAll(folder)
	vault := agent.VaultName("the address of the vault")
	path := agent.SocketPath(folder, vault)
	fmt.Println(filepath.Base(path))
	listener, err := agent.Listen(path)
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx, stop := context.WithCancel(context.Background())
	served := make(chan error)
	server := &agent.Server{Keeper: keeper, Vault: vault, Version: "1.0"}
	server.Handle("GET /whoami", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { // whatever else it is to answer
		peer, known := agent.PeerOf(r.Context())
		if !known {
			agent.Fail(w, http.StatusForbidden, &venuekey.Error{Class: venuekey.ClassDeclined, Reason: "the kernel does not say who asks"})
			return
		}
		fmt.Fprintln(w, peer.UID, agent.ThroughSocket(r.Context()))
	}))
	go func() { served <- server.Serve(ctx, listener) }()

	client := &agent.Client{Socket: path, Vault: vault}
	fmt.Println(client.Running(ctx))
	source := client.Source(id)
	token, err := source.Token(ctx)
	fmt.Println(token.Type, source.ID(), err)
	// &venuekey.Transport{Source: source} does this for every request of an http.Client.
	request, _ := http.NewRequest("GET", "https://api.example/accounts", nil)
	source.Sign(token, request)
	access, err := source.Access(ctx) // for clients that take a function
	fmt.Println(access == token.Access, request.Header.Get("Authorization") != "", err)
	_, err = client.Reject(ctx, id, access) // the same by ID
	fmt.Println(venuekey.Temporary(err))
	_, err = source.Reject(ctx, access)
	fmt.Println(venuekey.Temporary(err))
	newer, err := source.Newer(ctx, access)           // the venue refused it
	fmt.Println(newer == "", venuekey.Temporary(err)) // a token so young is not renewed again

	status, err := client.Status(ctx, id)
	fmt.Println(status.ID, err)
	for status, err := range client.Statuses(ctx) {
		fmt.Println(status.ID, err)
	}
	for event := range client.Events(ctx, id) { // what is known, and then what happens
		fmt.Println(event.Kind, event.ID)
		break
	}
	_, state, err := client.TokenAndState(ctx, id)
	fmt.Println(state != venuekey.StateExpired, err)
	token, err = client.Refresh(ctx, id)
	fmt.Println(token != nil, err)
	token, err = client.RefreshAgain(ctx, id) // insists, where that would not be safe
	fmt.Println(token != nil, err)
	waited, err := client.Newer(ctx, id, token.Generation, time.Millisecond) // nothing newer yet
	fmt.Println(waited == nil, err)
	fmt.Println(client.SignOut(ctx, id, true))
	_, err = client.Token(ctx, id)
	fmt.Println(errors.Is(err, venuekey.ErrNotFound), venuekey.NeedsSignIn(err))
	client.CloseIdleConnections()
	stop()
	fmt.Println(<-served)
	// Output:
	// agent-ea9255ae3ddd.sock
	// <nil>
	// Bearer stage/alice <nil>
	// true true <nil>
	// true
	// true
	// true true
	// stage/alice <nil>
	// stage/alice <nil>
	// found stage/alice
	// true <nil>
	// true <nil>
	// true <nil>
	// true <nil>
	// <nil>
	// true true
	// <nil>
}

// A socket on which the system listened before the agent ran has one agent too.
func ExampleHanded() {
	folder, err := os.MkdirTemp("", "agent")
	if err != nil {
		fmt.Println(err)
	}
	defer os.RemoveAll(folder)
	path := agent.SocketPath(folder, agent.VaultName("the address of the vault"))
	inherited, err := net.Listen("unix", path) // net.FileListener(os.NewFile(3, "agent")), if systemd listened
	if err != nil {
		fmt.Println(err)
		return
	}
	listener, err := agent.Handed(inherited)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer listener.Close() // and then server.Serve(ctx, listener)
	_, err = agent.Listen(path)
	fmt.Println(venuekey.ClassOf(err))
	// Output:
	// misconfigured
}

// What a monitor reads: the agent counts what its Keeper asks of venues, and what a proxy forwards.
func ExampleServer_Presented() {
	keeper := &venuekey.Keeper{Vault: &venuekey.Vault{Store: &memory.Store{}, Key: venuekey.SealKey{7}}}
	server := &agent.Server{Keeper: keeper}
	keeper.Presented = server.Presented // and proxy.Handler.Took is server.Proxied
	id := venuekey.ID{Venue: "ctrader", Name: "alice"}
	server.Presented(venuekey.Presentation{ID: id, Took: time.Second})
	server.Proxied(id, http.StatusOK, time.Second)
	answer := httptest.NewRecorder()
	server.ServeHTTP(answer, httptest.NewRequest("GET", "/metrics", nil))
	for line := range strings.Lines(answer.Body.String()) {
		if strings.Contains(line, `venue="ctrader"`) {
			fmt.Print(line)
		}
	}
	// Output:
	// venuekey_proxied_seconds_total{venue="ctrader",status="2xx"} 1
	// venuekey_proxied_total{venue="ctrader",status="2xx"} 1
	// venuekey_renewal_seconds_total{venue="ctrader",outcome="granted"} 1
	// venuekey_renewals_total{venue="ctrader",outcome="granted"} 1
}
