package agent

// files_windows.go owns how many files a process may have open, on Windows.

// mostFiles is more than connections are admitted: there is no limit.
func mostFiles() int { return 1 << 20 }
