package population

import (
	"math/rand/v2"

	"github.com/weightprint/weightprint/internal/adversary"
)

// Stratum is one kind of pair.
type Stratum struct {
	Name        string
	Independent bool // the two have no common origin, and neither was made to imitate the other's inner states
	Arranged    bool // one was arranged with the other in sight; what that alone moves has bounds of its own
	Carries     bool // how much of the outputs rests on what agrees is measured too
	Pairs       int  // of a shape, Extra where 0
	// Make makes pair j of the kind in a shape, from networks of the shape that share
	// nothing with one another.
	Make func(shape, j int, own []*adversary.Decoder) (a, b *adversary.Decoder)
}

// Strata lists the kinds of pairs beside those of networks that share nothing.
var Strata = []Stratum{
	{Name: "same-data", Independent: true, Make: func(shape, j int, own []*adversary.Decoder) (a, b *adversary.Decoder) {
		return own[j], again(shape, j, 100+j, j, j, adversary.Schooling{})
	}},
	{Name: "distilled", Independent: true, Make: func(shape, j int, own []*adversary.Decoder) (a, b *adversary.Decoder) {
		return own[j], again(shape, j, 110+j, j, 110+j, adversary.Schooling{Master: own[j]})
	}},
	{Name: "masked", Independent: true, Make: func(shape, j int, own []*adversary.Decoder) (a, b *adversary.Decoder) {
		mask := adversary.PublicMask(stream(shape, j, other), own[j], 0.3)
		return again(shape, j, 120+j, 120+j, 120+j, adversary.Schooling{Mask: mask}), again(shape, j, 130+j, 130+j, 130+j, adversary.Schooling{Mask: mask})
	}},
	{Name: "arranged", Independent: true, Arranged: true, Make: func(shape, j int, own []*adversary.Decoder) (a, b *adversary.Decoder) {
		k := shape*Extra + j
		r := rand.New(rand.NewPCG(Seed, uint64(k)))
		return adversary.Arrangements[k%len(adversary.Arrangements)].Apply(r, own[j].Clone(), own[j+1].Clone()), own[j+1]
	}},
	{Name: "shared-init", Make: func(shape, j int, own []*adversary.Decoder) (a, b *adversary.Decoder) {
		return own[j], again(shape, j, j, 140+j, 140+j, adversary.Schooling{})
	}},
	{Name: "other-order", Make: func(shape, j int, own []*adversary.Decoder) (a, b *adversary.Decoder) {
		return own[j], again(shape, j, j, j, 150+j, adversary.Schooling{})
	}},
	{Name: "imitated", Make: func(shape, j int, own []*adversary.Decoder) (a, b *adversary.Decoder) {
		return own[j], again(shape, j, 160+j, j, 160+j, adversary.Schooling{Teacher: own[j]})
	}},
	{Name: "formula", Make: func(shape, j int, own []*adversary.Decoder) (a, b *adversary.Decoder) {
		return adversary.Formulaic(stream(shape, j, other), Shapes[shape], school(j), j)
	}},
	{Name: "passengers", Arranged: true, Carries: true, Pairs: len(adversary.Plants), Make: func(shape, j int, own []*adversary.Decoder) (a, b *adversary.Decoder) {
		r := rand.New(rand.NewPCG(Seed, uint64(j)))
		return adversary.Plants[j].Apply(r, own[j].Clone(), own[j+1].Clone()), own[j+1]
	}},
	{Name: "disguised", Arranged: true, Carries: true, Make: func(shape, j int, own []*adversary.Decoder) (a, b *adversary.Decoder) {
		k := shape*Extra + j
		return adversary.Evasions[k%len(adversary.Evasions)].Apply(stream(shape, j, other), own[j].Clone()), own[j]
	}},
	{Name: "tuned", Carries: true, Make: func(shape, j int, own []*adversary.Decoder) (a, b *adversary.Decoder) {
		child := own[j].Clone()
		s := school(0)
		s.Steps /= 2
		child.Train(stream(shape, 170+j, texts), corpus(shape, 170+j), s)
		return own[j], child
	}},
}

// again trains a network of a shape from a drawn initialisation on texts of a language,
// in the manner of network j.
func again(shape, j, init, lang, text int, s adversary.Schooling) *adversary.Decoder {
	d := adversary.New(stream(shape, init, drawn), Shapes[shape])
	like := school(j)
	like.Teacher, like.Master, like.Mask = s.Teacher, s.Master, s.Mask
	d.Train(stream(shape, text, texts), corpus(shape, lang), like)
	return d
}
