package venuekey

import "context"

// Steps are the steps of a renewal, in their order.
var Steps = []string{stepLoaded, stepClaimed, stepAnswered, stepSealed, stepSpilled, stepSaved, stepPublished}

// OnStep has a Keeper tell of each step of a renewal.
func OnStep(k *Keeper, step func(string)) { k.step = step }

// WriteReserved writes a file over the reserve of its folder.
var WriteReserved = writeReserved

// RestoreRecord is the step of Restore that names a version.
func (k *Keeper) RestoreRecord(ctx context.Context, record Record, token Token) (Record, error) {
	return k.restore(ctx, record, token)
}
