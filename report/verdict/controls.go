package verdict

import (
	_ "embed"
	"encoding/json"
	"math"
	"slices"
	"sync"

	"github.com/weightprint/weightprint/similarity"
)

// controlsJSON holds what the calibrated tests showed between independently
// trained networks; statistics only.
//
//go:embed controls.json
var controlsJSON string

// Population is the control population: how calibrated statistics spread over
// pairs of networks that were trained independently of each other.
type Population struct {
	Version  int       `json:"version"`
	Made     string    `json:"made"`     // the command that made it
	Seed     uint64    `json:"seed"`     // from which all of it follows
	Networks int       `json:"networks"` // that share nothing with one another
	Strata   []Stratum `json:"strata"`
}

// Stratum is the part of a population whose pairs are alike in what they share.
type Stratum struct {
	Name        string               `json:"name"`        // such as "same-data"; package population lists them
	Independent bool                 `json:"independent"` // the pairs have no common origin, and neither imitates the other's inner states
	Pairs       int                  `json:"pairs"`
	Tests       map[string][]Control `json:"tests"` // by effect, ascending
}

// Control is what one test showed on one pair: its effect and on how many
// units, heads or tokens that rests.
type Control struct {
	Effect float64
	N      int
}

// MarshalJSON writes a control as [effect, n].
func (c Control) MarshalJSON() ([]byte, error) {
	return json.Marshal([2]float64{c.Effect, float64(c.N)})
}

// UnmarshalJSON reads what MarshalJSON writes.
func (c *Control) UnmarshalJSON(text []byte) error {
	var x [2]float64
	err := json.Unmarshal(text, &x)
	c.Effect, c.N = x[0], int(x[1])
	return err
}

// ControlsJSON is the population that ships with the module, as it is stored.
func ControlsJSON() string { return controlsJSON }

// Controls returns the population that ships with the module. It is decoded
// when it is first asked for.
func Controls() *Population { return controls() }

var controls = sync.OnceValue(func() *Population {
	var p Population
	if err := json.Unmarshal([]byte(controlsJSON), &p); err != nil {
		panic("controls.json: " + err.Error())
	}
	return &p
})

// passengers are the pairs in which one network carries values of the other that do
// nothing.
const passengers = "passengers"

// Standing is one effect among its controls.
type Standing struct {
	N       int    `json:"n"`       // control pairs that gave the test
	Largest Number `json:"largest"` // among them
	Q99     Number `json:"q99"`
	P       Number `json:"p"`       // conformal: (1 + controls at least as large)/(N + 1)
	Nearest string `json:"nearest"` // the stratum whose largest value is highest

	Strata []Spread `json:"strata"` // how each kind of control pair spreads
}

// Spread is how the effects of one kind of control pair spread.
type Spread struct {
	Name        string   `json:"name"`
	N           int      `json:"n"`
	Independent bool     `json:"independent"` // pairs that share no initialisation
	Quantiles   []Number `json:"quantiles"`   // at 0, 5, 25, 50, 75, 95 and 100 %
}

// spreadAt are the quantiles of a Spread, in percent.
var spreadAt = []int{0, 5, 25, 50, 75, 95, 100}

// spread sums up effects, ascending.
func (t *Stratum) spread(effects []float64) Spread {
	s := Spread{Name: t.Name, N: len(effects), Independent: t.Independent}
	for _, q := range spreadAt {
		s.Quantiles = append(s.Quantiles, Number(effects[(len(effects)-1)*q/100]))
	}
	return s
}

// oneSeed are the strata whose pairs share an initialisation and nothing that training
// learned.
var oneSeed = []string{"shared-init", "other-order", "formula"}

// of tells whether the pairs are what the null of a test says: strangers, or where a test
// asks what was learned in common, pairs of one initialisation.
func (t *Stratum) of(test string) bool {
	if test == Gains {
		return slices.Contains(oneSeed, t.Name)
	}
	return t.Independent
}

// Stand places an effect that rests on n units among the pairs of the population that
// the null of the test is about; nil where the population has no such test. Effects scatter
// more the fewer units they rest on, so the case is held against controls that
// rest on between half as many units and as many, or, where those are few, on
// no more than as many.
func (p *Population) Stand(test string, effect float64, n int) *Standing {
	for _, least := range []int{n / 2, 0} {
		if s := p.stand(test, effect, least, n); s != nil && s.N >= enoughControls {
			return s
		}
	}
	return p.stand(test, effect, 0, math.MaxInt)
}

