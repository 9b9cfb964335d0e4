package audit

// Disk is what a test's failing disk stands in for.
type Disk = disk

// OnDisk returns options of a log that writes through a test's disk.
func (o Options) OnDisk(wrap func(Disk) Disk) Options {
	o.wrap = wrap
	return o
}

const LongestLine = longestLine
