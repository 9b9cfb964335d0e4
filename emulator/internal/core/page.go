package core

import (
	"bytes"
	"embed"
	"html/template"
	"net/http"
	"regexp"

	"github.com/venuekey/venuekey/emulator"
)

// page.go owns the pages that a user sees: how they are rendered, and their security
// headers. The dialogue on them is in consent.go.

//go:embed page.html
var pageFiles embed.FS

// page is the data of the templates in page.html.
type page struct {
	Branding Branding
	Heading  string
	Message  string
	App      emulator.App
	UserName string
	Scopes   []string
	Accounts []emulator.Account
	DenyHere bool
	Action   string
	Ticket   string
	Nonce    string
	Colour   template.CSS
}

// plainColour matches the colours that are safe in the style sheet without escaping.
const plainColour = `^(#[0-9a-fA-F]{3,8}|[a-zA-Z]{1,30})$`

func (c *Core) show(w http.ResponseWriter, status int, name string, p page) {
	p.Branding, p.Nonce, p.Colour = c.setup().Branding, TokenFormat{Length: 22}.Mint(), "#24527a"
	if ok, _ := regexp.MatchString(plainColour, p.Branding.Colour); ok {
		p.Colour = template.CSS(p.Branding.Colour)
	}
	// Parsed for each page: speed does not matter here, and there is no package state.
	t, err := template.ParseFS(pageFiles, "page.html")
	var body bytes.Buffer
	if err == nil {
		err = t.ExecuteTemplate(&body, name, p)
	}
	if err != nil {
		http.Error(w, "emulator: page: "+err.Error(), http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	// No form-action: browsers also apply it to the redirect after the form, which leads
	// to the app, wherever that is.
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'nonce-"+p.Nonce+"'; base-uri 'none'; frame-ancestors 'none'")
	w.WriteHeader(status)
	w.Write(body.Bytes())
}

// Refuse shows an error page and records the event; nothing is sent to the app's callback.
func (c *Core) Refuse(w http.ResponseWriter, status int, message string, e emulator.Event) {
	e.Kind, e.Status, e.Detail = emulator.EventAuthorizeRefused, status, message
	c.Record(e)
	c.show(w, status, "refusal", page{Heading: message, Message: message})
}

// NotFound shows the page for unknown paths.
func (c *Core) NotFound(w http.ResponseWriter, r *http.Request) {
	c.show(w, http.StatusNotFound, "refusal", page{Heading: "Not found", Message: "This emulated venue has no page here."})
}
