package verdict

import "fmt"

// Reading is what marks in the weights suggest of which subject came first. It
// is no finding: every mark can be put on or taken off, and the reading says
// how. A direction needs dates.
type Reading struct {
	Story     string    `json:"story"` // the simpler account
	Direction Direction `json:"direction"`
	Because   []string  `json:"because"` // the marks
	Reverse   string    `json:"reverse"` // what the other account takes
	Cost      string    `json:"cost"`    // of that, to whoever would do it
}

// reverse is how the other side could have been made from the one that bears a mark,
// and at what cost.
type reverse struct{ how, cost string }

// expertsPutIn is the reverse of experts that were dropped.
var expertsPutIn = reverse{"experts that the router seldom or never chooses were put in, or copies", "none"}

// reverseOf is the reverse of a finding: what was dropped may be experts.
func (f *Facts) reverseOf(k Kind) reverse {
	if k == Pruned && f.Equality.Mixtures.Fewer != [2]int{} {
		return expertsPutIn
	}
	return reverses[k]
}

// reverses lists them by kind.
var reverses = map[Kind]reverse{
	CastKind:            {"the finer values were made from the rounded ones by changes below half a step", "none that shows in what the model computes"},
	QuantisedKind:       {"the values off the lattice were made from those on it by changes below half a step", "none that shows in what the model computes"},
	Pruned:              {"the zeros were filled with small values", "none that shows where they are small; a little training where they are not"},
	LayerDropped:        {"layers that add nothing to their input, or copies, were put in", "none"},
	DepthUpscaled:       {"the repeated or untrained layers were taken out", "some loss, which a little training mends"},
	LayersReordered:     {"the layers were put back", "none"},
	WidthPruned:         {"units, heads or dimensions that do nothing were added, or units split in two", "none"},
	WidthExpanded:       {"units that stand there more than once were put together", "none"},
	VocabularyChanged:   {"rows of the vocabulary were cut off, or added", "none"},
	MoEUpcycled:         {"one expert was kept", "some loss, which a little training mends"},
	Reparameterised:     {"norm weights and scales were moved back", "none"},
	Merged:              {"the other parents' share was subtracted", "none, for whoever has them"},
	HeadChanged:         {"the head was replaced again", "training of a head"},
	ContinuedPretrained: {"training went on from the other side", "training"},
}

// suggest adds one mark. Marks that point both ways leave no reading.
func (v *Verdict) suggest(d Direction, x reverse, mark string) {
	switch {
	case d == Undetermined || d == "" || v.crossed:
	case v.Reading == nil:
		ends := map[Direction][2]string{AToB: {"A", "B"}, BToA: {"B", "A"}}[d]
		v.Reading = &Reading{
			Story:     fmt.Sprintf("%s was made from %s, or both from a third", ends[1], ends[0]),
			Direction: d, Because: []string{mark}, Reverse: x.how, Cost: x.cost,
		}
	case v.Reading.Direction != d:
		v.Reading, v.crossed = nil, true
	default:
		v.Reading.Because = append(v.Reading.Because, mark)
	}
}

// Suggested is the direction of the reading, Undetermined where there is none.
func (v *Verdict) Suggested() Direction {
	if v.Reading == nil {
		return Undetermined
	}
	return v.Reading.Direction
}

// Words puts the reading into a sentence.
func (r *Reading) Words() string {
	return fmt.Sprintf("%s, if nobody arranged the files; the reverse: %s (cost: %s)", r.Story, r.Reverse, r.Cost)
}
