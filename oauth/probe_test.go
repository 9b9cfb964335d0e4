package oauth

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/venuekey/venuekey"
)

func TestAProbeTellsTheVenueFromStrangers(t *testing.T) {
	for _, row := range []struct {
		status int
		body   string
		good   bool
		class  venuekey.Class
	}{
		{400, `{"error":"invalid_request"}`, true, 0},
		{401, `{"error":"invalid_client"}`, true, 0},
		{400, `{"error":"invalid_grant"}`, true, 0},
		{200, `{"error":"SOMETHING_NEW"}`, true, 0},
		{503, `{"error":"temporarily_unavailable"}`, false, venuekey.ClassLater},
		{429, ``, false, venuekey.ClassLater},
		{403, `{"message":"Forbidden"}`, false, venuekey.ClassUnknown},
		{200, `<html>`, false, venuekey.ClassUnknown},
		{404, `<html>`, false, venuekey.ClassUnknown},
		{502, ``, false, venuekey.ClassUnknown},
	} {
		client, asked := answering(t, func(w http.ResponseWriter, r *http.Request) {
			if r.ParseForm() != nil || len(r.Form) != 1 || r.Form.Get("grant_type") != "refresh_token" || r.Header.Get("Authorization") != "" {
				t.Errorf("the probe sent %v", r.Form)
			}
			says(row.status, row.body)(w, r)
		})
		client.ErrorsInOK, client.ClientAuth = true, AuthBasicAndID
		err := client.Probe(t.Context())
		if (err == nil) != row.good || err != nil && venuekey.ClassOf(err) != row.class || asked.Load() != 1 {
			t.Errorf("%d %s: %v", row.status, row.body, err)
		}
	}
}

// A probe uses nothing up, so it may look at every way.
func TestAProbeLooksAtEveryWay(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/second" {
			says(400, `{"error":"invalid_request"}`)(w, r)
			return
		}
		http.NotFound(w, r)
	}))
	defer server.Close()
	client := Client{Config: Config{TokenURL: server.URL + "/first", TokenFallbacks: []Way{{URL: server.URL + "/second"}}}}
	if err := client.Probe(t.Context()); err != nil {
		t.Fatal(err)
	}
	client.TokenFallbacks = nil
	if err := client.Probe(t.Context()); err == nil || !strings.Contains(err.Error(), "404") {
		t.Fatal(err)
	}
}

func TestAProbeDoesNotWaitForLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := Client{Config: Config{TokenURL: "https://venue.example/token"}, Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
			<-r.Context().Done()
			return nil, context.Cause(r.Context())
		})}
		if err := client.Probe(t.Context()); err == nil || !strings.Contains(err.Error(), "in time") {
			t.Fatal(err)
		}
	})
}
