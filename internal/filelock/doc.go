// Package filelock locks files for one process at a time. The system ends a lock with its
// process, however that ends, so none is ever left behind.
package filelock
