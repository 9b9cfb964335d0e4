package byname

// inherit_windows.go owns the same on Windows, where only the standard streams are
// inherited unless others are listed.

// KeepFromChildren does nothing here.
func KeepFromChildren(int) {}

// KeepAllFromChildren does nothing here.
func KeepAllFromChildren() {}
