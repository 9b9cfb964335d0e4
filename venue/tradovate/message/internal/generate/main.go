// Command generate generates the Go types of the entities that a user sync of Tradovate tells
// of, and what reads them, from three tables: entities.tsv, with one field per line,
// enums.tsv, with one value per line, and lists.tsv, with the name of each list of a snapshot.
// They list what github.com/tradovate/example-api-csharp-trading documents in
// services-api/docs at commit 3d2643b, and for the names of lists, accountRiskStatus and the
// later fields of userAccountAutoLiq what github.com/tradovate/example-api-trading-strategy
// reads. An ID is an int64 and 0 if absent; other numbers can be absent, and so can times.
//
// Run it with go generate in package message, where it writes its file.
package main

import (
	_ "embed"
	"fmt"
	"os"
)

//go:embed entities.tsv
var entitiesTable string

//go:embed enums.tsv
var enumsTable string

//go:embed lists.tsv
var listsTable string

// output is the name of the generated file.
const output = "entities_generated.go"

func main() {
	text, err := generate(entitiesTable, enumsTable, listsTable)
	if err == nil {
		err = os.WriteFile(output, text, 0o644)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "generate:", err)
		os.Exit(1)
	}
}