func (p *Population) stand(test string, effect float64, least, most int) *Standing {
	var all []float64
	s := Standing{}
	for _, t := range p.Strata {
		var here []float64
		for _, c := range t.Tests[test] {
			if c.N >= least && c.N <= most {
				here = append(here, c.Effect)
			}
		}
		if len(here) == 0 {
			continue
		}
		s.Strata = append(s.Strata, t.spread(here))
		if !t.of(test) {
			continue
		}
		all = append(all, here...)
		for _, effect := range here {
			if s.Nearest == "" || Number(effect) > s.Largest {
				s.Largest, s.Nearest = Number(effect), t.Name
			}
		}
	}
	if len(all) == 0 {
		return nil
	}
	slices.Sort(all)
	s.N, s.Q99 = len(all), Number(all[len(all)*99/100])
	i, _ := slices.BinarySearch(all, effect)
	s.P = Number(float64(1+len(all)-i) / float64(s.N+1))
	return &s
}

// Count is the largest number of units, heads or tokens that a test counted on a pair
// of strangers. Chance makes a number of units agree that hardly depends on how many
// there are.
func (p *Population) Count(test string) (most float64) {
	for _, t := range p.Strata {
		if !t.Independent {
			continue
		}
		for _, c := range t.Tests[test] {
			most = math.Max(most, math.Round(c.Effect*float64(c.N)))
		}
	}
	return most
}

// Most is the largest effect of a test in a stratum, 0 where there is none.
func (p *Population) Most(stratum, test string) (most float64) {
	for _, t := range p.Strata {
		if t.Name != stratum {
			continue
		}
		for _, c := range t.Tests[test] {
			most = math.Max(most, c.Effect)
		}
	}
	return most
}

// Disjoint is the number of pairs that share no network with one another: no
// likelihood ratio above it can be supported. The pairs of a population share
// networks, so that they are not independent observations.
func (p *Population) Disjoint() int { return p.Networks / 2 }

// Pairs is the number of pairs of networks that share nothing.
func (p *Population) Pairs() int {
	n := 0
	for _, t := range p.Strata {
		if t.Independent {
			n += t.Pairs
		}
	}
	return n
}

// channel is one calibrated test that can speak for a common origin whatever
// the basis of the networks, and what it takes.
type channel struct {
	test  string
	floor float64 // least effect that counts
	times float64 // multiple of the largest control that counts
	alone bool    // makes a finding; the others only leave a verdict open
}

var channels = []channel{
	{Agreement, agreementFloor, findTimes, true},
	{QKPhases, phasesFloor, phasesTimes, false},
	{QKSizes, sizesFloor, sizesTimes, false},
	{OVSpectra, spectraFloor, spectraTimes, false},
}

// Channels is what the calibrated tests say that can speak for a common origin
// whatever the basis of the networks.
type Channels struct {
	alone []*similarity.Evidence // channels that suffice
	with  []*similarity.Evidence // channels beyond their controls that leave a verdict open
	ran   bool                   // agreement through tokens was run
	free  bool                   // agreement that needs no tokens was run, on enough units
}

// Found tells whether the channels make a finding.
func (c Channels) Found() bool { return len(c.alone) > 0 }

// Alone lists the channels that make a finding by themselves.
func (c Channels) Alone() []*similarity.Evidence { return c.alone }

// All lists the channels that spoke.
func (c Channels) All() []*similarity.Evidence {
	return append(slices.Clone(c.alone), c.with...)
}

// Channels holds every calibrated result against the population. Where a test
// was run in several ways the one that shows most speaks.
func (f *Facts) Channels(p *Population) (out Channels) {
	f.heldOut(&out)
	for _, ch := range channels {
		var best *similarity.Evidence
		for i := range f.Evidence {
			e := &f.Evidence[i]
			if e.Test == ch.test && e.Axis != rawAgreement && e.LayerB < 0 && e.Skipped == "" && (best == nil || e.Effect > best.Effect) {
				best = e
			}
		}
		if best == nil {
			continue
		}
		alone := ch.alone
		if ch.test == Agreement {
			out.ran = true
			if best.Statistic < minAgreeing {
				continue
			}
			if best.Statistic <= f.arrangeable(best.N) {
				alone = false
			}
		}
		s := p.Stand(ch.test, best.Effect, best.N)
		if s == nil {
			continue
		}
		beyond := best.Effect / math.Max(float64(s.Largest), math.SmallestNonzeroFloat64)
		switch finding := best.Effect >= ch.floor && beyond > ch.times; {
		case finding && alone:
			out.alone = append(out.alone, best)
		case finding, ch.test == Agreement && beyond > openTimes:
			out.with = append(out.with, best)
		}
	}
	return out
}
