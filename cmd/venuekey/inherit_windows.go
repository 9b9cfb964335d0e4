package main

// inherit_windows.go owns the same where nothing but the standard streams is handed
// to a program, unless it is listed.

func keepFromChildren(int) {}

func keepAllFromChildren() {}
