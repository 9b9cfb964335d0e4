package definition

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/internal/foreign"
)

// template.go owns the language of the values in a request: text with names in braces, such
// as "token {client_id}:{access}", and with calls of three functions, whose argument is such
// a text again but holds no further call: "sha256hex({client_id}{code}{client_secret})".

// Template is such a text, or a number or truth value, which JSON sends as one. The zero
// value is empty.
type Template struct {
	text  string
	parts []Part
	// literal says that it is a number or a truth value.
	literal bool
}

// Part is a piece of a template: text, a name, or the call of a function.
type Part struct {
	// Text is what stands there as it is.
	Text string
	// Name is the name of a value.
	Name string
	// Call is the function that is called with Args.
	Call string
	Args []Part
}

// The functions.
const (
	CallSHA256    = "sha256hex" // SHA-256 in lower-case hexadecimal digits
	CallBase64    = "base64"    // with padding, RFC 4648 §4
	CallURLEncode = "urlencode" // as in a query
)

var calls = []string{CallSHA256, CallBase64, CallURLEncode}

// plainNames are the names without a dot.
var plainNames = []string{"client_id", "client_secret", "redirect_uri", "code", "verifier", "scope", "access", "refresh"}

const longestTemplate = 4096

// ParseTemplate parses a template.
func ParseTemplate(text string) (Template, error) {
	if len(text) > longestTemplate {
		return Template{}, fmt.Errorf("a template has at most %d characters", longestTemplate)
	}
	r := templateReader{rest: text}
	parts, err := r.parts(false)
	if err != nil {
		return Template{}, err
	}
	return Template{text: text, parts: parts}, nil
}

// String returns the text of the template.
func (t Template) String() string { return t.text }

// Literal reports whether the template is a number or a truth value.
func (t Template) Literal() bool { return t.literal }

// Parts returns the pieces of the template, which must not be changed.
func (t Template) Parts() []Part { return t.parts }

// Names returns the names in the template, each once.
func (t Template) Names() (names []string) {
	for _, part := range t.parts {
		for _, p := range append([]Part{part}, part.Args...) {
			if p.Name != "" && !slices.Contains(names, p.Name) {
				names = append(names, p.Name)
			}
		}
	}
	return names
}

// Render returns the text with the values in it. A name without a value is empty, and so is
// a call whose argument has names of which none has a value.
func (t Template) Render(values map[string]venuekey.Secret) venuekey.Secret {
	text, _ := render(t.parts, values)
	return venuekey.Secret(text)
}

// render also reports whether there is a name without a value, and no other.
func render(parts []Part, values map[string]venuekey.Secret) (text string, bare bool) {
	var out strings.Builder
	named, found := false, false
	for _, part := range parts {
		switch {
		case part.Call != "":
			argument, bare := render(part.Args, values)
			named = true
			if !bare {
				found = true
				out.WriteString(call(part.Call, argument))
			}
		case part.Name != "":
			value := values[part.Name]
			named, found = true, found || value != ""
			out.WriteString(string(value))
		default:
			out.WriteString(part.Text)
		}
	}
	if named && !found {
		return "", true
	}
	return out.String(), false
}

func call(name, argument string) string {
	switch name {
	case CallSHA256:
		sum := sha256.Sum256([]byte(argument))
		return hex.EncodeToString(sum[:])
	case CallBase64:
		return base64.StdEncoding.EncodeToString([]byte(argument))
	}
	return url.QueryEscape(argument)
}

// templateReader reads a template from its beginning.
type templateReader struct{ rest string }

// parts reads up to the end, or to the parenthesis that ends an argument.
func (r *templateReader) parts(inside bool) (parts []Part, err error) {
	for r.rest != "" && !(inside && r.rest[0] == ')') {
		if r.rest[0] == '{' {
			name, err := r.name()
			if err != nil {
				return nil, err
			}
			parts = append(parts, Part{Name: name})
			continue
		}
		if word := r.word(); word != "" {
			if inside {
				return nil, errors.New("a function is called inside of another: one call around names and text is all that there is")
			}
			part, err := r.call(word)
			if err != nil {
				return nil, err
			}
			parts = append(parts, part)
			continue
		}
		text, err := r.text(inside)
		if err != nil {
			return nil, err
		}
		if last := len(parts) - 1; last >= 0 && parts[last].Text != "" {
			parts[last].Text += text
		} else {
			parts = append(parts, Part{Text: text})
		}
	}
	return parts, nil
}

// word returns the word before a parenthesis, if the rest begins with a call.
func (r *templateReader) word() string {
	end := wordEnd(r.rest)
	if end == 0 || end == len(r.rest) || r.rest[end] != '(' {
		return ""
	}
	return r.rest[:end]
}

func wordEnd(text string) int {
	for i := range len(text) {
		if !isWordByte(text[i]) {
			return i
		}
	}
	return len(text)
}

func isWordByte(b byte) bool {
	return b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || b >= '0' && b <= '9' || b == '_'
}

// text reads a word or a single character that is neither.
func (r *templateReader) text(inside bool) (string, error) {
	end := max(wordEnd(r.rest), 1)
	text := r.rest[:end]
	switch {
	case text == "}":
		return "", errors.New("a } stands without its {")
	case text == "(" && inside:
		return "", errors.New("a ( stands in the argument of a function")
	case text[0] < ' ' || text[0] == 0x7f:
		return "", errors.New("a control character stands in a template")
	}
	r.rest = r.rest[end:]
	return text, nil
}

func (r *templateReader) name() (string, error) {
	name, rest, closed := strings.Cut(r.rest[1:], "}")
	if !closed {
		return "", errors.New("a { is not closed")
	}
	if !isName(name) {
		return "", fmt.Errorf("{%s} is not a name: known are %s, ask.NAME and extra.NAME", foreign.Name(name), strings.Join(plainNames, ", "))
	}
	r.rest = rest
	return name, nil
}

func isName(name string) bool {
	kind, rest, dotted := strings.Cut(name, ".")
	if !dotted {
		return slices.Contains(plainNames, name)
	}
	return (kind == "ask" || kind == "extra") && rest != "" && len(rest) <= longestName && wordEnd(rest) == len(rest)
}

func (r *templateReader) call(word string) (Part, error) {
	if !slices.Contains(calls, word) {
		return Part{}, fmt.Errorf("there is no function %s: known are %s", foreign.Name(word), strings.Join(calls, ", "))
	}
	r.rest = r.rest[len(word)+1:]
	args, err := r.parts(true)
	if err != nil {
		return Part{}, err
	}
	if r.rest == "" {
		return Part{}, fmt.Errorf("the call of %s is not closed", word)
	}
	if len(args) == 0 {
		return Part{}, fmt.Errorf("the call of %s is empty", word)
	}
	r.rest = r.rest[1:]
	return Part{Call: word, Args: args}, nil
}
