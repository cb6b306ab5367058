package mlp

import (
	"context"

	"github.com/weightprint/weightprint/formats/roles"
	"github.com/weightprint/weightprint/similarity/align"
)

// All reads every layer of both towers, whatever their pairing, and returns
// for each block the position of its layer. They are empty where budget or
// work do not allow all, or where the MLPs of the two are of different kinds.
func All(ctx context.Context, p *align.Pair, t align.TowerPair) (a, b []Block, atA, atB []int, err error) {
	atA, atB = kind(t.A), kind(t.B)
	if len(atA) < 2 || len(atB) < 2 || gated(t.A, atA[0]) != gated(t.B, atB[0]) {
		return nil, nil, nil, nil, nil
	}
	limit := workWithoutBudget
	if p.Bounded() {
		limit = work
	}
	la, lb := float64(len(atA)), float64(len(atB))
	if cost(t.A, atA[0])*la+cost(t.B, atB[0])*lb+la*lb*pairing(t.A, atA[0], t.B, atB[0]) > 2*limit {
		return nil, nil, nil, nil, nil
	}
	bytes := max(stored(t.A, atA[0])*int64(len(atA)), stored(t.B, atB[0])*int64(len(atB)))
	if p.Reserve(bytes, 1) == 0 {
		return nil, nil, nil, nil, nil
	}
	if a, err = readAll(ctx, t.A, atA); err != nil {
		return nil, nil, nil, nil, err
	}
	b, err = readAll(ctx, t.B, atB)
	return a, b, atA, atB, err
}

// pairing estimates the multiplications that it takes to hold the signatures of one
// layer against those of another: of a part of B's units, through both groups.
func pairing(a *roles.Tower, i int, b *roles.Tower, j int) float64 {
	const part, signatures = 512, 16
	return 2 * signatures * units(a, i) * min(units(b, j), part)
}

// kind lists the layers of a tower whose MLPs are of the kind of the first.
func kind(t *roles.Tower) (out []int) {
	for i := range t.Layers {
		if whole(t, i) && (len(out) == 0 || gated(t, i) == gated(t, out[0])) {
			out = append(out, i)
		}
	}
	return out
}

func readAll(ctx context.Context, t *roles.Tower, layers []int) (out []Block, err error) {
	for _, i := range layers {
		b, err := ReadLayer(ctx, t, i)
		if err != nil {
			return nil, err
		}
		out = append(out, b)
	}
	return out, nil
}
