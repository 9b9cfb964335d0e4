package venuekey

// Steps are the steps of a renewal, in their order.
var Steps = []string{stepLoaded, stepClaimed, stepAnswered, stepSealed, stepSpilled, stepSaved, stepPublished}

// OnStep has a Keeper tell of each step of a renewal.
func OnStep(k *Keeper, step func(string)) { k.step = step }

// WriteReserved writes a file over the reserve of its folder.
var WriteReserved = writeReserved
