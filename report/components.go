package report

import (
	"slices"

	"github.com/weightprint/weightprint/formats/roles"
	"github.com/weightprint/weightprint/report/internal/aligned"
	"github.com/weightprint/weightprint/report/verdict"
	"github.com/weightprint/weightprint/similarity"
	"github.com/weightprint/weightprint/similarity/delta"
	"github.com/weightprint/weightprint/similarity/stats"
)

// judging is what parts are judged by.
type judging struct {
	facts   verdict.Facts
	verdict verdict.Verdict
	policy  verdict.Policy
}

// components judges each part of B on its own.
func components(b *roles.Network, j judging) []Component {
	all := aligned.Parts(b)
	total := int64(0)
	for _, p := range all {
		total += p.Values
	}
	out := []Component{}
	for _, p := range all {
		c := j.component(p)
		c.ParametersShare = verdict.Number(float64(p.Values) / float64(max(1, total)))
		out = append(out, c)
	}
	return out
}

// component judges one part: by its values, by labels, by what needs none. No
// part says more than the whole, and nothing is concluded from a test that could
// not have seen.
func (j judging) component(p *aligned.Part) Component {
	c := Component{Name: p.Name, Tensors: p.Tensors}
	if j.facts.Named != "" {
		c.Relation, c.By = verdict.Identical, "equal digests, as the hub lists them"
		return c
	}
	if d := j.facts.Detectable(p.Name); d != nil && d.Cosine < 1 {
		c.Detectable = verdict.NumberOf(stats.RoundUp(d.Cosine))
	}
	ofPart := func(e similarity.Evidence) bool { return verdict.PartName(e) == p.Name }
	logp, by := j.facts.Best(ofPart)
	if by != nil {
		c.Log10P, c.Effect, c.By = verdict.NumberOf(logp.Log10()), verdict.Number(by.Effect), by.Test+" of "+by.Axis
	}
	sums := j.sums(p)
	if sums.N > 0 {
		c.Effect = verdict.Number(sums.Cosine())
	}
	units := j.facts.Units(ofPart)
	if same, kinds := j.stored(p); same {
		c.Relation, c.By = verdict.Reencoded, "equal values"
		if len(kinds) == 0 {
			c.Relation = verdict.Identical
		}
		return c
	}
	found := j.verdict.Relation == verdict.Related || j.verdict.Relation == verdict.SharedInit
	spoke := j.spokenFor(p)
	switch {
	case found && units > 0 && logp <= j.policy.Level():
		c.Relation = j.verdict.Relation
		if by.Test == verdict.TokenSigns {
			c.Effect = verdict.Number(by.Effect) // values at the same place say nothing beside a test that needs no places
		}
	case found && spoke != nil:
		c.Relation, c.Log10P, c.Effect, c.By = j.verdict.Relation, nil, verdict.Number(spoke.Effect), spoke.Test+" of "+spoke.Axis
	case j.verdict.Relation == verdict.NoEvidence && units >= verdict.MinComponentUnits, found && j.facts.SeesThrough(p.Name):
		c.Relation = verdict.NoEvidence
	default:
		c.Relation = verdict.Inconclusive // what hides from these tests is not shown to be absent
	}
	return c
}

// spokenFor is the calibrated result that found the part, nil if none did. What makes
// no finding alone speaks for a part only beside a finding in the same tower.
func (j judging) spokenFor(p *aligned.Part) *similarity.Evidence {
	found := j.facts.Channels(verdict.Controls())
	for _, e := range found.All() {
		if verdict.PartName(*e) == p.Name && (slices.Contains(found.Alone(), e) || j.foundIn(e.Tower, found)) {
			return e
		}
	}
	return nil
}

// foundIn tells whether labels, or what makes a finding alone, found a tower.
func (j judging) foundIn(tower string, found verdict.Channels) bool {
	logp, _ := j.facts.Best(func(e similarity.Evidence) bool { return e.Tower == tower })
	return logp <= j.policy.Level() || slices.ContainsFunc(found.Alone(), func(e *similarity.Evidence) bool { return e.Tower == tower })
}

// stored tells whether all of a part's tensors hold the same values.
func (j judging) stored(p *aligned.Part) (same bool, kinds []verdict.Kind) {
	part, matrices := verdict.Storage{Complete: j.facts.Storage.Complete}, 0
	for _, c := range j.facts.Storage.Changes {
		if verdict.PartOf(c.Tower, c.Component) == p.Name {
			part.Changes = append(part.Changes, c)
			if !c.Vector {
				matrices++
			}
		}
	}
	if matrices >= p.Tensors && part.Same() {
		return true, part.Kinds()
	}
	switch x := j.facts.Equality.Parts[p.Name]; {
	case !x.Complete():
		return false, nil
	case x.Rounded:
		return true, []verdict.Kind{verdict.CastKind}
	case j.facts.Storage.Renamed || !j.facts.Equality.InOrder():
		return true, []verdict.Kind{verdict.Repackaged}
	}
	return true, nil
}

// sums pools the value statistics of a part's matrices.
func (j judging) sums(p *aligned.Part) (s delta.Stats) {
	for i := range j.facts.Storage.Changes {
		if c := &j.facts.Storage.Changes[i]; verdict.PartOf(c.Tower, c.Component) == p.Name {
			s.Merge(&c.Stats)
		}
	}
	return s
}
