package emulator

import (
	"slices"
	"testing"
)

func TestReadPage(t *testing.T) {
	t.Parallel()
	p := readPage(`<!DOCTYPE html><HTML><head><title> A &amp; B </title>
<style>a > b { content: "<form action=/style>" }</style><!-- <form action="/comment"> -->
</head><body class=x><p role="alert">Bad &lt;thing&gt;<br>more</p>
<FORM METHOD='post' action="/go?a=1&amp;b=2">
<input type=hidden name=ticket value='t"1'><INPUT name="user" required>
<input type="checkbox" name="account" value="1" checked/><input type=checkbox name=on>
<button name="decision" value="allow">yes</button><button type="button" name="x">no</button>
</FORM><form action="/second"><input name="stray"></form>`)
	if p.title != "A & B" || p.alert != "Bad <thing>" {
		t.Errorf("title %q, alert %q", p.title, p.alert)
	}
	if p.form == nil || p.form.method != "POST" || p.form.action != "/go?a=1&b=2" {
		t.Fatalf("form %+v", p.form)
	}
	want := []webField{
		{kind: "hidden", name: "ticket", value: `t"1`},
		{kind: "text", name: "user"},
		{kind: "checkbox", name: "account", value: "1", checked: true},
		{kind: "checkbox", name: "on", value: "on"},
		{kind: "submit", name: "decision", value: "allow"},
		{kind: "button", name: "x"},
	}
	if !slices.Equal(p.form.fields, want) {
		t.Errorf("fields %+v", p.form.fields)
	}
}

func FuzzReadPage(f *testing.F) {
	for _, seed := range []string{"", "<", "<form", "<input =", "<a b='", "<!--", "</", "<style><", "<title>x", `<form><input type="a" name=b/>`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, src string) { readPage(src) }) // it must end and not panic
}
