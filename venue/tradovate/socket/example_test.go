package socket_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/emulator/tradovate"
	"github.com/venuekey/venuekey/venue/tradovate/socket"
)

// emulated is a host of an emulated venue.
func emulated(handler http.Handler) (socket.Endpoint, *httptest.Server) {
	web := httptest.NewTLSServer(handler)
	roots := x509.NewCertPool()
	roots.AddCert(web.Certificate())
	return socket.Endpoint{Address: web.Listener.Addr().String(), TLS: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}}, web
}

// signIn is a sign-in at the emulated venue; programs have a venuekey.Source.
type signIn struct{ token *venuekey.Token }

func (s signIn) Token(context.Context) (*venuekey.Token, error) { return s.token, nil }

func (s signIn) Reject(context.Context, venuekey.Secret) (*venuekey.Token, error) {
	return s.token, nil
}

func signedIn(web *httptest.Server) signIn {
	token := new(venuekey.Token)
	resp, err := web.Client().Post(web.URL+"/v1/auth/accesstokenrequest", "application/json",
		strings.NewReader(`{"name":"alice","password":"wonderland","appId":"example","cid":42,"sec":"demo-sec"}`))
	if err != nil {
		return signIn{token}
	}
	defer resp.Body.Close()
	var said map[string]json.RawMessage
	_ = json.NewDecoder(resp.Body).Decode(&said)
	token.Extras = map[string]venuekey.Secret{}
	for name, value := range said {
		token.Extras[name] = venuekey.Secret(value)
	}
	token.Access = token.Extra("accessToken")
	return signIn{token}
}

// One connection: a request, an order that the venue declines, and a look at how it ended.
func ExampleDial() {
	venue := new(tradovate.Server)
	endpoint, web := emulated(venue.Demo()) // socket.Demo() for the real one
	defer web.Close()
	defer venue.CloseSockets()
	ctx := context.Background()
	conn, err := socket.Dial(ctx, endpoint, socket.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer conn.Close()
	events := conn.Events(socket.Buffer{}, socket.EventShutdown)
	source := signedIn(web) // a venuekey.Source has Access
	if err := conn.Authorize(ctx, source.token.Access); err != nil {
		fmt.Println(err)
		return
	}
	found, err := conn.Do(ctx, socket.Request{Endpoint: "contract/find", Query: url.Values{"name": {"ESZ6"}}})
	fmt.Println(string(found), err)
	_, err = conn.Do(ctx, socket.Request{Endpoint: "order/placeorder", Body: map[string]any{"accountId": 5001, "symbol": "ESZ5", "orderQty": 1}})
	var known *socket.Error
	fmt.Println(err, errors.As(err, &known) && !known.SafeToRetry() && !known.MayBeDone() && known.Remedy() == "")
	venue.ShutDown(tradovate.ShutdownMaintenance, "")
	shutdown, _ := events.Next(ctx)
	fmt.Println(string(shutdown.Data))
	<-conn.Done()
	fmt.Println(errors.As(conn.Err(), &known) && known.Kind == socket.KindMaintenance)
	// Output:
	// {"contractMaturityId":4001,"id":3001,"name":"ESZ6","providerTickSize":0.25,"status":"DefinitionChecked"} <nil>
	// order/placeorder: InvalidContract: Order is not valid true
	// {"reasonCode":"Maintenance"}
	// true
}
