package tradovate

import (
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/venuekey/venuekey/emulator"
	"github.com/venuekey/venuekey/emulator/internal/core"
)

// bearer.go owns how an access token is presented, and how a dead one is refused.

// deadStatus returns the status for a token that was refused with err. The token of a
// closed session does not get a clear 401 (Tradovate facts §10.5).
func (s *Server) deadStatus(k Knobs, p emulator.Pair, err error) int {
	if errors.Is(err, core.ErrRevokedToken) && s.sessions.isClosed(p.Grant.ID) {
		return k.ClosedStatus
	}
	return http.StatusUnauthorized
}

// deny sends an answer without JSON. A 429 never has a body, and a 401 has none in some
// places (Tradovate facts §6).
func (k Knobs) deny(w http.ResponseWriter, status int) {
	text := http.StatusText(status)
	switch status {
	case http.StatusTooManyRequests:
		text = ""
	case http.StatusUnauthorized:
		text = "Access is denied"
		if k.Empty401 {
			text = ""
		}
	case http.StatusInternalServerError:
		text = fmt.Sprintf("Internal Server Error, error id: %s", core.TokenFormat{Length: 12}.Mint())
	}
	if text != "" {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	}
	w.WriteHeader(status)
	io.WriteString(w, text)
}
