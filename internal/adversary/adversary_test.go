package adversary

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/formats"
	"github.com/weightprint/weightprint/internal/zoo"
)

var small = []Build{
	{Layers: 3, Hidden: 24, Width: 40, Heads: 4, KV: 2, Dim: 8, Vocab: 48},
	{Layers: 2, Hidden: 16, Width: 32, Heads: 2, KV: 2, Dim: 8, Vocab: 32, Tied: true},
}

// brief is a training that tests can wait for.
var brief = Schooling{Steps: 40, Batch: 4, Long: 12, Rate: 8e-3}

// pairOf trains two small strangers with gains that are not one.
func pairOf(b Build, seed uint64) (own, victim *Decoder) {
	var out [2]*Decoder
	for i := range out {
		r := rand.New(rand.NewPCG(seed, uint64(i)))
		out[i] = New(r, b)
		for _, g := range []*[]float64{&out[i].Gain, &out[i].Blocks[0].In, &out[i].Blocks[1].Mid} {
			for k := range *g {
				(*g)[k] = math.Exp(0.3 * r.NormFloat64())
			}
		}
		out[i].Train(r, NewCorpus(r, b.Vocab), brief)
	}
	return out[0], out[1]
}

// changed tells whether anything is stored otherwise.
func changed(before, after *Decoder) bool {
	x, y := before.slices(), after.slices()
	if len(x) != len(y) {
		return true
	}
	for i := range x {
		if len(x[i]) != len(y[i]) || dotGap(x[i], y[i]) > 0 {
			return true
		}
	}
	return false
}

func dotGap(x, y []float64) (sum float64) {
	for i, v := range x {
		sum += math.Abs(v - y[i])
	}
	return sum
}

func TestArrangementsAndPlantsKeepTheFunction(t *testing.T) {
	for i, b := range small {
		own, victim := pairOf(b, uint64(i))
		require.Greater(t, Gap(own, victim), 0.3, "strangers differ")
		for _, a := range slices.Concat(Arrangements, Plants, Tongues) {
			made := a.Apply(rand.New(rand.NewPCG(3, 3)), own.Clone(), victim.Clone()).rounded()
			require.True(t, changed(own, made), a.Name)
			require.Less(t, Gap(own, made), a.Off, a.Name)
			again := a.Apply(rand.New(rand.NewPCG(3, 3)), own.Clone(), victim.Clone()).rounded()
			require.Equal(t, made.slices(), again.slices(), a.Name)
		}
	}
}

func TestForgeriesKeepTheFunction(t *testing.T) {
	for i, b := range small {
		_, victim := pairOf(b, uint64(10+i))
		for _, f := range Forgeries {
			r := rand.New(rand.NewPCG(4, 4))
			published := victim.Clone()
			if f.Publish != nil {
				published = f.Publish(r, published)
			}
			made := f.Apply(r, published.Clone()).rounded()
			if f.Name != "gains folded" || !b.Tied {
				require.True(t, changed(published, made), f.Name)
			}
			require.Less(t, Gap(published, made), f.Off, f.Name)
		}
	}
}

func TestEvasionsKeepTheFunction(t *testing.T) {
	for i, b := range small {
		_, victim := pairOf(b, uint64(20+i))
		for _, e := range Evasions {
			made := e.Apply(rand.New(rand.NewPCG(5, 5)), victim.Clone()).rounded()
			require.True(t, changed(victim, made), e.Name)
			if e.Off > 0 {
				require.Less(t, Gap(victim, made), e.Off, e.Name)
			}
		}
	}
}

