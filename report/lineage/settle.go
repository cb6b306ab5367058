package lineage

import "github.com/weightprint/weightprint/report/verdict"

// settle fills in what follows for pairs that were not compared: members of one family
// are related, and who has a part in common with one of a family has it with all.
func (b *builder) settle() {
	of := b.groups()
	part := map[[2]int]bool{} // model and family
	for j := range of {
		for i := range j {
			if p := b.at(i, j); p.compared && p.kin() && p.partial() {
				part[[2]int{i, of[j]}], part[[2]int{j, of[i]}] = true, true
			}
		}
	}
	for j := range of {
		for i := range j {
			p := b.at(i, j)
			switch {
			case p.compared:
			case of[i] == of[j]:
				b.assume(i, j, verdict.Related)
			case part[[2]int{i, of[j]}] || part[[2]int{j, of[i]}]:
				b.assume(i, j, verdict.Related, verdict.Partial)
			default:
				b.assume(i, j, verdict.Inconclusive)
			}
			if n := b.near[i][j]; n.known {
				p.likeness = n.alike
			}
			b.pairs[i][j].distance, b.pairs[j][i].distance = b.vecs.distance(i, j, p.distance), b.vecs.distance(j, i, p.distance)
		}
	}
}

// assume fills in a pair that was not compared. Values that stand in their places tell
// how far apart the two are; of other pairs that is not known.
func (b *builder) assume(i, j int, r verdict.Relation, kinds ...verdict.Kind) {
	p := b.at(i, j)
	*p = pair{relation: r, kinds: kinds, suggests: verdict.Undetermined, distance: incomparable}
	if b.vecs.apart(i, j) <= corresponding {
		p.distance = 0
	}
}
