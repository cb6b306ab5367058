package report

import (
	"fmt"
	"slices"

	"github.com/weightprint/weightprint/fingerprint"
	"github.com/weightprint/weightprint/report/verdict"
)

// ImpossibleError names a field of a report that no comparison writes as it is.
type ImpossibleError struct {
	Field string // such as "verdict.direction"
	Rule  string // that it breaks
}

func (e *ImpossibleError) Error() string {
	return fmt.Sprintf("report: %s: %s; weightprint verify FILE A B makes the report anew", e.Field, e.Rule)
}

// Consistent finds what no comparison writes: it returns nil or an *ImpossibleError. A
// report that passes may still be forged; only making it anew tells.
func (r *Report) Consistent() error {
	v := &r.Verdict
	relations := []verdict.Relation{verdict.Identical, verdict.Reencoded, verdict.Related, verdict.SharedInit, verdict.NoEvidence, verdict.Inconclusive}
	directions := []verdict.Direction{verdict.AToB, verdict.BToA, verdict.Undetermined}
	for i := range r.Subjects {
		if r.Subjects[i].Header == (fingerprint.Digest{}) {
			return &ImpossibleError{fmt.Sprintf("subjects[%d]", i), "no model is stated"}
		}
	}
	switch {
	case !slices.Contains(relations, v.Relation):
		return &ImpossibleError{"verdict.relation", fmt.Sprintf("%.80q is none", v.Relation)}
	case !slices.Contains(directions, v.Direction):
		return &ImpossibleError{"verdict.direction", fmt.Sprintf("%.80q is none", v.Direction)}
	case v.Direction != verdict.Undetermined && v.Precedence == nil:
		return &ImpossibleError{"verdict.direction", "no direction stands without precedence"}
	case r.Evidence == nil:
		return &ImpossibleError{"evidence", "it is absent"}
	}
	return nil
}