// Arrangements reach what they aim at: more than strangers have as they are.
func TestArrangementsReachWhatTheyAimAt(t *testing.T) {
	own, victim := pairOf(Build{Layers: 3, Hidden: 32, Width: 64, Heads: 4, KV: 2, Dim: 8, Vocab: 96}, 30)
	before := Measure(victim, own)
	require.Less(t, before.Agreement, 0.02)
	require.Less(t, math.Abs(before.Cosine), 0.03)
	reach := func(name string) Likeness {
		for _, a := range Arrangements {
			if a.Name == name {
				return Measure(victim, a.Apply(rand.New(rand.NewPCG(3, 3)), own, victim).rounded())
			}
		}
		t.Fatal(name)
		return Likeness{}
	}
	require.Greater(t, reach("residual stream rotated (all matrices), all paired, gains copied").Cosine, 0.15)
	aim := reach("rotation aimed at chosen pairs of all layers, shuffled, gains copied").Agreement
	require.Greater(t, aim, 0.05)
	require.GreaterOrEqual(t, reach("optimiser of raw agreement: aimed, climbed, shuffled, gains copied").Agreement, aim)
	require.Greater(t, reach("optimiser of agreement on tokens: strings moved").Anchored, before.Anchored)
	require.Greater(t, reach("optimiser of token products: strings moved").Gram, before.Gram+0.1)
	require.Greater(t, reach("optimiser of agreement on tokens: strings on idle rows").Anchored, 0.05)
	both := reach("optimiser of token products and agreement: strings on idle rows, rotated")
	require.Greater(t, both.Anchored, 0.02)
	require.Greater(t, both.Gram, 0.999)
	require.Greater(t, reach("optimiser of head sizes: heads ordered by what no move alters").Heads, before.Heads-1e-9)
}

// Gradients are those of finite differences, with and without a teacher.
func TestGradients(t *testing.T) {
	b := Build{Layers: 2, Hidden: 8, Width: 12, Heads: 2, KV: 1, Dim: 4, Vocab: 10}
	for _, tied := range []bool{false, true} {
		b.Tied = tied
		r := rand.New(rand.NewPCG(6, 6))
		d, c := New(r, b), NewCorpus(r, b.Vocab)
		texts := [][]int{c.Text(r, 6), c.Text(r, 6)}
		_, g := d.lesson(texts, Schooling{})
		for i, v := range d.slices() {
			k := r.IntN(len(v))
			const h = 1e-5
			was := v[k]
			v[k] = was + h
			up, _ := d.lesson(texts, Schooling{})
			v[k] = was - h
			down, _ := d.lesson(texts, Schooling{})
			v[k] = was
			require.InDelta(t, (up-down)/(2*h), g.slices()[i][k], 1e-6, "tensor %d entry %d", i, k)
		}
	}
}

// A student of outputs comes near them.
func TestMaster(t *testing.T) {
	b := Build{Layers: 2, Hidden: 12, Width: 16, Heads: 2, KV: 1, Dim: 4, Vocab: 16}
	r := rand.New(rand.NewPCG(9, 9))
	c := NewCorpus(r, b.Vocab)
	master, student := New(r, b), New(r, b)
	master.Train(r, c, Schooling{Steps: 60, Batch: 4, Long: 12, Rate: 2e-2})
	before := Gap(master, student)
	student.Train(r, c, Schooling{Steps: 60, Batch: 4, Long: 12, Rate: 2e-2, Master: master})
	require.Less(t, Gap(master, student), 0.7*before)
}

func TestTrainingLearns(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 7))
	b := small[0]
	c := NewCorpus(r, b.Vocab)
	d := New(r, b)
	early := d.Train(r, c, Schooling{Steps: 10, Batch: 4, Long: 16, Rate: 0})
	late := d.Train(r, c, Schooling{Steps: 100, Batch: 4, Long: 16, Rate: 8e-3})
	require.Less(t, late, early-0.4)
	student := New(r, b)
	gap := func() float64 {
		x, y := d.run([][]int{{1, 2, 3, 4}}).stream[b.Layers], student.run([][]int{{1, 2, 3, 4}}).stream[b.Layers]
		return length(x.Clone().plus(y, -1).V) / length(x.V)
	}
	was := gap()
	student.Train(r, c, Schooling{Steps: 100, Batch: 4, Long: 16, Rate: 8e-3, Teacher: d})
	require.Less(t, gap(), 0.7*was)
}

