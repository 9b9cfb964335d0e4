package main

// memory_windows.go owns what is done for the memory of a command on Windows.

// keepMemoryPrivate does nothing: Go's runtime turns error reporting off, which
// would write a dump, unless GOTRACEBACK is wer.
func keepMemoryPrivate() {}
