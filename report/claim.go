package report

import (
	"errors"
	"fmt"
	"slices"

	"github.com/weightprint/weightprint/fingerprint"
	"github.com/weightprint/weightprint/report/verdict"
)

// Claim is an asserted relation between the two subjects of a report.
type Claim struct {
	// Relation that is claimed. Related is met by Reencoded and Identical as
	// well, Reencoded by Identical.
	Relation verdict.Relation `json:"relation"`
	// Kinds that are claimed beside it, if any.
	Kinds []verdict.Kind `json:"kinds,omitempty"`
	// Direction that is claimed, if any.
	Direction verdict.Direction `json:"direction,omitempty"`
	// Parent and Child, if given, must be the value roots of A and B. Where
	// they are not, others than the claimed models were compared.
	Parent *fingerprint.Digest `json:"parent,omitempty"`
	Child  *fingerprint.Digest `json:"child,omitempty"`
}

// What a report can say of a claim it does not confirm.
var (
	ErrContradicted = errors.New("the weights contradict the claim")
	ErrUnproven     = errors.New("the weights do not prove the claim")
)

func contradicted(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrContradicted, fmt.Sprintf(format, args...))
}

func unproven(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrUnproven, fmt.Sprintf(format, args...))
}

// Check holds a claim against the verdict: nil when confirmed, an error that
// is ErrContradicted or ErrUnproven otherwise. A claim is contradicted only by
// what excludes it; where another explanation stands it is unproven.
func (r *Report) Check(c Claim) error {
	for _, rule := range []func(*Report, Claim) error{checkPins, checkRelation, checkKinds, checkDirection} {
		if err := rule(r, c); err != nil {
			return err
		}
	}
	return nil
}

// checkPins requires that the subjects are those of the claim.
func checkPins(r *Report, c Claim) error {
	for i, pin := range []*fingerprint.Digest{c.Parent, c.Child} {
		root := r.Subjects[i].Root
		switch {
		case pin == nil:
		case root == nil:
			return unproven("the values of %s were not all read, so it cannot be told whether it is the claimed model", verdict.Side(i))
		case *root != *pin:
			return unproven("%s is not the claimed model: its values are %s, claimed %s", verdict.Side(i), root, pin)
		}
	}
	return nil
}

func checkRelation(r *Report, c Claim) error {
	found := r.Verdict.Relation
	allowed := c.Relation.MetBy()
	switch {
	case len(allowed) == 0:
		return unproven("%q is no relation that can be claimed", c.Relation)
	case found == verdict.Inconclusive:
		return unproven("the comparison is inconclusive")
	case r.screened() && found != verdict.Identical:
		return unproven("only fingerprints were compared, which screens and settles nothing")
	case !slices.Contains(allowed, found):
		return r.otherRelation(c.Relation)
	case found == verdict.SharedInit && r.Verdict.MoreIsOpen():
		return unproven("found %s at the least: that more than the initialisation is common was not excluded", found)
	case c.Relation != verdict.Related && (found == verdict.Identical || found == verdict.Reencoded) && !r.allCompared():
		return unproven("not all values were compared; a full budget settles it")
	}
	return nil
}

// screened tells whether the report rests on fingerprints alone.
func (r *Report) screened() bool {
	return r.Subjects[0].Format == "fingerprint" || r.Subjects[1].Format == "fingerprint"
}

// allCompared tells whether the report rests on every value of both subjects.
func (r *Report) allCompared() bool {
	a, b := r.Subjects[0].Root, r.Subjects[1].Root
	return r.Delta != nil && r.Delta.Complete || a != nil && b != nil && *a == *b
}

// otherRelation judges a claim that what was found does not meet.
func (r *Report) otherRelation(claimed verdict.Relation) error {
	found := r.Verdict.Relation
	switch {
	case claimed == verdict.Related && found == verdict.SharedInit:
		return unproven("found %s: the common initialisation shows; that anything trained is common does not", found)
	case claimed == verdict.SharedInit && found == verdict.NoEvidence:
		return unproven("found %s: training can cover the traces of a common initialisation", found)
	case claimed == verdict.SharedInit && found == verdict.Related && slices.Contains(r.Verdict.Alternatives, verdict.SameInit):
		return unproven("found %s, and the same random initialisation is not excluded", found)
	case (claimed == verdict.Identical || claimed == verdict.Reencoded) && slices.Contains(r.Verdict.Kinds, verdict.EqualSoFar):
		return unproven("nothing differs in what was read, but not all values were compared; a full budget settles it")
	case claimed == verdict.Identical && found == verdict.Related && !r.valuesDiffer():
		return unproven("found %s, and no values were compared", found)
	case claimed == verdict.Reencoded && found == verdict.Related && !r.beyondStorage():
		return unproven("found %s: values differ by more than the storage types explain, but a rounding that is not recognised could do that", found)
	}
	if found == verdict.NoEvidence {
		return contradicted("found %s at the stated power, claimed %s: a relative in a disguise that the comparison does not cover is not excluded", found, claimed)
	}
	return contradicted("found %s, claimed %s", found, claimed)
}

// valuesDiffer tells whether values were seen that are not the same.
func (r *Report) valuesDiffer() bool {
	d := r.Delta
	return d != nil && (d.Different+d.Cast+d.Quantised > 0 || len(d.OnlyA)+len(d.OnlyB)+len(d.Shapes) > 0)
}

// byStorage are the kinds that some way of storing the same values could look
// like.
var byStorage = []verdict.Kind{verdict.Repackaged, verdict.CastKind, verdict.QuantisedKind, verdict.FineTuned, verdict.Modified, verdict.Reparameterised}

// beyondStorage tells whether a kind was found that no way of storing the same
// values looks like.
func (r *Report) beyondStorage() bool {
	return slices.ContainsFunc(r.Verdict.Kinds, func(k verdict.Kind) bool { return !slices.Contains(byStorage, k) })
}

func checkKinds(r *Report, c Claim) error {
	for _, k := range c.Kinds {
		switch {
		case slices.Contains(r.Verdict.Kinds, k):
		case r.Verdict.Relation == verdict.Identical && r.allCompared() && k != verdict.Repackaged:
			return contradicted("claimed %s, but the two hold the same values", k)
		default:
			return unproven("the kind %s was not found", k)
		}
	}
	return nil
}

func checkDirection(r *Report, c Claim) error {
	found := r.Verdict.Direction
	switch {
	case c.Direction == "" || c.Direction == found && found != verdict.Undetermined:
		return nil
	case found == verdict.Undetermined || c.Direction == verdict.Undetermined:
		return unproven("the weights do not show which of the two was made from the other; a direction needs dates of both and an assumption about access")
	}
	return unproven("dates and the assumption speak for %s, claimed %s; a date shows existence by a time and excludes nothing before it", found, c.Direction)
}
