package main

// memory_windows.go owns keeping this process's memory private, on Windows.

// keepMemoryPrivate does nothing: Go's runtime turns error reporting off, which
// would write a dump, unless GOTRACEBACK is wer.
func keepMemoryPrivate() {}
