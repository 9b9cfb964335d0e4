package agent

import (
	_ "embed"
	"net/http"
)

// document.go owns the description of API v1.

// Document is the OpenAPI 3.1 description of API v1.
//
//go:embed openapi.json
var Document []byte

func serveDocument(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(Document)
}
