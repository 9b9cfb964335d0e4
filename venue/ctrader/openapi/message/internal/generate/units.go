package main

import (
	"slices"
	"strings"
)

// units.go owns the comments about units and values.

// units spells out the abbreviations of the column unit.
var units = map[string]string{
	"price/1e5":                              "In 1/100000 of a price: 123000 is 1.23.",
	"price (decimal)":                        "The price itself, not in 1/100000.",
	"units/100":                              "In 1/100 of a unit: 1000 is 10 units.",
	"unix ms":                                "Unix time in milliseconds.",
	"unix ms, 0..2147483646000":              "Unix time in milliseconds, from 0 to 2147483646000.",
	"unix minutes":                           "Unix time in minutes.",
	"s":                                      "In seconds.",
	"seconds from day start":                 "In seconds from the start of the day.",
	"hours":                                  "In hours.",
	"minutes from 00:00 UTC":                 "In minutes from 00:00 UTC.",
	"points":                                 "In points.",
	"percent":                                "In percent.",
	"ticks":                                  "A number of ticks.",
	"leverage x 100":                         "The leverage times 100: 10000 is 1:100.",
	"amount x 1e8 (percentage type x 1e5)":   "The amount times 100000000.",
	"unix s in ErrorRes 2142, unix ms in 50": "Unix time in seconds according to the published comment, which older ones contradict; MaintenanceEnd decides by the magnitude.",
}

// exceptions are fields about which the column, extracted from comments by a rule, says too
// little or something impossible.
var exceptions = map[string]string{
	"moneyDigits":                  "How many decimal places the money fields have.",
	"bonusHistoryId":               "",
	"preciseTradingCommissionRate": "The amount times 100000000; for commissions in percent, the percentage times 100000.",
	"tickData":                     "Newest first, each encoded as a difference; see Ticks.",
	"swapCalculationType":          "",
	"schedule":                     "",
	"commission/ProtoOASymbol":     "Money. Replaced by preciseTradingCommissionRate.",
	"minCommission":                "Money. Replaced by preciseMinCommission.",
	"timestamp/ProtoOATickData":    "Unix time in milliseconds in the first tick of a list, a difference in the others; see Ticks.",
	"tick":                         "In 1/100000 of a price, in all but the first tick of a list most likely as a difference; see Ticks.",
	"errorCode":                    "The name of an ErrorCode or of a CommonErrorCode.",
	"isLive":                       "Whether only the live host authorizes the account, and not the demo host.",
	"retryAfter":                   "In seconds. It comes with BLOCKED_PAYLOAD_TYPE.",
	"permissionScope":              "SCOPE_VIEW is 0, which is not the same as absent.",
	"ctidTraderAccountId/ProtoOACtidTraderAccount": "Unsigned here and signed in all other messages.",
	"positionId/ProtoOAMarginChangedEvent":         "Unsigned here and signed in all other messages.",
	"symbolId/ProtoOADepthEvent":                   "Unsigned here and signed in all other messages.",
	"maintenanceEndTimestamp/ProtoErrorRes":        "Unix time in milliseconds according to the published comment, which older ones contradict; MaintenanceEnd decides by the magnitude.",
}

// money says which moneyDigits scales an amount.
func (p *protocol) money(m *message) string {
	if m.has("moneyDigits") {
		return "Money: divide by 10 to the power of moneyDigits."
	}
	for _, outer := range p.messages {
		if outer.has("moneyDigits") && slices.ContainsFunc(outer.fields, func(f field) bool { return f.kind == m.name }) {
			return "Money: divide by 10 to the power of moneyDigits, which is a field of the enclosing message."
		}
	}
	return "Money. It is not documented which moneyDigits scales it."
}

func (m *message) has(name string) bool {
	return slices.ContainsFunc(m.fields, func(f field) bool { return f.name == name })
}

func (p *protocol) unit(m *message, f field) string {
	sentence, known := exceptions[f.name+"/"+m.name]
	if !known {
		sentence, known = exceptions[f.name]
	}
	if !known {
		sentence = units[f.unit]
		if f.unit == "money" {
			sentence = p.money(m)
		}
		if f.unit != "" && sentence == "" {
			sentence = "In " + f.unit + "."
		}
	}
	if f.standard != "" {
		sentence += " Absent means " + f.standard + "."
	}
	if f.secret() {
		sentence += " A secret."
	}
	if m.name == "ProtoOASpotEvent" && (f.name == "bid" || f.name == "ask") {
		sentence += " Absent means unchanged."
	}
	return strings.TrimSpace(sentence)
}
