package byname

// inherit_windows.go owns the same where nothing but the standard streams is handed
// to a program, unless it is listed.

// KeepFromChildren does nothing here.
func KeepFromChildren(int) {}

// KeepAllFromChildren does nothing here.
func KeepAllFromChildren() {}
