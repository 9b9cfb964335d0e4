package ttp

import (
	"fmt"
	"net/http"

	"github.com/venuekey/venuekey/emulator/internal/core"
)

// refusal.go owns the plugin's JSON errors.

// refusal is an error of the plugin as it is sent (TTP facts §3).
type refusal struct {
	status int
	code   string
	text   string
}

func (e refusal) Error() string { return fmt.Sprintf("ttp: %s: %s", e.code, e.text) }

func (e refusal) send(w http.ResponseWriter) {
	core.Reply(w, e.status, map[string]string{"error": e.code, "error_description": e.text})
}

// bad returns a refusal with status 400, the status of nearly all.
func bad(code, text string) refusal { return refusal{http.StatusBadRequest, code, text} }

// refuseMethod is the answer of POST-only endpoints to other methods (TTP facts §3).
func (k Knobs) refuseMethod(w http.ResponseWriter) {
	allow := http.MethodPost
	if k.AllowOptions {
		allow = "POST, OPTIONS"
	}
	w.Header().Set("Allow", allow)
	refusal{http.StatusMethodNotAllowed, "invalid_request", "The request method must be POST"}.send(w)
}
