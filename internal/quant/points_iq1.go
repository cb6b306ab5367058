package quant

// TernaryRun is a run of values of a block of IQ1_S or IQ1_M that share a scale.
type TernaryRun struct {
	Start int
	Scale float32 // of the levels
	Index []int   // of the point of each eight values
}

// TernaryRuns gives the runs of one block, in order.
var TernaryRuns = map[string]func(b []byte) []TernaryRun{"IQ1_S": runsIQ1S, "IQ1_M": runsIQ1M}

// TernaryNear lists the points that the search may choose for eight levels: the one
// there, or those of the nearest shells.
func TernaryNear(levels []int) []uint16 {
	p, u := pointsIQ1(), 0
	for i, l := range levels {
		u |= l << (2 * i)
	}
	if at := p.place[u]; at >= 0 {
		return []uint16{uint16(at)}
	}
	return p.neighbours[u]
}

func runsIQ1S(b []byte) []TernaryRun {
	d, out := half(b), make([]TernaryRun, 8)
	for ib := range out {
		h := int(u16(b[34+2*ib:]))
		r := TernaryRun{Start: 32 * ib, Scale: d * float32(2*(h>>12&7)+1), Index: make([]int, 4)}
		for k := range 4 {
			r.Index[k] = int(b[2+4*ib+k]) | h>>(3*k)&7<<8
		}
		out[ib] = r
	}
	return out
}

func runsIQ1M(b []byte) []TernaryRun {
	sc := u64(b[48:])
	d := fromHalf(uint16(sc>>12&15 | sc>>24&0xf0 | sc>>36&0xf00 | sc>>48&0xf000))
	out := make([]TernaryRun, 16)
	for j, h := range b[32:48] {
		r := TernaryRun{Start: 16 * j, Scale: d * float32(2*int(sc>>(16*(j/4)+3*(j%4))&7)+1), Index: make([]int, 2)}
		for k := range 2 {
			r.Index[k] = int(b[2*j+k]) | int(h)>>(4*k)&7<<8
		}
		out[j] = r
	}
	return out
}
