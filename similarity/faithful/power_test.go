package faithful_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/internal/quant"
	"github.com/weightprint/weightprint/similarity/faithful"
)

// bits are the places of a block type's bits, by what turning one does: it moves
// the code of one value by a step, it moves the few values of a point, or it
// changes a scale.
type bits struct{ step, point, scale []int }

// bitsOf finds them by turning each bit of a block.
func bitsOf(codec *tensor.Codec, block []byte) (b bits) {
	points := quant.Grids[codec.Name] != nil || quant.TernaryRuns[codec.Name] != nil
	was, now := make([]float32, codec.BlockValues), make([]float32, codec.BlockValues)
	codec.Decode(was, block)
	least := map[int]float32{}
	single := map[int][2]float32{} // by bit: value and how far it moves
	for at := range 8 * len(block) {
		turned := bytes.Clone(block)
		turned[at/8] ^= 1 << (at % 8)
		codec.Decode(now, turned)
		n, last := 0, 0
		for i := range was {
			if was[i] != now[i] {
				n, last = n+1, i
			}
		}
		d := now[last] - was[last]
		switch {
		case n == 0 || d != d:
		case n == 1:
			if d < 0 {
				d = -d
			}
			single[at] = [2]float32{float32(last), d}
			if l, ok := least[last]; !ok || d < l {
				least[last] = d
			}
		case points && n <= 8:
			b.point = append(b.point, at)
		default:
			b.scale = append(b.scale, at)
		}
	}
	for at := range 8 * len(block) {
		if s, ok := single[at]; ok {
			switch {
			case points:
				b.point = append(b.point, at)
			case s[1] == least[int(s[0])]:
				b.step = append(b.step, at)
			}
		}
	}
	return b
}

// attack changes some blocks of rows.
type attack struct {
	name string
	// turn changes a block and tells whether it did.
	turn func(r *rand.Rand, b bits, block []byte) bool
	// move changes the source before it is quantised anew, or is nil.
	move func(r *rand.Rand, x, step []float32)
	// least is the share that must be found, by whether importance is hidden.
	// What was moved to where two choices tie cannot be told from rounding, and
	// searches among points tie often.
	least map[bool]float64
}

var (
	always = map[bool]float64{false: .95}
	mostly = map[bool]float64{false: .6}
)

func turnOne(r *rand.Rand, at []int, block []byte) bool {
	if len(at) == 0 {
		return false
	}
	i := at[r.IntN(len(at))]
	block[i/8] ^= 1 << (i % 8)
	return true
}

var attacks = []attack{
	{name: "one code, one step", turn: func(r *rand.Rand, b bits, block []byte) bool { return turnOne(r, b.step, block) }, least: always},
	{name: "one point or sign", turn: func(r *rand.Rand, b bits, block []byte) bool { return turnOne(r, b.point, block) }, least: always},
	{name: "one bit of a scale", turn: func(r *rand.Rand, b bits, block []byte) bool { return turnOne(r, b.scale, block) }, least: always},
	{name: "0.1 % of the source, half a step", move: func(r *rand.Rand, x, step []float32) {
		for i := range x {
			if r.IntN(1000) == 0 {
				x[i] += step[i] * (r.Float32() - .5)
			}
		}
	}, least: mostly},
}

