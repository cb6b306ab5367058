package verdict

// The explanations beside derivation that weights do not exclude. They are named
// with every relation they fit.
const (
	bothCopied      = "both were copied from a third model"
	commonAncestor  = "a common ancestor: both were made from a third model"
	publicComponent = "a public component that both took over"
	// SameInit is the alternative that a common initialisation explains everything.
	SameInit        = "the same random initialisation, or one by formula, with the same script and corpus too: two trainings that began alike"
	imitation       = "training to imitate the other's inner states"
	passenger       = "a passenger: values of one planted in the other where its output does not use them (how much of the output rests on them was not measured)"
	passengerOpen   = "a passenger: values of one planted in the other where its output does not use them (how much of the output rests on them, the carry, does not settle it)"
	passengerLikely = "a passenger, which is the likely explanation: the output of %[1]s does not rest on what agrees, that of %[2]s does, so that values of %[2]s were planted in %[1]s"
	arranged        = "an arrangement: one file relabelled, turned or scaled after the other, which changes nothing that it computes"
	arrangedBefore  = "an arrangement by somebody who had the other file before %s, or one of several variants that were committed to"
	oneTask         = "one task that both learned, if what was taken for hidden units stands for places of data or was taught a meaning: shapes of an unknown architecture do not tell"
	byTable         = "a beginning by formula or from a published table, which strangers take too: of an unknown architecture nobody knows how it begins"
	earlyCopy       = "a copy taken early in training, before anything of note was learned"
	trainedAlike    = "a common trained origin"
	behaviour       = "distillation from outputs and training on the same data, which weights do not show"
)

// relatedAlternatives are those of a common trained origin.
var relatedAlternatives = []string{commonAncestor, publicComponent, SameInit, imitation, passenger}

// sharedInitAlternatives are those of a common initialisation.
var sharedInitAlternatives = []string{earlyCopy, imitation, passenger}
