package carry

import (
	"context"
	"strconv"

	"github.com/weightprint/weightprint/internal/forward"
	"github.com/weightprint/weightprint/internal/rng"
)

const (
	textLength = 16
	mostTokens = 384
	someTokens = 48  // for networks of 10⁸ parameters and more
	work       = 6e9 // parameters × tokens that a pass may cost before tokens are saved on
	small      = 3e7 // parameters below which texts are written twice
)

// write makes texts in the network's own words. Random tokens come first; every
// token is then replaced by one that the network itself would have next, which no
// token is that it never says. The numbers behind the draws are the same each time,
// so that another turn comes nearer to a text that follows from its own beginning
// (Jacobi's iteration; Santilli et al. 2023). Encoders, which say nothing, are given
// random tokens.
func write(ctx context.Context, m *forward.Model, seed []byte, side string) ([][]int, error) {
	tokens := min(mostTokens, max(someTokens, int(work/float64(max(1, m.Parameters())))))
	texts := make([][]int, tokens/textLength)
	r := rng.New(seed, "first tokens of "+side)
	for i := range texts {
		for range textLength {
			texts[i] = append(texts[i], r.IntN(m.Vocabulary()))
		}
	}
	if m.Encoder() || !m.Scores() {
		return texts, nil
	}
	turns := 1
	if float64(m.Parameters()) < small {
		turns = 2
	}
	for turn := range turns {
		next, err := continued(ctx, m, texts, seed, side)
		if err != nil {
			return nil, err
		}
		for i, text := range texts {
			own := next[i*textLength : (i+1)*textLength]
			if turn == turns-1 {
				copy(text, own)
			} else {
				copy(text[1:], own)
			}
		}
	}
	return texts, nil
}

// continued draws what follows each token of the texts.
func continued(ctx context.Context, m *forward.Model, texts [][]int, seed []byte, side string) ([]int, error) {
	p, err := m.Run(ctx, texts, []forward.Variant{nil}, nil)
	if err != nil {
		return nil, err
	}
	next, err := p.Sample(ctx, func(token int) func() float64 {
		r := rng.New(seed, "words of "+side+" "+strconv.Itoa(token))
		return func() float64 { return float64(r.Uint64()>>11) / (1 << 53) }
	})
	for i, t := range next {
		next[i] = min(t, m.Vocabulary()-1) // a head may have more rows than the embedding
	}
	return next, err
}
