// Command generate generates the Go code for the messages of the cTrader Open API from two
// tables: messages.tsv, with one field per line, and enums.tsv, with one value per line.
// Both list what github.com/spotware/openapi-proto-messages publishes at commit 3fd8bdd.
// To move to a newer protocol, change the tables.
//
// Run it with go generate in package message, where it writes its files.
package main

import (
	_ "embed"
	"fmt"
	"os"
)

//go:embed messages.tsv
var messagesTable string

//go:embed enums.tsv
var enumsTable string

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "generate:", err)
		os.Exit(1)
	}
}

func run() error {
	files, err := generate(messagesTable, enumsTable)
	if err != nil {
		return err
	}
	for name, text := range files {
		if err := os.WriteFile(name, text, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// generate returns the contents of every file, by its path relative to package message.
func generate(messages, enums string) (map[string][]byte, error) {
	p, err := readProtocol(messages, enums)
	if err != nil {
		return nil, err
	}
	files := map[string][]byte{}
	for name, write := range map[string]func(*page, *protocol){
		"types_generated.go":    writeTypes,
		"enums_generated.go":    writeEnums,
		"messages_generated.go": writeMessages,
		"binary_generated.go":   writeBinary,
		"json_generated.go":     writeJSON,
		"../calls_generated.go": writeCalls,
	} {
		out := &page{}
		write(out, p)
		if files[name], err = out.formatted(); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	return files, nil
}
