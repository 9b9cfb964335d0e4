// Package examples holds programs to start from. Each runs as it is, at an
// emulated venue in its own process; its comment says how it meets the real one.
package examples
