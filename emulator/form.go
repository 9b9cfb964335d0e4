package emulator

import (
	"html"
	"slices"
	"strings"
)

// form.go owns reading a page, as far as a made-up user needs it: the title, the message,
// and the form with its fields and buttons. It is a small tokenizer for well-formed pages,
// not a browser.

// webPage is what a [Person] sees of a page.
type webPage struct {
	title  string
	alert  string
	form   *webForm // the first one, or nil
	onward string   // where a meta refresh leads
}

type webForm struct {
	method string
	action string
	fields []webField
}

// webField is an input or a button.
type webField struct {
	kind    string // "hidden", "text", "password", "checkbox", "submit", …
	name    string
	value   string
	checked bool
}

func (f *webForm) button(value string) (webField, bool) {
	i := slices.IndexFunc(f.fields, func(b webField) bool { return b.kind == "submit" && b.value == value })
	if i < 0 {
		return webField{}, false
	}
	return f.fields[i], true
}

func (f *webForm) has(kind string) bool {
	return slices.ContainsFunc(f.fields, func(x webField) bool { return x.kind == kind })
}

// readPage never fails: it skips what it does not understand.
func readPage(src string) webPage {
	var p webPage
	inForm := false
	for {
		tag, rest, ok := nextTag(src)
		if !ok {
			return p
		}
		src = rest
		switch tag.name {
		case "style", "script":
			_, src, _ = cutFold(src, "</"+tag.name)
		case "title":
			p.title = text(src)
		case "meta":
			if strings.EqualFold(tag.attr["http-equiv"], "refresh") {
				_, p.onward, _ = strings.Cut(tag.attr["content"], "url=")
			}
		case "form":
			if inForm = p.form == nil; inForm {
				p.form = &webForm{method: strings.ToUpper(tag.attr["method"]), action: tag.attr["action"]}
			}
		case "/form":
			inForm = false
		case "input", "button":
			if inForm {
				p.form.fields = append(p.form.fields, tag.field())
			}
		default:
			if tag.attr["role"] == "alert" {
				p.alert = text(src)
			}
		}
	}
}

// text returns the text before the next tag.
func text(src string) string {
	before, _, _ := strings.Cut(src, "<")
	return strings.TrimSpace(html.UnescapeString(before))
}

// htmlTag is a tag with its name in lower case; an end tag's begins with a slash.
type htmlTag struct {
	name string
	attr map[string]string
}

func (t htmlTag) field() webField {
	kind := strings.ToLower(t.attr["type"])
	if kind == "" {
		kind = "text"
		if t.name == "button" {
			kind = "submit"
		}
	}
	_, checked := t.attr["checked"]
	value, given := t.attr["value"]
	if kind == "checkbox" && !given {
		value = "on"
	}
	return webField{kind: kind, name: t.attr["name"], value: value, checked: checked}
}

// nextTag returns the next tag and what follows it. It skips comments and declarations.
func nextTag(src string) (htmlTag, string, bool) {
	for {
		_, after, ok := strings.Cut(src, "<")
		if !ok {
			return htmlTag{}, "", false
		}
		if comment, ok := strings.CutPrefix(after, "!--"); ok {
			_, src, _ = strings.Cut(comment, "-->")
			continue
		}
		end := strings.IndexAny(after, " \t\r\n>")
		if end <= 0 || after[0] == '!' || after[0] == '?' {
			src = after
			continue
		}
		t := htmlTag{name: strings.ToLower(after[:end]), attr: make(map[string]string)}
		rest := attributes(after[end:], t.attr)
		return t, rest, true
	}
}

// attributes reads up to and including the tag's ">".
func attributes(src string, into map[string]string) string {
	for {
		src = strings.TrimLeft(src, " \t\r\n/")
		if src == "" || src[0] == '>' {
			return strings.TrimPrefix(src, ">")
		}
		end := strings.IndexAny(src, " \t\r\n/>=")
		if end < 0 {
			return ""
		}
		if end == 0 { // a stray "="
			src = src[1:]
			continue
		}
		name := strings.ToLower(src[:end])
		src = strings.TrimLeft(src[end:], " \t\r\n")
		value := ""
		if after, ok := strings.CutPrefix(src, "="); ok {
			value, src = attributeValue(strings.TrimLeft(after, " \t\r\n"))
		}
		if _, twice := into[name]; !twice {
			into[name] = html.UnescapeString(value)
		}
	}
}

func attributeValue(src string) (value, rest string) {
	if src == "" {
		return "", ""
	}
	if q := src[:1]; q == `"` || q == "'" {
		value, rest, _ = strings.Cut(src[1:], q)
		return value, rest
	}
	end := strings.IndexAny(src, " \t\r\n>")
	if end < 0 {
		return src, ""
	}
	return src[:end], src[end:]
}

// cutFold is strings.Cut for an ASCII separator in any case.
func cutFold(s, sep string) (before, after string, found bool) {
	for i := 0; i+len(sep) <= len(s); i++ {
		if strings.EqualFold(s[i:i+len(sep)], sep) {
			return s[:i], s[i+len(sep):], true
		}
	}
	return s, "", false
}
