package axis

import "fmt"

// Check runs the guards on all units of one side, n×d: which can be told
// apart, and why their labels may give no p-value, "" when they may.
func Check(raw []float32, n, d int) (eligibleUnits []bool, why string) {
	s := Rows{Raw: raw, N: n, Dim: d}
	ok := allTrue(n)
	eligible(raw, n, d, ok)
	s.Centre(ok)
	side := Side{Total: n, Eligible: ok}
	if side.Count() < MinUnits {
		return ok, fmt.Sprintf("fewer than %d units can be told apart", MinUnits)
	}
	if why := basis(raw, n, d, ok); why != "" {
		return ok, why
	}
	g := gramOf(s.Unit, n, d, ok)
	if why := g.defect(); why != "" {
		return ok, why
	}
	if why := structured(raw, s.Unit, n, d, ok, g, 1); why != "" {
		return ok, "the units are not exchangeable: " + why
	}
	return ok, ""
}

// SideOf is a side of an axis whose units were read elsewhere: so many of
// total, at the given positions, as rows of dimension d. It tells axes that
// repeat one another.
func SideOf(total int, units []int, rows []float32, d int) Side {
	ok := allTrue(len(units))
	return Side{Total: total, Units: units, Eligible: ok, marks: mark(rows, len(units), d, ok)}
}
