package agent

// files_windows.go owns what files have, and how many of them a process may have open, on Windows.

// hasModes says that files have modes and types.
const hasModes = false

// mostFiles is more than connections are admitted: there is no limit.
func mostFiles() int { return 1 << 20 }
