// Package crash kills programs in the middle of a renewal, cuts their network, takes
// their database away and fills their disk, and checks with the emulated venue what was
// presented. It has only tests.
package crash
