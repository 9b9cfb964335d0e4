package main

import (
	"bytes"
	"os"
	"strings"
	"testing"
)

func TestTheCommittedFileIsWhatIsGenerated(t *testing.T) {
	want, err := generate(entitiesTable, enumsTable, listsTable)
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile("../../" + output)
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("%s is not what the tables say; run go generate in the package message (%v)", output, err)
	}
}

func TestNames(t *testing.T) {
	for name, want := range map[string]string{
		"id": "ID", "clOrdId": "ClOrdID", "realizedPnL": "RealizedPnL", "nfaFee": "NFAFee", "ipCurrencyId": "IPCurrencyID",
		"uuid": "UUID", "uds": "UDS", "customTag50": "CustomTag50", "firstIntentDate": "FirstIntentDate",
	} {
		if got := goName(name); got != want {
			t.Errorf("%s is %s, not %s", name, got, want)
		}
	}
}

func TestTablesThatCannotBe(t *testing.T) {
	const enums, lists = "enum\tvalue\nAction\tBuy\n", "entity\tlist\norder\torders\n"
	for row, complain := range map[string]string{
		"order\tid":                                 "line 2 has 2 columns",
		"order\tid\tint128":                         "line 2: unknown type int128",
		"order\taction\tenum:Side":                  "there is no enum Side",
		"order\tid\tid\norder\tid\tid":              "has id twice",
		"order\tid\tid\nfill\tid\tid":               "fill has no list",
		"order\tid\tid\nfill\tid\tid\norder\ta\tid": "is in two places",
	} {
		if _, err := generate("entity\tfield\ttype\n"+row+"\n", enums, lists); err == nil || !strings.Contains(err.Error(), complain) {
			t.Errorf("%q: %v, not %s", row, err, complain)
		}
	}
	if _, err := generate("entity\tfield\ttype\norder\tid\tid\n", enums, lists+"bill\tbills\n"); err == nil {
		t.Error("a list of no entity is taken")
	}
}