// trial quantises rows, lets an attack loose on a tenth of the blocks, and counts
// the blocks that it changed and those of them that are named.
func trial(t testing.TB, dt tensor.DType, a attack, importance string, seed uint64, rows, cols int) (changed, found, untouched int) {
	r := rand.New(rand.NewPCG(seed, uint64(dt)))
	x := weights[seed%uint64(len(weights))].make(r, rows, cols)
	var w []float32
	if importance != "none" {
		w = importances(r, cols)
	}
	codec, _ := dt.Codec()
	size := cols / codec.BlockValues * codec.BlockBytes
	honest := make([]byte, rows*size)
	write := quant.Requantisers[dt.String()]
	for i := range rows {
		write(honest[i*size:][:size], x[i*cols:][:cols], w)
	}
	raw, source := bytes.Clone(honest), x
	if a.move != nil {
		step := stepOf(dt, codec, honest, x)
		moved := append([]float32{}, x...)
		a.move(r, moved, step)
		source = moved
		for i := range rows {
			write(raw[i*size:][:size], moved[i*cols:][:cols], w)
		}
	} else {
		b := bitsOf(codec, honest[:codec.BlockBytes])
		for at := 0; at < len(raw); at += codec.BlockBytes {
			if r.IntN(10) == 0 {
				a.turn(r, b, raw[at:][:codec.BlockBytes])
			}
		}
	}
	p := faithful.Pair{Quantised: matrix(t, dt, raw, rows, cols), Source: matrix(t, tensor.F32, floats(x), rows, cols)}
	if importance == "given" {
		p.Importance = w
	}
	out, err := faithful.Judge(t.Context(), p, faithful.Options{Named: 1 << 20})
	require.NoError(t, err)
	named := map[int]bool{}
	for _, d := range out.Deviations {
		named[d.Row*size+d.Block*codec.BlockBytes] = true
	}
	for at := 0; at < len(raw); at += codec.BlockBytes {
		first := at / codec.BlockBytes * codec.BlockValues
		same := slices.Equal(source[first:][:codec.BlockValues], x[first:][:codec.BlockValues])
		switch equal := bytes.Equal(raw[at:at+codec.BlockBytes], honest[at:at+codec.BlockBytes]); {
		case a.move != nil && same: // weights of a row can change other blocks of it by a hair
		case !equal:
			if changed++; named[at] {
				found++
			}
		case named[at]:
			untouched++
		}
	}
	return changed, found, untouched
}

// stepOf is the distance of neighbouring levels at each value, or twice the root
// mean square error where there is none.
func stepOf(dt tensor.DType, codec *tensor.Codec, raw []byte, x []float32) []float32 {
	out := make([]float32, len(x))
	if f := quant.Steps[dt.String()]; f != nil {
		f(out, raw)
		return out
	}
	v := make([]float32, len(x))
	codec.Decode(v, raw)
	for i := range x {
		out[i] = 2 * max(x[i]-v[i], v[i]-x[i])
	}
	return out
}

// What is altered is named, as often as docs/QUALITY.md says; and blocks that
// nobody touched never are.
func TestPower(t *testing.T) {
	rows, seeds := 2, uint64(1)
	if os.Getenv("WEIGHTPRINT_LONG") != "" {
		rows, seeds = 16, 1
	}
	var table strings.Builder
	defer func() { t.Log("\n" + table.String()) }()
	for _, ty := range judged {
		t.Run(ty.t.String(), func(t *testing.T) {
			for _, importance := range []string{"none", "given", "hidden"} {
				if importance == "none" && ty.must || importance != "none" && !ty.may {
					continue
				}
				fmt.Fprintf(&table, "| %v | %s |", ty.t, importance)
				for _, a := range attacks {
					changed, found := 0, 0
					for seed := range seeds {
						c, f, untouched := trial(t, ty.t, a, importance, seed, rows, 2048)
						require.Zero(t, untouched, "%v %s %s: blocks that nobody touched are named", ty.t, importance, a.name)
						changed, found = changed+c, found+f
					}
					if least := a.least[importance == "hidden"]; changed > 0 {
						require.GreaterOrEqual(t, float64(found+1)/float64(changed), least, // one may have ended at a tie
							"%v %s %s", ty.t, importance, a.name)
					}
					cell := " – |"
					if changed > 0 {
						cell = fmt.Sprintf(" %d/%d (%.1f %%) |", found, changed, 100*float64(found)/float64(changed))
					}
					table.WriteString(cell)
				}
				table.WriteString("\n")
			}
		})
	}
}
