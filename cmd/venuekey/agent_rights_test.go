package main

import (
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/agent"
	"github.com/venuekey/venuekey/agent/audit"
	"github.com/venuekey/venuekey/agent/consumer"
	"github.com/venuekey/venuekey/internal/keepertest"
)

// agent_rights_test.go plays consumers, each with one right, at every call of the agent, and reads what is
// written down of it.

// callsOf are the calls that each verb is for, of a sign-in ID.
var callsOf = map[consumer.Verb][]string{
	consumer.VerbStatus:  {"GET /v1/signins/ID"},
	consumer.VerbToken:   {"GET /v1/token/ID", "GET /v1/token/ID?newer_than=0&wait=1ms"},
	consumer.VerbRefused: {`POST /v1/token/ID/refused {"access_token":"wrong"}`},
	consumer.VerbRefresh: {"POST /v1/signins/ID/refresh {}"},
	consumer.VerbAdmin:   {"DELETE /v1/signins/ID?revoke=false"},
	consumer.VerbProxy:   nil,
	consumer.VerbGateway: nil,
}

// stageOfRights is an agent's server with the rights of consumers, over a vault of two sign-ins.
type stageOfRights struct {
	t      *testing.T
	keeper *venuekey.Keeper
	server *agent.Server
	rights *rights
	log    string
}

func newStageOfRights(t *testing.T) *stageOfRights {
	t.Helper()
	keeper, _ := keepertest.SignedIn(t, &keepertest.Venue{})
	s := &stageOfRights{t: t, keeper: keeper, server: &agent.Server{Keeper: keeper}, log: filepath.Join(t.TempDir(), "audit", "audit.log")}
	log, err := audit.Open(s.log, audit.Options{EveryRefusal: true})
	if err != nil {
		t.Fatal(err)
	}
	s.rights = &rights{book: &consumer.Book{Vault: keeper.Vault}, log: log}
	t.Cleanup(func() { _ = s.rights.close() })
	s.rights.serve(s.server)
	return s
}

// add adds a consumer, and returns the token.
func (s *stageOfRights) add(name string, readOnly bool, rules ...string) venuekey.Secret {
	s.t.Helper()
	token, _, err := consumer.Add(s.t.Context(), s.keeper.Vault, consumer.Request{Name: name, Allow: rules, ReadOnly: readOnly})
	if err != nil {
		s.t.Fatal(err)
	}
	s.rights.book.Forget()
	return token
}

// asks makes a call, after seeing to it that both are signed in.
func (s *stageOfRights) asks(token venuekey.Secret, call, id string) (status int, text string) {
	s.t.Helper()
	for _, name := range []string{"alice", "bob"} {
		who := venuekey.ID{Venue: "stage", Name: name}
		if _, err := s.keeper.State(s.t.Context(), who); err == nil {
			continue
		}
		if _, err := s.keeper.SignIn(s.t.Context(), who, keepertest.NoUI{}); err != nil {
			s.t.Fatal(err)
		}
	}
	method, rest, _ := strings.Cut(strings.ReplaceAll(call, "ID", id), " ")
	path, body, _ := strings.Cut(rest, " ")
	request := httptest.NewRequest(method, path, strings.NewReader(body)).WithContext(s.t.Context())
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+string(token))
	}
	answer := httptest.NewRecorder()
	s.server.ServeHTTP(answer, request)
	return answer.Code, answer.Body.String()
}

func TestAttackEveryCallWithOneRight(t *testing.T) {
	s := newStageOfRights(t)
	if all := consumer.Verbs(); len(all) != len(callsOf) {
		t.Fatalf("there are the verbs %v", all)
	}
	for _, has := range consumer.Verbs() {
		token := s.add("only-"+string(has), false, "stage/alice:"+string(has))
		for verb, calls := range callsOf {
			for _, call := range calls {
				for _, id := range []string{"stage/alice", "stage/bob", "stage/nobody", "other/alice"} {
					status, text := s.asks(token, call, id)
					given, may := status < 300 || status == 409, verb == has && id == "stage/alice"
					if given != may || !given && (status != 404 || !strings.Contains(text, "not signed in") || strings.Contains(text, "access-")) {
						t.Errorf("%s of %s, for who has %s: %d %s", call, id, has, status, text)
					}
				}
			}
		}
		if status, text := s.asks(token, "GET /v1/signins", ""); status != 200 || strings.Contains(text, "bob") || strings.Contains(text, "alice") != (has == consumer.VerbStatus) {
			t.Errorf("who has %s sees %d %s", has, status, text)
		}
		if status, text := s.asks(token, "GET /metrics", ""); status != 404 || strings.Contains(text, "stage") {
			t.Errorf("who has %s monitors %d %s", has, status, text)
		}
	}
	s.wantWritten(t, "only-token", "stage/alice", "given")
	s.wantWritten(t, "only-token", "stage/bob", "forbidden")
	s.wantWritten(t, "only-status", "stage/alice", "forbidden")
}

// Stars, several rules, read-only consumers, and those who are none.
func TestAttackRightsThatAreNearlyEnough(t *testing.T) {
	s := newStageOfRights(t)
	all := s.add("all", false, "*/*:status")
	if status, text := s.asks(all, "GET /metrics", ""); status != 200 || !strings.Contains(text, `venuekey_signins{venue="stage"`) {
		t.Errorf("who may see all: %d %s", status, text)
	}
	for name, test := range map[string]struct {
		token venuekey.Secret
		call  string
		want  int
	}{
		"the star stops at the slash": {s.add("star", false, "*/x*:token"), "GET /v1/token/stage/alice", 404},
		"part of a name":              {s.add("part", false, "stage/alic:token", "stage/alice2:token", "stage/Alice:token"), "GET /v1/token/stage/alice", 404},
		"a read-only one":             {s.add("viewer", true, "*/*:status"), "GET /v1/token/stage/alice", 404},
		"two rules":                   {s.add("two", false, "stage/bob:token", "stage/a*:status"), "GET /v1/token/stage/alice", 404},
		"two rules, the other way":    {s.add("both", false, "stage/bob:status", "stage/a*:token"), "GET /v1/token/stage/alice", 200},
		"all of a venue":              {s.add("most", false, "stage/*:status"), "GET /metrics", 404},
		"a wrong token":               {"vkc_wrong", "GET /v1/token/stage/alice", 401},
		"no token, and no socket":     {"", "GET /v1/token/stage/alice", 401},
	} {
		if status, text := s.asks(test.token, test.call, ""); status != test.want || strings.Contains(text, "access-") != (test.want == 200) {
			t.Errorf("%s: %d %s", name, status, text)
		}
	}
	if err := s.keeper.Vault.RemoveConsumer(t.Context(), "all"); err != nil {
		t.Fatal(err)
	}
}

// wantWritten fails unless a line of the audit log says so.
func (s *stageOfRights) wantWritten(t *testing.T, who, id, outcome string) {
	t.Helper()
	for line, err := range audit.Read(s.log) {
		if err == nil && line.Consumer == who && line.ID.String() == id && line.Outcome == outcome {
			return
		}
	}
	t.Errorf("nothing is written of %s, %s, %s", who, id, outcome)
}
