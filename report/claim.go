package report

import (
	"errors"
	"fmt"
	"slices"

	"github.com/weightprint/weightprint/fingerprint"
)

// Claim is an asserted relation between the two subjects of a report.
type Claim struct {
	// Relation that is claimed. Related is met by Reencoded and Identical as
	// well, Reencoded by Identical.
	Relation Relation `json:"relation"`
	// Kinds that are claimed beside it, if any.
	Kinds []Kind `json:"kinds,omitempty"`
	// Parent, if given, must be the value root of subject A.
	Parent *fingerprint.Digest `json:"parent,omitempty"`
}

// What a report can say of a claim it does not confirm.
var (
	ErrContradicted = errors.New("the weights contradict the claim")
	ErrUnproven     = errors.New("the weights do not prove the claim")
)

// meets tells which found relations meet a claimed one.
var meets = map[Relation][]Relation{
	Identical:  {Identical},
	Reencoded:  {Reencoded, Identical},
	Related:    {Related, Reencoded, Identical},
	SharedInit: {SharedInit},
	NoEvidence: {NoEvidence},
}

// Check holds a claim against the verdict: nil when confirmed, an error that
// is ErrContradicted or ErrUnproven otherwise.
func (r *Report) Check(c Claim) error {
	if c.Parent != nil && (r.Subjects[0].Root == nil || *r.Subjects[0].Root != *c.Parent) {
		if r.Subjects[0].Root == nil {
			return fmt.Errorf("%w: the values of A were not all read, so the parent cannot be identified", ErrUnproven)
		}
		return fmt.Errorf("%w: A is not the claimed parent", ErrContradicted)
	}
	allowed, ok := meets[c.Relation]
	switch {
	case !ok:
		return fmt.Errorf("%w: %q is no relation that can be claimed", ErrUnproven, c.Relation)
	case r.Verdict.Relation == Inconclusive:
		return fmt.Errorf("%w: the comparison is inconclusive", ErrUnproven)
	case !slices.Contains(allowed, r.Verdict.Relation):
		return fmt.Errorf("%w: found %s, claimed %s", ErrContradicted, r.Verdict.Relation, c.Relation)
	}
	for _, k := range c.Kinds {
		if !slices.Contains(r.Verdict.Kinds, k) {
			return fmt.Errorf("%w: the kind %s was not found", ErrUnproven, k)
		}
	}
	return nil
}
