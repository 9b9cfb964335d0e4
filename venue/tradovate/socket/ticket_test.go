package socket

import "testing"

// ticket_test.go holds a penalised request's second body against its first.

func TestATicketLeavesTheBodyAsItWas(t *testing.T) {
	for body, want := range map[string]string{
		``:                              `{"p-ticket":"t\"1"}`,
		` {} `:                          `{"p-ticket":"t\"1"}`,
		"{\n}":                          `{"p-ticket":"t\"1"}`,
		`{"z":1.50,"a":"\u00e4","z":2}`: `{"z":1.50,"a":"\u00e4","z":2,"p-ticket":"t\"1"}`,
		`{ "a" : [ {} ] }`:              `{ "a" : [ {} ] ,"p-ticket":"t\"1"}`,
		`[1]`:                           "",
		`{"a":1`:                        "",
		`raw`:                           "",
	} {
		got, err := withTicket([]byte(body), `t"1`)
		if string(got) != want || (err != nil) != (want == "") {
			t.Errorf("%s: %s, %v", body, got, err)
		}
	}
}
