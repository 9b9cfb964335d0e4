package venuekey

// entry.go owns a Keeper's state for one ID.

// entry is a Keeper's state for one ID: its Source, the renewal in flight, and a
// rotation that the store does not have yet. Keeper.mu guards everything but the Source.
type entry struct {
	source Source
	// flight is nil if no renewal is in flight.
	flight *flight
	// unsaved is nil if the store has everything.
	unsaved hidden[rotation]
	// saving says that a flush is saving the unsaved rotation. It stays here meanwhile,
	// so that no one presents the token that it replaces.
	saving bool
}

// entry returns the entry of an ID, creating it at first use; k.mu is held.
func (k *Keeper) entry(id ID) *entry {
	e, ok := k.entries[id]
	if !ok {
		e = &entry{source: Source{keeper: k, id: id}}
		k.entries[id] = e
	}
	return e
}

// Source returns the Source for an ID; all callers of a Keeper share one. It reads
// nothing: an ID without a sign-in shows at the first Token.
func (k *Keeper) Source(id ID) *Source {
	k.init()
	k.mu.Lock()
	defer k.mu.Unlock()
	return &k.entry(id).source
}

// keepUnsaved keeps a rotation that the store refused. Sources check the store again,
// which tries to save it first.
func (k *Keeper) keepUnsaved(id ID, r rotation) {
	k.mu.Lock()
	e := k.entry(id)
	if e.unsaved == nil {
		k.unsaved++
	}
	e.unsaved, e.saving = hide(r), false
	k.mu.Unlock()
	e.source.fresh.Store(nil)
}

// unsavedOf returns the unsaved rotation of an ID.
func (k *Keeper) unsavedOf(id ID) (r rotation, kept bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if e := k.entries[id]; e != nil && e.unsaved != nil {
		return e.unsaved(), true
	}
	return rotation{}, false
}

// beginSaving returns the unsaved rotation of an ID to the goroutine that saves it;
// busy says that another one is already doing so.
func (k *Keeper) beginSaving(id ID) (r rotation, kept, busy bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	e := k.entries[id]
	if e == nil || e.unsaved == nil {
		return rotation{}, false, false
	}
	busy, e.saving = e.saving, true
	return e.unsaved(), true, busy
}

// endSaving drops a rotation that was saved, unless another has replaced it.
func (k *Keeper) endSaving(id ID, r rotation) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if e := k.entries[id]; e != nil && e.saving && e.unsaved().record.Generation == r.record.Generation {
		k.dropUnsaved(e)
	}
}

// dropUnsaved drops the unsaved rotation of an entry; k.mu is held.
func (k *Keeper) dropUnsaved(e *entry) {
	if e.unsaved != nil {
		k.unsaved--
	}
	e.unsaved, e.saving = nil, false
}

// anyUnsaved reports whether there is any unsaved rotation in memory.
func (k *Keeper) anyUnsaved() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.unsaved > 0
}

// allUnsaved returns the unsaved rotations, by ID.
func (k *Keeper) allUnsaved() map[ID]rotation {
	k.mu.Lock()
	defer k.mu.Unlock()
	all := map[ID]rotation{}
	if k.unsaved == 0 {
		return all // there may be very many entries
	}
	for id, e := range k.entries {
		if e.unsaved != nil {
			all[id] = e.unsaved()
		}
	}
	return all
}
