package venuekey

// working.go owns the goroutines that Close waits for. They are counted under the
// Keeper's lock and not by a WaitGroup, because a program may ask for a renewal at the
// very moment it calls Close.

// work runs a function that Close waits for.
func (k *Keeper) work(do func()) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.workLocked(do)
}

// workLocked is work for a caller that holds k.mu.
func (k *Keeper) workLocked(do func()) {
	k.working++
	go func() {
		defer k.worked()
		do()
	}()
}

func (k *Keeper) worked() {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.working--; k.working == 0 {
		k.atRest.Broadcast()
	}
}

// rest waits until no such function is running.
func (k *Keeper) rest() {
	k.mu.Lock()
	defer k.mu.Unlock()
	for k.working > 0 {
		k.atRest.Wait()
	}
}
