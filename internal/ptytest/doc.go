// Package ptytest gives tests a terminal without a screen. It has one on Linux
// only.
package ptytest
