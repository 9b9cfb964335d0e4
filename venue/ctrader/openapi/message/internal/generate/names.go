package main

// names.go owns the names that things of the protocol have in Go.

import (
	"strings"
	"unicode"
)

// initials are the words that Go writes in capitals.
var initials = map[string]string{
	"id": "ID", "ids": "IDs", "utc": "UTC", "usd": "USD", "ib": "IB", "gsl": "GSL",
	"sl": "SL", "tp": "TP", "sltp": "SLTP", "swap": "Swap", "pnl": "PnL", "oa": "OA", "ch": "CH", "ccy": "CCY",
}

// capitals stay as they are when the protocol writes them so.
var capitals = map[string]bool{"SLTP": true, "SL": true, "SWAP": true, "PnL": true, "ID": true}

// goType is the name of a message or an enum. Two names of the common part
// would be those of the other part, so they say where they are from.
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

// camelWords splits before each capital that follows a small letter or a
// digit, and before the last capital of several if a small letter follows.
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

// constant is the name of an enum's value: that of the enum, and the words of
// the value that do not say the enum's name again.
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

// prefix is what all names of an enum begin with, to the last underscore.
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

// table is a constant of the written code: lower-case type name and an ending.
func table(goType, ending string) string { return strings.ToLower(goType[:1]) + goType[1:] + ending }
