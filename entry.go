package venuekey

// entry.go owns what a Keeper has of one ID.

// entry is what a Keeper has of one ID: the handle on it, the renewal that is under
// way, and a rotation that the store does not have yet. Keeper.mu guards all but the
// Source.
type entry struct {
	source Source
	// flight is nil where no renewal is under way.
	flight *flight
	// unsaved is nil where the store has everything.
	unsaved hidden[rotation]
	// saving says that a flush is at the unsaved rotation. It stays here meanwhile, so
	// that nobody presents what it replaces.
	saving bool
}

// entry is made when an ID is first asked for; k.mu is held.
func (k *Keeper) entry(id ID) *entry {
	e, ok := k.entries[id]
	if !ok {
		e = &entry{source: Source{keeper: k, id: id}}
		k.entries[id] = e
	}
	return e
}

// Source returns the handle on one ID. All callers of one Keeper share it.
func (k *Keeper) Source(id ID) *Source {
	k.init()
	k.mu.Lock()
	defer k.mu.Unlock()
	return &k.entry(id).source
}

// keepUnsaved keeps a rotation that the store refused. Sources look again, and so try
// to save it.
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

// unsavedOf is the rotation that is kept for an ID.
func (k *Keeper) unsavedOf(id ID) (r rotation, kept bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if e := k.entries[id]; e != nil && e.unsaved != nil {
		return e.unsaved(), true
	}
	return rotation{}, false
}

// beginSaving gives the rotation that is kept for an ID to the one who saves it; busy
// says that somebody does already.
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

// endSaving drops a rotation that is saved, unless another took its place.
func (k *Keeper) endSaving(id ID, r rotation) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if e := k.entries[id]; e != nil && e.saving && e.unsaved().record.Generation == r.record.Generation {
		k.dropUnsaved(e)
	}
}

// dropUnsaved forgets the rotation of an entry; k.mu is held.
func (k *Keeper) dropUnsaved(e *entry) {
	if e.unsaved != nil {
		k.unsaved--
	}
	e.unsaved, e.saving = nil, false
}

// anyUnsaved reports whether any rotation is kept.
func (k *Keeper) anyUnsaved() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.unsaved > 0
}

// allUnsaved are the rotations that are kept, by ID.
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
