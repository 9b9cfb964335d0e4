//go:build unix && !linux

package main

import (
	"os"
	"testing"
)

// handOn does nothing: what a descriptor is handed on by is known to Linux's tests.
func handOn(*testing.T, *os.File) {}
