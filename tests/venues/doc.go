// Package venues takes every venue, against its emulator, through all that it must pass
// with a Keeper and a clock: from the sign-in to its end, every outage, and every answer
// under every policy. It has only tests.
package venues
