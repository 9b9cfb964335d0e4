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

// fence.go owns the last check before an output. Foreign text was cleaned where it entered;
// this keeps line breaks, tabs and control sequences out of anything else, such as the name
// of a file.

// oneLine returns a text as one line for a terminal, a hook or a log.
func oneLine(text string) string { return gate.Fit(text) }

// fitting returns the arguments of a format with each text and error made one line. The
// format itself is ours.
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

// part is oneLine for a part of a line: it keeps a space at either end.
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

// cleanAttr makes an attribute of the log one line.
func cleanAttr(_ []string, a slog.Attr) slog.Attr {
	switch v := a.Value.Any().(type) {
	case string:
		a.Value = slog.StringValue(oneLine(v))
	case error:
		a.Value = slog.StringValue(oneLine(v.Error()))
	}
	return a
}

// jsonLine returns a value as a line of JSON.
func jsonLine(value any) ([]byte, error) {
	text, err := json.Marshal(value)
	return visible(text), err
}

// visible escapes characters in JSON that a terminal does not show or would obey (RFC 8259
// §7). A JSON parser reads the same values.
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

// leastSecret is the minimum length of a name that is searched for secrets, which takes
// time: a service lists thousands, and shorter names cannot hold a token.
const leastSecret = 20

// showing returns a function that makes names from the service fit to show: it removes our
// secret and token, which a service could put into a name.
func showing(ctx context.Context, secret venuekey.Secret, access func(context.Context) (venuekey.Secret, error)) func(string) string {
	return func(text string) string {
		if len(text) < leastSecret {
			return gate.Name(text)
		}
		token, _ := access(ctx)
		return gate.NameWithout(text, secret, token)
	}
}
