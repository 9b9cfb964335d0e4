// Package examples holds programs to start from. Those named ctrader- run as is, against an
// emulated venue in their own process; the comment of each says how to use the real one.
package examples
