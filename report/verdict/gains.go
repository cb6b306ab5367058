package verdict

import (
	"fmt"
	"math"
	"slices"

	"github.com/weightprint/weightprint/similarity"
	"github.com/weightprint/weightprint/similarity/stats"
)

// askedGains is how norm gains correlate, as they stand or, where somebody moved
// them, as they act.
type askedGains struct {
	value, doubt float64
	moved, ok    bool
	against      bool // something else speaks for common training, so that somebody may have moved them unseen
	borrowed     bool // they agree as they are stored, and as they act they do not
}

// askGains asks norm gains. leads is the share of leading directions that carry over, 0
// where it is not known: gains are free to be drawn anew, with the columns behind them
// divided, and where either what acts on columns agrees or directions were kept as what
// was learned together keeps them, gains that differ settle nothing.
func (f *Facts) askGains(level stats.LogP, leads float64) (g askedGains) {
	acting := f.actingGains()
	if g.moved = f.gainsMoved(); g.moved {
		// Less may be what moving them left, and where those of one side are all equal the
		// other side may have chosen its own.
		g.value, g.doubt = acting.less, acting.doubt
		g.ok = acting.asked && !acting.weak && !acting.unlike && g.value >= actingGains+g.doubt
		return g
	}
	g.value, g.doubt, g.ok = f.gains(level)
	if known := len(f.Storage.Changes) > 0; g.ok && (acting.weak || !acting.asked && (known || f.gainsByValue())) {
		return askedGains{} // names and values of gains are free, both
	}
	g.borrowed = g.ok && g.value >= sameGains+g.doubt && acting.unlike
	if f.gainsByValue() && g.borrowed {
		return askedGains{}
	}
	g.against = g.ok && g.value < otherGains && (acting.more >= sameGains+g.doubt || leads >= keptLeads)
	return g
}

func (g askedGains) words() string {
	switch {
	case !g.ok:
		return ""
	case g.moved:
		return fmt.Sprintf(movedWords, g.value)
	}
	return fmt.Sprintf(mutedWords, g.value)
}

// acting is how norm gains agree as they act.
type acting struct {
	less, more float64 // correlations on units that correspond, of the side that shows less and of the other
	doubt      float64 // standard error of such a correlation
	asked      bool    // on units, or on lengths of columns
	unlike     bool    // no more than gains of independent trainings
	weak       bool    // on units columns scatter too much to tell, or the gains of one side alone vary, who may have chosen them
}

// actingGains is how gains agree as the last look saw it. Lengths of columns speak where
// units do not, and where they differ.
func (f *Facts) actingGains() (x acting) {
	last := map[string]*similarity.Evidence{}
	for i := range f.Evidence {
		if e := &f.Evidence[i]; e.Test == ActingGains && e.Skipped == "" {
			last[e.Axis] = e
		}
	}
	expected := 1.0
	for _, e := range last {
		if c := e.Effect; x.asked {
			x.less, x.more = min(x.less, c), max(x.more, c)
		} else {
			x.less, x.more, x.asked = c, c, true
		}
		x.doubt, expected = max(x.doubt, 1/math.Sqrt(float64(e.N))), min(expected, e.Statistic)
	}
	if border := max(actingLeast, actingErrors*x.doubt); x.asked {
		x.unlike, x.weak = x.less < border, len(last) < 2 || expected < 2*border
	}
	if c, ok := f.actingColumns(); ok {
		x.asked, x.unlike = true, x.unlike || c < otherGains
	}
	return x
}

// actingColumns is the mean correlation of the lengths of columns as gains act on them:
// no moving of gains between norms and columns alters it, and names that pair gains wrongly
// make it smaller.
func (f *Facts) actingColumns() (c float64, ok bool) {
	n := 0
	for i := range f.Storage.Changes {
		if x := &f.Storage.Changes[i].Acting; x.Columns > 0 && ofBody(f.Storage.Changes[i].Component) {
			c += x.Correlation
			n++
		}
	}
	return c / float64(max(1, n)), n > 0
}

// gainsByValue tells whether gains were paired by their values.
func (f *Facts) gainsByValue() bool {
	return slices.ContainsFunc(f.Evidence, func(e similarity.Evidence) bool {
		return e.Test == Gains && e.Skipped == "" && e.Axis == normsByValue
	})
}

// gains is the correlation of the norm gains. It can be asked only where the
// residual dimensions of the two stand at the same places, which units found
// in raw coordinates show. Where some layers are of another origin, the others
// speak. Where only the embeddings show the places, gains that were learned
// together count, and others say nothing: the body may be of another origin.
// doubt is the standard error that so many gains have when they are unrelated.
func (f *Facts) gains(level stats.LogP) (c, doubt float64, ok bool) {
	inPlace := func(fits func(similarity.Evidence) bool) bool {
		p, e := f.Best(fits)
		return e != nil && p <= level
	}
	if inPlace(func(e similarity.Evidence) bool {
		return e.Test == FixedPoints && (e.Axis == mlp || e.Axis == attention || e.Axis == experts) || e.Test == Signs && e.Axis == mlp
	}) {
		all := func(e similarity.Evidence) bool { return e.LayerB < 0 }
		if found, foreign, _ := f.layersFound(); len(foreign) == 0 {
			c, doubt, ok = f.gainsOf(all)
		} else if c, doubt, ok = f.gainsOf(func(e similarity.Evidence) bool { return e.Tower == mainTower && slices.Contains(found, e.LayerB) }); !ok {
			c, doubt, ok = f.gainsOf(all) // paired by their values, of whatever layers
			ok = ok && c >= sameGains+doubt
		}
	}
	if !ok && inPlace(func(e similarity.Evidence) bool { return e.Test == FixedPoints && e.Axis == embeddings }) {
		c, doubt, ok = f.gainsOf(func(e similarity.Evidence) bool { return e.LayerB < 0 })
		ok = ok && c >= sameGains+doubt
	}
	return c, doubt, ok
}

// gainsOf is the mean correlation over the gains that fit.
func (f *Facts) gainsOf(fits func(similarity.Evidence) bool) (c, doubt float64, ok bool) {
	n, parts := 0, 0
	for _, e := range f.Evidence {
		if e.Test == Gains && e.Skipped == "" && e.Component == norms && fits(e) {
			c += e.Statistic
			n += e.N
			parts++
			if e.LayerB < 0 {
				break // the total of the first look
			}
		}
	}
	if parts == 0 {
		return 0, 0, false
	}
	return c / float64(parts), 1 / math.Sqrt(float64(max(1, n))), true
}

// unknownGains is the correlation of vectors of unknown role that look like
// gains. They can say that nothing learned is common; more would rest on what
// they are.
func (f *Facts) unknownGains() (c float64, ok bool) {
	for _, e := range f.Evidence {
		if e.Test == Gains && e.Skipped == "" && e.Component == generic && e.N >= unknownGains {
			return e.Statistic, true
		}
	}
	return 0, false
}
