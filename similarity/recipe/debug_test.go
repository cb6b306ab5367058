package recipe

import (
	"context"
	"fmt"
	"os"
	"slices"
	"testing"

	"github.com/weightprint/weightprint/formats"
	"github.com/weightprint/weightprint/formats/roles"
	"github.com/weightprint/weightprint/similarity/align"
)

func TestDebug(t *testing.T) {
	ctx := context.Background()
	open := func(p string) *align.Subject {
		c, err := formats.Open(ctx, p, nil)
		if err != nil {
			t.Fatal(err)
		}
		return &align.Subject{Net: roles.Map(c)}
	}
	var pairs []*align.Pair
	child := open("/tmp/mk/grid/" + os.Getenv("CHILD"))
	for _, p := range []string{"r1-ft-a", "r1-ft-b", "r1", os.Getenv("FOURTH"), os.Getenv("FIFTH")} {
		if p != "" {
			pairs = append(pairs, align.NewPair(open("/work/shared/zoo/"+p), child, nil, 0))
		}
	}
	all, err := load(ctx, pairs)
	if err != nil {
		t.Fatal(err)
	}
	f := newFitting(all, len(pairs))
	fmt.Println("use", f.use, "pooled", f.pooled.weights)
	own := make([][]float64, len(f.all))
	for i := range f.all {
		if f.ps[i] != nil {
			own[i] = f.free[i].weights
		}
	}
	a := f.hold(f.mixed(Linear, -1, own), false)
	fmt.Printf("free off %.4f distance %.3f\n", a.offShare(), a.distance())
	for _, s := range f.formulas() {
		for _, each := range []bool{false, true} {
			if e := f.place(s, each); e != nil {
				a := f.hold(e, false)
				fmt.Printf("%s from %d others %v each %v: off %.4f distance %.3f place %.4f w %.4f\n", s.method, s.from, s.others, each, a.offShare(), a.distance(), e.place, e.weights)
			}
		}
	}
	for b := range f.n {
		for _, pair := range [][]int{{0, 1}} {
			if slices.Contains(pair, b) {
				continue
			}
			fmt.Println("sce", b, f.selectedShare(b, pair))
			for _, e := range f.selected(b, pair) {
				a := f.hold(e, false)
				fmt.Printf("sce base %d off %.4f distance %.3f exact %.4f\n", b, a.offShare(), a.distance(), a.share())
			}
		}
	}
	if os.Getenv("FULL") == "" {
		return
	}
	if e := f.sparseOf(); e != nil {
		a := f.hold(e, false)
		s := e.sparse
		tal := f.tallies(s)
		fmt.Printf("%s base %d rule %s density %.4f gamma %.4f eps %.4f elected %v weight %.4f lambda %.4f off %.4f dist %.3f exact %.4f\n", e.method, e.base, s.rule, s.density, s.gamma, s.epsilon, s.elected, s.weight, s.lambda, a.offShare(), a.distance(), a.share())
		for k := range tal {
			l, h, w := tal[k].edges()
			r, se, m := tal[k].slope()
			fmt.Println("tally", tal[k].n, l, h, w, "slope", r, se, m)
		}
	}
}
