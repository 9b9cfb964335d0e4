// Package crash kills programs in the middle of a renewal, cuts their network, takes
// their database away and fills their disk, and asks the emulated venue what was
// presented. It has tests alone.
package crash
