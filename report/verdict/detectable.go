package verdict

import (
	"fmt"
	"math"
	"strings"

	"github.com/weightprint/weightprint/similarity/exact"
	"github.com/weightprint/weightprint/similarity/stats"
)

// Corrected is the level that one exact test has to reach, after those that were run.
func (f *Facts) Corrected(level stats.LogP) stats.LogP {
	return level - stats.LogP(math.Log(float64(max(1, f.ExactTests()))))
}

// Detect notes what a look would have found, component by component, where it is less
// than what earlier ones would have.
func (f *Facts) Detect(look []exact.Detectable) {
	for _, d := range look {
		if old := f.Detectable(PartOf(d.Tower, d.Component)); old == nil {
			f.Weakest = append(f.Weakest, d)
		} else if d.Cosine < old.Cosine {
			*old = d
		}
	}
}

// Detectable is what would have been found of a component, nil where no test on labels
// had units of it.
func (f *Facts) Detectable(component string) *exact.Detectable {
	for i := range f.Weakest {
		if d := &f.Weakest[i]; PartOf(d.Tower, d.Component) == component {
			return d
		}
	}
	return nil
}

// least is the likeness, in the component where it takes least, that would have been
// found: at most that which "no evidence" must have been able to find.
func (f *Facts) least(most float64) float64 {
	for _, d := range f.Weakest {
		if d.Units >= MinComponentUnits {
			most = min(most, d.Cosine)
		}
	}
	return stats.RoundUp(most)
}

// weakestWords lists the components with what would have been found in each.
func (f *Facts) weakestWords() string {
	var words []string
	for _, d := range f.Weakest {
		if d.Cosine < 1 && d.Units >= MinComponentUnits {
			words = append(words, fmt.Sprintf("%.2g in %s (%d units)", stats.RoundUp(d.Cosine), PartOf(d.Tower, d.Component), d.Units))
		}
	}
	if words == nil {
		return ""
	}
	return fmt.Sprintf("the least mean cosine of units with their namesakes that would have been found with probability %g: ", statedPower) + strings.Join(words, ", ")
}
