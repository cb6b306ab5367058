package quant

// Point is a run of values of a block of a grid type that are chosen together.
type Point struct {
	Start, N int
	Scale    float32 // of the levels
	Index    int
	Signs    byte // bit i: value Start+i is negative
	Group    int  // number of the run of eight values whose signs are stored together
}

// Grid is what the points of a type can be.
type Grid struct {
	Levels []float32 // that a value can have, before scale and sign
	Parity bool      // signs come in even numbers
	rule   *gridRule
	points []float32
}

// Value is level number i of a point.
func (g *Grid) Value(index, i int) float32 { return g.points[index*g.rule.group+i] }

// Len is the number of values of a point.
func (g *Grid) Len() int { return g.rule.group }

// Near lists the points that the search may choose for values that round to the
// given levels: the one there, or those of the nearest shells.
func (g *Grid) Near(levels []int) (on bool, points []uint16) {
	p := g.rule.points()
	u := 0
	for i, l := range levels {
		u |= l << (p.bits * i)
	}
	if at := p.place[u]; at >= 0 {
		return true, []uint16{uint16(at)}
	}
	return false, p.neighbours[u]
}

// Grids holds the grid types by name.
var Grids = map[string]*Grid{
	"IQ2_XXS": {[]float32{8, 25, 43}, true, gridRules["IQ2_XXS"], gridIQ2XXS},
	"IQ2_XS":  {[]float32{8, 25, 43}, true, gridRules["IQ2_XS"], gridIQ2XS},
	"IQ2_S":   {[]float32{8, 25, 43}, false, gridRules["IQ2_S"], gridIQ2S},
	"IQ3_XXS": {[]float32{4, 12, 20, 28, 36, 44, 52, 62}, true, gridRules["IQ3_XXS"], gridIQ3XXS},
	"IQ3_S":   {[]float32{1, 3, 5, 7, 9, 11, 13, 15}, false, gridRules["IQ3_S"], gridIQ3S},
}

// Points gives the points of one block of a grid type, in order.
var Points = map[string]func(b []byte) []Point{
	"IQ2_XXS": pointsIQ2XXS, "IQ2_XS": pointsIQ2XS, "IQ2_S": pointsIQ2S, "IQ3_XXS": pointsIQ3XXS, "IQ3_S": pointsIQ3S,
}

// eights lists points of eight values, numbered k.
func eights(each func(k int) (scale float32, index int, sign byte)) []Point {
	out := make([]Point, 32)
	for k := range out {
		scale, index, sign := each(k)
		out[k] = Point{8 * k, 8, scale, index, sign, k}
	}
	return out
}

// fours lists points of four values, numbered k.
func fours(each func(k int) (scale float32, index int, sign byte)) []Point {
	out := make([]Point, 64)
	for k := range out {
		scale, index, sign := each(k)
		out[k] = Point{4 * k, 4, scale, index, sign >> (4 * (k % 2)) & 15, k / 2}
	}
	return out
}

func pointsIQ2XXS(b []byte) []Point {
	d := half(b)
	return eights(func(k int) (float32, int, byte) {
		q := b[2+8*(k/4):]
		aux := u32(q[4:])
		return d * (0.5 + float32(aux>>28)) * 0.25, int(q[k%4]), signs[aux>>(7*(k%4))&127]
	})
}

func pointsIQ2XS(b []byte) []Point {
	d := half(b)
	return eights(func(k int) (float32, int, byte) {
		q := u16(b[2+2*k:])
		return d * (0.5 + float32(b[66+k/4]>>(4*(k/2%2))&15)) * 0.25, int(q & 511), signs[q>>9]
	})
}

func pointsIQ2S(b []byte) []Point {
	d := half(b)
	return eights(func(k int) (float32, int, byte) {
		index := int(b[2+k]) | int(b[66+k/4])<<(8-2*(k%4))&0x300
		return d * (0.5 + float32(b[74+k/4]>>(4*(k/2%2))&15)) * 0.25, index, b[34+k]
	})
}

func pointsIQ3XXS(b []byte) []Point {
	d := half(b)
	return fours(func(k int) (float32, int, byte) {
		aux := u32(b[66+4*(k/8):])
		return d * (0.5 + float32(aux>>28)) * 0.5, int(b[2+k]), signs[aux>>(7*(k/2%4))&127]
	})
}

func pointsIQ3S(b []byte) []Point {
	d := half(b)
	return fours(func(k int) (float32, int, byte) {
		ib := k / 8
		index := int(b[2+k]) | int(b[66+ib])>>(k%8)&1<<8
		return d * float32(1+2*int(b[106+ib/2]>>(4*(ib%2))&15)), index, b[74+k/2]
	})
}
