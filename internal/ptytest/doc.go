// Package ptytest provides pseudo-terminals for tests, on Linux only.
package ptytest
