package agent_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/agent"
)

// document_test.go holds openapi.json against the server: the same calls, and live answers that
// are what it says.

// described is the part of the document that the tests read.
type described struct {
	Paths map[string]map[string]json.RawMessage
}

// Every call that is described exists, and every call that exists is described.
func TestTheDocumentHasTheCallsOfTheServer(t *testing.T) {
	var doc described
	if err := json.Unmarshal(agent.Document, &doc); err != nil {
		t.Fatal(err)
	}
	var calls []string
	for path, methods := range doc.Paths {
		for method := range methods {
			if method != "parameters" {
				calls = append(calls, strings.ToUpper(method)+" "+path)
			}
		}
	}
	slices.Sort(calls)
	if have := agent.Patterns(); !slices.Equal(calls, have) {
		t.Errorf("described: %q\nserved: %q", calls, have)
	}
}

// Live answers are of the schema that the document has for their path, method and status.
func TestLiveAnswersAreWhatTheDocumentSays(t *testing.T) {
	s := play(t, nil)
	s.signIn()
	compiler := jsonschema.NewCompiler()
	compiler.AssertFormat()
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(string(agent.Document)))
	if err == nil {
		err = compiler.AddResource("agent.json", doc)
	}
	if err != nil {
		t.Fatal(err)
	}
	id := alice.String()
	for _, call := range []struct {
		method, path, described, body string
		status                        int
	}{
		{"GET", "/v1/signins", "/v1/signins", "", 200},
		{"GET", "/v1/signins/" + id, "/v1/signins/{venue}/{name}", "", 200},
		{"GET", "/v1/signins/stage/nobody", "/v1/signins/{venue}/{name}", "", 404},
		{"GET", "/v1/token/" + id, "/v1/token/{venue}/{name}", "", 200},
		{"GET", "/v1/token/" + id + "?wait=x", "/v1/token/{venue}/{name}", "", 400},
		{"POST", "/v1/token/" + id + "/refused", "/v1/token/{venue}/{name}/refused", `{"access_token":"another"}`, 200},
		{"POST", "/v1/token/" + id + "/refused", "/v1/token/{venue}/{name}/refused", `[]`, 400},
		{"POST", "/v1/signins/" + id + "/refresh", "/v1/signins/{venue}/{name}/refresh", `{}`, 200},
		{"GET", "/v1/version", "/v1/version", "", 200},
		{"GET", "/v1/openapi.json", "/v1/openapi.json", "", 200},
		{"GET", "/healthz", "/healthz", "", 200},
		{"GET", "/readyz", "/readyz", "", 200},
	} {
		answer := s.ask(call.method, call.path, call.body)
		head, text, _ := strings.Cut(answer, "\r\n\r\n")
		if !strings.HasPrefix(head, fmt.Sprintf("HTTP/1.1 %d ", call.status)) {
			t.Errorf("%s %s: %.100s", call.method, call.path, answer)
			continue
		}
		at := fmt.Sprintf("agent.json#/paths/%s/%s/responses/%d/content/application~1json/schema",
			strings.NewReplacer("~", "~0", "/", "~1", "{", "%7B", "}", "%7D").Replace(call.described), strings.ToLower(call.method), call.status)
		schema, err := compiler.Compile(at)
		if err != nil {
			t.Errorf("%s: %v", at, err)
			continue
		}
		if strings.Contains(head, "Transfer-Encoding: chunked") {
			continue // the document itself is long
		}
		value, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
		if err == nil {
			err = schema.Validate(value)
		}
		if err != nil {
			t.Errorf("%s %s: %v\n%s", call.method, call.path, err, text)
		}
	}
	if err := s.client.SignOut(t.Context(), alice, true); err != nil {
		t.Error(err)
	}
	if _, err := s.client.Token(t.Context(), alice); venuekey.ClassOf(err) != venuekey.ClassRefused {
		t.Error(err)
	}
}
