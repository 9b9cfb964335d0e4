package main

import (
	"github.com/ncruces/go-sqlite3"
	"github.com/rogpeppe/go-internal/testscript"
)

// spill_test.go owns the words of the scripts about a vault that does not take
// what was renewed.

// refuses: from now on the vault file takes claims, and nothing that is renewed,
// as a disk does that becomes full at the wrong moment.
func refuses(ts *testscript.TestScript, neg bool, _ []string) {
	db, err := sqlite3.Open("file:" + ts.MkAbs("home/vault.db"))
	ts.Check(err)
	defer db.Close()
	if neg {
		ts.Check(db.Exec(`DROP TRIGGER refuses`))
		return
	}
	ts.Check(db.Exec(`CREATE TRIGGER refuses BEFORE UPDATE OF sealed ON record
		WHEN NEW.generation <> OLD.generation BEGIN SELECT RAISE(ABORT, 'no space left'); END`))
}
