package oauth2source_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/oauth2source"
	"github.com/venuekey/venuekey/store/memory"
)

type venue struct{}

func (venue) Name() string            { return "stage" }
func (venue) Policy() venuekey.Policy { return venuekey.Policy{} }
func (venue) Login(context.Context, venuekey.App, venuekey.UI) (venuekey.Token, error) {
	return venuekey.Token{Access: "access-1", Refresh: "refresh-1", Type: "bearer", Expires: time.Now().Add(time.Hour),
		Extras: map[string]venuekey.Secret{"account": `"demo"`}}, nil
}
func (venue) Refresh(context.Context, venuekey.App, venuekey.Token) (venuekey.Token, error) {
	return venuekey.Token{}, nil
}

func keeper(t testing.TB) (*venuekey.Keeper, venuekey.ID) {
	k := &venuekey.Keeper{
		Vault:  &venuekey.Vault{Store: &memory.Store{}},
		Venues: []venuekey.Venue{venue{}},
		Apps:   func(context.Context, string) (venuekey.App, error) { return venuekey.App{}, nil },
	}
	id := venuekey.ID{Venue: "stage", Name: "alice"}
	if _, err := k.SignIn(t.Context(), id, nil); err != nil {
		t.Fatal(err)
	}
	return k, id
}

func TestAProgramWrittenForOAuth2IsSigned(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, r.Header.Get("Authorization"))
	}))
	defer server.Close()
	k, id := keeper(t)
	client := oauth2.NewClient(t.Context(), oauth2source.New(t.Context(), k.Source(id)))
	defer client.CloseIdleConnections()
	response, err := client.Get(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var got [64]byte
	n, _ := response.Body.Read(got[:])
	if string(got[:n]) != "Bearer access-1" {
		t.Fatalf("%s", got[:n])
	}
	token, err := oauth2source.New(t.Context(), k.Source(id)).Token()
	if err != nil || token.RefreshToken != "" || token.Extra("account") != "demo" {
		t.Fatalf("%v %v", token.Extra("account"), err)
	}
}

// A fresh Source.Token and its peer, measured in the same run: see make bench.
func BenchmarkFreshToken(b *testing.B) {
	k, id := keeper(b)
	source, ctx := k.Source(id), b.Context()
	if _, err := source.Token(ctx); err != nil {
		b.Fatal(err)
	}
	peer := oauth2.ReuseTokenSource(nil, oauth2source.New(ctx, source))
	b.Run("venuekey/serial", func(b *testing.B) {
		b.ReportAllocs()
		for range b.N {
			if token, err := source.Token(ctx); err != nil || token.Access == "" {
				b.Fatal(err)
			}
		}
	})
	b.Run("x-oauth2/serial", func(b *testing.B) {
		b.ReportAllocs()
		for range b.N {
			if token, err := peer.Token(); err != nil || token.AccessToken == "" {
				b.Fatal(err)
			}
		}
	})
	b.Run("venuekey/parallel", func(b *testing.B) {
		b.ReportAllocs()
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				if _, err := source.Token(ctx); err != nil {
					b.Error(err)
				}
			}
		})
	})
	b.Run("x-oauth2/parallel", func(b *testing.B) {
		b.ReportAllocs()
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				if _, err := peer.Token(); err != nil {
					b.Error(err)
				}
			}
		})
	})
}
