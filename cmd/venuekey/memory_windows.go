package main

// keepMemoryPrivate does nothing: Go's runtime turns error reporting off, which
// would write a dump, unless GOTRACEBACK is wer.
func keepMemoryPrivate() {}
