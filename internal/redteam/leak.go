package redteam

import (
	"context"
	"fmt"
)

const (
	// enough is the relative error from which on an edit counts as not
	// recovered.
	enough = 0.99
	// tall is the number of rows from which on that is claimed of answers to
	// challenges, which open whole rows.
	tall = 2048
)

// LinearRecovery measures how a rank-one edit of an n×n matrix is recovered
// from real numbers: at the cap, and with what would be needed.
func LinearRecovery(n int) []Result {
	e := NewEdit(1, n, n, 0.1)
	limit := (e.Rows + e.Cols) / 4
	capped, free := e.Error(e.RecoverLinear(limit)), e.Error(e.RecoverLinear(4*(e.Rows+e.Cols)))
	const attack = "recover a rank-one edit from real numbers, base known"
	return []Result{
		{Attack: attack, Setting: fmt.Sprintf("%d×%d, %d numbers: the cap (rows+columns)/4", n, n, limit), Outcome: fmt.Sprintf("relative error %.4f", capped), Holds: capped >= enough},
		{Attack: attack, Setting: fmt.Sprintf("the same, %d numbers: the attack works", 4*(e.Rows+e.Cols)), Outcome: fmt.Sprintf("relative error %.1e", free), Holds: free < 1e-5},
	}
}

// SketchRecovery attacks the bits that fingerprints publish of one matrix.
func SketchRecovery(ctx context.Context, rows, cols int, relative float64, steps int) (Result, error) {
	e := NewEdit(1, rows, cols, relative)
	r := Result{Attack: "recover a rank-one edit from a published sketch, base known", Setting: fmt.Sprintf("%d×%d, edit of %g %% of the matrix", rows, cols, 100*relative)}
	units, signs, err := e.Published(ctx)
	if err != nil {
		return r, err
	}
	if len(units) == 0 {
		r.Outcome, r.Holds = "not published: too small", true
		return r, nil
	}
	bits := len(signs[0])
	err1 := e.Error(e.RecoverSigns(units, signs, bits, steps))
	r.Outcome = fmt.Sprintf("relative error %.4f; %d of %d rows are sketched", err1, len(units), rows)
	r.Holds = err1 >= enough
	return r, nil
}

// SketchRecoveryUnbounded shows that the same attack works where all rows are
// sketched with many bits.
func SketchRecoveryUnbounded(bits, steps int) Result {
	e := NewEdit(1, 64, 64, 0.1)
	all := make([]int, e.Rows)
	for i := range all {
		all[i] = i
	}
	found := e.Error(e.RecoverSigns(all, e.Signs(all, bits), bits, steps))
	return Result{Attack: "the same attack", Setting: fmt.Sprintf("64×64, edit of 10 %%, all rows with %d bits: the attack works", bits), Outcome: fmt.Sprintf("relative error %.4f", found), Holds: found < 0.5}
}

// AnswerRecovery attacks a response to a challenge.
func AnswerRecovery(ctx context.Context, rows, cols int, relative float64, opened int) (Result, error) {
	e := NewEdit(1, rows, cols, relative)
	r := Result{Attack: "recover a rank-one edit from a response to a challenge, base known", Setting: fmt.Sprintf("%d×%d, edit of %g %%, %d pairs of this matrix opened", rows, cols, 100*relative, opened)}
	found, err := e.RecoverAnswered(ctx, opened)
	if err != nil {
		return r, err
	}
	err1 := e.Error(found)
	r.Outcome = fmt.Sprintf("relative error %.4f", err1)
	r.Holds, r.Open = err1 >= enough, rows < tall
	return r, nil
}
