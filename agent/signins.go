package agent

import (
	"encoding/json"
	"net/http"
	"os"
	"time"

	"github.com/venuekey/venuekey"
)

// signins.go owns the calls about sign-ins, and about the agent itself.

// list answers with the status of every sign-in that the client may see.
func (s *Server) list(w http.ResponseWriter, r *http.Request) {
	out := longAnswer{w: w}
	between := `{"signins":[`
	for status, err := range s.Keeper.Statuses(r.Context()) {
		if err != nil {
			out.fail(err)
			return
		}
		if s.allowed(r, status.ID, VerbStatus) != nil {
			continue
		}
		text, _ := json.Marshal(signInFormOf(status)) // strings, numbers and times
		out.text.WriteString(between)
		out.text.Write(text)
		between = ","
		if !out.grows() {
			return
		}
	}
	if between != "," {
		out.text.WriteString(between)
	}
	out.text.WriteString("]}\n")
	out.end()
}

// show answers with the status of one.
func (s *Server) show(w http.ResponseWriter, r *http.Request, id venuekey.ID) {
	status, err := s.Keeper.Status(r.Context(), id)
	if told := s.told(r, id, VerbStatus, status.Generation, err); told != nil {
		err = told
	}
	if err != nil {
		fail(w, err)
		return
	}
	reply(w, http.StatusOK, signInFormOf(status))
}

// signOut signs out, and revokes unless told otherwise.
func (s *Server) signOut(w http.ResponseWriter, r *http.Request, id venuekey.ID) {
	query, ok := queryOf(w, r)
	if !ok {
		return
	}
	revoke := query.Get("revoke")
	if revoke != "" && revoke != "true" && revoke != "false" {
		failWith(w, http.StatusBadRequest, &venuekey.Error{ID: id, Class: venuekey.ClassDeclined, Reason: "revoke is true or false"})
		return
	}
	err := s.Keeper.SignOut(r.Context(), id, revoke != "false")
	if told := s.told(r, id, VerbAdmin, 0, err); err == nil {
		err = told
	}
	if err != nil {
		fail(w, err)
		return
	}
	s.written.Delete(id)
	w.WriteHeader(http.StatusNoContent)
}

func (s *Server) version(w http.ResponseWriter, _ *http.Request) {
	reply(w, http.StatusOK, map[string]any{"version": s.Version, "api": 1, "pid": os.Getpid(), "started_at": s.started.UTC().Format(time.RFC3339)})
}

// healthz says that the process answers.
func (s *Server) healthz(w http.ResponseWriter, _ *http.Request) {
	reply(w, http.StatusOK, map[string]any{"ok": true})
}

// readyz says whether the store answers and no sign-in needs its user.
func (s *Server) readyz(w http.ResponseWriter, r *http.Request) {
	g, err := s.survey(r.Context())
	if err != nil {
		fail(w, err)
		return
	}
	dead := []string{}
	for _, id := range g.dead {
		if s.allowed(r, id, VerbStatus) == nil {
			dead = append(dead, id.String())
		}
	}
	code := http.StatusOK
	if len(dead) > 0 {
		code = http.StatusServiceUnavailable
	}
	reply(w, code, map[string]any{"ok": len(dead) == 0, "need_sign_in": dead})
}
