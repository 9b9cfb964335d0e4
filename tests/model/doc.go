// Package model compares the Keeper with a model of refreshing: programs, a vault and an
// emulated venue, in virtual time, with faults in any order. It has only tests.
package model
