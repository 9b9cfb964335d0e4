package main

import (
	"strings"
	"unicode"
)

// names.go owns the Go names of the protocol's messages, fields and values.

// initials are the initialisms, which Go writes in capitals.
var initials = map[string]string{
	"id": "ID", "ids": "IDs", "utc": "UTC", "usd": "USD", "ib": "IB", "gsl": "GSL",
	"sl": "SL", "tp": "TP", "sltp": "SLTP", "swap": "Swap", "pnl": "PnL", "oa": "OA", "ch": "CH", "ccy": "CCY",
}

// capitals are kept as they are if the protocol writes them so.
var capitals = map[string]bool{"SLTP": true, "SL": true, "SWAP": true, "PnL": true, "ID": true}

// goType returns the Go name of a message or an enum. Two names of the common layer would
// collide with names of the other, so they get the prefix Common.
func goType(name string) string {
	switch name {
	case "ProtoErrorRes":
		return "CommonErrorRes"
	case "ProtoErrorCode":
		return "CommonErrorCode"
	}
	short, ok := strings.CutPrefix(name, "ProtoOA")
	if !ok {
		short = strings.TrimPrefix(name, "Proto")
	}
	return goName(short)
}

// goName turns camelCase into a Go name: ctidTraderAccountId is
// CtidTraderAccountID.
func goName(name string) string {
	var b strings.Builder
	for _, word := range camelWords(name) {
		switch lower := strings.ToLower(word); {
		case capitals[word]:
			b.WriteString(word)
		case initials[lower] != "":
			b.WriteString(initials[lower])
		default:
			b.WriteString(strings.ToUpper(word[:1]) + word[1:])
		}
	}
	return b.String()
}

// camelWords splits before each capital that follows a lower-case letter or a digit, and
// before the last of several capitals if a lower-case letter follows.
func camelWords(name string) []string {
	name = strings.ReplaceAll(name, "PnL", "Pnl")
	var words []string
	start := 0
	for i := 1; i < len(name); i++ {
		before, here := rune(name[i-1]), rune(name[i])
		next := i+1 < len(name) && unicode.IsLower(rune(name[i+1]))
		if unicode.IsUpper(here) && (!unicode.IsUpper(before) || next) {
			words = append(words, name[start:i])
			start = i
		}
	}
	return append(words, name[start:])
}

// constant returns the Go name of an enum value: the name of the enum, and the words of the
// value that do not repeat it.
func constant(e *enum, v value) string {
	words := strings.Split(v.name, "_")
	for _, said := range camelWords(goType(e.name)) {
		if len(words) < 2 || !strings.EqualFold(words[0], said) {
			break
		}
		words = words[1:]
	}
	name := goType(e.name)
	for _, word := range words {
		lower := strings.ToLower(word)
		if initials[lower] != "" {
			name += initials[lower]
			continue
		}
		name += word[:1] + lower[1:]
	}
	return name
}

// prefix returns the common prefix of all names of an enum, up to its last underscore.
func prefix(e *enum) string {
	common := e.values[0].name
	for _, v := range e.values {
		for !strings.HasPrefix(v.name, common) {
			common = common[:len(common)-1]
		}
	}
	if len(e.values) == 1 {
		return ""
	}
	return common[:strings.LastIndex(common, "_")+1]
}

// table returns the name of a constant of the generated code: the type name in lower case,
// and a suffix.
func table(goType, ending string) string { return strings.ToLower(goType[:1]) + goType[1:] + ending }