// A network goes to a checkpoint and back.
func TestLoad(t *testing.T) {
	own, _ := pairOf(small[0], 40)
	back, err := Load(context.Background(), own.Model(), own.Tokens)
	require.NoError(t, err)
	require.Equal(t, own.rounded().slices(), back.slices())
	require.Zero(t, Gap(own.rounded(), back))

	m := own.Model()
	m.Add("model.layers.0.self_attn.q_proj.bias", []float32{1}, 1)
	_, err = Load(context.Background(), m, nil)
	require.ErrorContains(t, err, "q_proj.bias")
	_, err = Load(context.Background(), zoo.New(), nil)
	require.Error(t, err)
}

// The Hungarian method finds the best of all orders.
func TestAssign(t *testing.T) {
	r := rand.New(rand.NewPCG(8, 8))
	for range 50 {
		n := 1 + r.IntN(6)
		m := n + r.IntN(3)
		score := gaussian(r, n, m, 1)
		got := 0.0
		for i, j := range assign(score) {
			got += score.V[i*m+j]
		}
		require.InDelta(t, bestSum(score, 0, make([]bool, m)), got, 1e-9)
	}
}

func bestSum(score *Matrix, i int, used []bool) float64 {
	if i == score.R {
		return 0
	}
	best := math.Inf(-1)
	for j := range used {
		if !used[j] {
			used[j] = true
			best = math.Max(best, score.V[i*score.C+j]+bestSum(score, i+1, used))
			used[j] = false
		}
	}
	return best
}

// What is written is read again.
func TestWrite(t *testing.T) {
	own, _ := pairOf(small[1], 50)
	dir := t.TempDir()
	require.NoError(t, own.Write(dir))
	c, err := formats.Open(context.Background(), dir, nil)
	require.NoError(t, err)
	defer c.Close()
	tokens, err := c.Vocabulary(context.Background())
	require.NoError(t, err)
	require.Equal(t, own.Tokens, tokens)
	back, err := Load(context.Background(), c, tokens)
	require.NoError(t, err)
	require.Equal(t, own.rounded().slices(), back.slices())
	require.Equal(t, own.config(), back.config())
}

// Networks share what their list says, and nothing else.
func TestShared(t *testing.T) {
	defer func(s Schooling) { School = s }(School)
	School = brief
	b := Build{Layers: 2, Hidden: 12, Width: 24, Heads: 2, KV: 1, Dim: 4, Vocab: 24}
	check := map[string]func(x, y *Decoder){
		"one public mask, trained under it": func(x, y *Decoder) { requireSameZeros(t, x, y) },
		"one public mask, pruned by it":     func(x, y *Decoder) { requireSameZeros(t, x, y) },
		"one public adapter on both": func(x, y *Decoder) {
			require.Greater(t, math.Abs(correlation(x.Blocks[0].Gate.V, y.Blocks[0].Gate.V)), 0.001)
		},
		"one seed, one corpus, another order": func(x, y *Decoder) { require.Greater(t, Measure(x, y).Cosine, 0.3) },
	}
	for _, s := range Shared {
		r := rand.New(rand.NewPCG(60, 60))
		x, y := s.Make(r, b, NewCorpus(r, b.Vocab))
		require.Greater(t, Gap(x, y), 0.05, s.Name)
		if f := check[s.Name]; f != nil {
			f(x, y)
		}
	}
	zero := NewMatrix(8, 4)
	zerO("model.layers.0.mlp.up_proj.weight", zero)
	require.InDelta(t, 1, length(zero.transposed().Row(0))/math.Sqrt(2), 1e-9, "columns of a Hadamard matrix")
	require.InDelta(t, 0, dot(zero.transposed().Row(1), zero.transposed().Row(2)), 1e-9)
}

func requireSameZeros(t *testing.T, x, y *Decoder) {
	n := 0
	for i, v := range x.Blocks[1].Gate.V {
		require.Equal(t, v == 0, y.Blocks[1].Gate.V[i] == 0)
		if v == 0 {
			n++
		}
	}
	require.InDelta(t, 0.7, float64(n)/float64(len(x.Blocks[1].Gate.V)), 0.1)
}
