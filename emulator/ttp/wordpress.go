package ttp

import (
	"fmt"
	"net/http"

	"github.com/venuekey/venuekey/emulator"
)

// wordpress.go owns the site around the plugin: which address leads to which endpoint, and
// what WordPress or its web server answers instead of the plugin.

// addresses returns the routes of the site. The plugin's query variable and its rewrite
// rule lead to the same endpoints (TTP facts §1).
func (s *Server) addresses() *http.ServeMux {
	mux := http.NewServeMux()
	mux.HandleFunc("/oauth/{endpoint}", func(w http.ResponseWriter, r *http.Request) {
		s.endpoint(w, r, r.PathValue("endpoint"))
	})
	mux.HandleFunc("/{$}", func(w http.ResponseWriter, r *http.Request) {
		if name := r.URL.Query().Get("oauth"); name != "" {
			s.endpoint(w, r, name)
			return
		}
		showPage(w, http.StatusOK, "An emulated trading site")
	})
	mux.HandleFunc("/.well-known/openid-configuration", s.serveWellKnown)
	mux.HandleFunc("/.well-known/oauth-authorization-server", s.serveWellKnown)
	mux.HandleFunc("GET /v1/ping", s.servePing)
	mux.Handle(emulator.AdminPath, s.core.Admin())
	mux.HandleFunc("/", noPage)
	return mux
}

func (s *Server) endpoint(w http.ResponseWriter, r *http.Request, name string) {
	switch name {
	case "authorize":
		s.core.Serve(w, r, s.authorize, emulator.AtAuthorize)
	case "token":
		s.serveToken(w, r)
	case "me":
		s.core.Serve(w, r, s.me, emulator.AtMe)
	case "revoke":
		s.core.Serve(w, r, s.revoke, emulator.AtRevoke)
	default:
		noPage(w, r)
	}
}

// siteAnswers answers a program's request instead of the plugin, if a knob says so.
func (k Knobs) siteAnswers(w http.ResponseWriter, r *http.Request) bool {
	switch {
	case k.HTMLStatus != 0:
		showPage(w, k.HTMLStatus, http.StatusText(k.HTMLStatus))
	case k.MovedPOST && r.Method == http.MethodPost:
		w.Header().Set("Location", "https://"+r.Host+r.URL.RequestURI())
		showPage(w, http.StatusMovedPermanently, "Moved Permanently")
	case k.PluginOff:
		pluginOff().send(w)
	default:
		return false
	}
	return true
}

// pluginOff is the plugin's answer if an administrator has switched it off (TTP facts §3).
func pluginOff() refusal {
	return refusal{http.StatusServiceUnavailable, "error", "temporarily unavailable"}
}

func noPage(w http.ResponseWriter, _ *http.Request) {
	showPage(w, http.StatusNotFound, "Oops! That page can’t be found.")
}

// showPage sends a page of the site. The heading is never user input.
func showPage(w http.ResponseWriter, status int, heading string) {
	w.Header().Set("Content-Type", "text/html; charset=UTF-8")
	w.WriteHeader(status)
	fmt.Fprintf(w, `<!DOCTYPE html>
<html lang="en-GB">
<head><meta charset="UTF-8"><title>%s</title><meta name="generator" content="WordPress 6.4.2"></head>
<body><h1>%[1]s</h1><p>This site is emulated. Nothing here is real.</p></body>
</html>
`, heading)
}
