package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/venuekey/venuekey"
	gate "github.com/venuekey/venuekey/internal/foreign"
)

// fence.go owns the last fence before an output. What is foreign was cleaned where it
// entered; here nothing becomes a line, a tab or a control sequence that something
// forgot, such as the name of a file.

// oneLine is a text as one line that fits a terminal, a hook and a log.
func oneLine(text string) string { return gate.Fit(text) }

// fitting are arguments of a format with texts and errors made one line each. What the
// format itself holds is ours.
func fitting(args []any) []any {
	fit := make([]any, len(args))
	for i, arg := range args {
		switch v := arg.(type) {
		case string:
			fit[i] = part(v)
		case error:
			fit[i] = part(v.Error())
		default:
			fit[i] = arg
		}
	}
	return fit
}

// part is oneLine for a part of a line, which keeps the space between itself and the
// others.
func part(text string) string {
	line := oneLine(text)
	if strings.HasPrefix(text, " ") {
		line = " " + line
	}
	if strings.HasSuffix(text, " ") && len(line) > 1 {
		line += " "
	}
	return line
}

// cleanAttr makes what a log is told fit for it.
func cleanAttr(_ []string, a slog.Attr) slog.Attr {
	switch v := a.Value.Any().(type) {
	case string:
		a.Value = slog.StringValue(oneLine(v))
	case error:
		a.Value = slog.StringValue(oneLine(v.Error()))
	}
	return a
}

// jsonLine is a value as a line of JSON.
func jsonLine(value any) ([]byte, error) {
	text, err := json.Marshal(value)
	return visible(text), err
}

// visible is JSON in which what is not seen, or is obeyed by a terminal, stands as an
// escape (RFC 8259 §7): whoever reads it as JSON reads the same.
func visible(text []byte) []byte {
	first := 0
	for first < len(text) && text[first] <= '~' { // by bytes: quotes come by the thousand
		first++
	}
	if !bytes.ContainsFunc(text[first:], hidden) {
		return text
	}
	var escaped []byte
	for len(text) > 0 {
		r, size := utf8.DecodeRune(text)
		switch {
		case !hidden(r):
			escaped = append(escaped, text[:size]...)
		case r > 0xFFFF:
			r -= 0x10000
			escaped = fmt.Appendf(escaped, `\u%04x\u%04x`, 0xD800+r>>10, 0xDC00+r&0x3FF)
		default:
			escaped = fmt.Appendf(escaped, `\u%04x`, r)
		}
		text = text[size:]
	}
	return escaped
}

func hidden(r rune) bool { return r > '~' && !unicode.IsPrint(r) || r == utf8.RuneError }

// leastSecret is how long a name must be to be searched for secrets, which takes a
// while: a service lists thousands, and shorter ones hold no token.
const leastSecret = 20

// showing gives what the service calls something, as it may be shown: one that calls
// an account by the token that it was given is not believed.
func showing(ctx context.Context, secret venuekey.Secret, access func(context.Context) (venuekey.Secret, error)) func(string) string {
	return func(text string) string {
		if len(text) < leastSecret {
			return gate.Name(text)
		}
		token, _ := access(ctx)
		return gate.NameWithout(text, secret, token)
	}
}
