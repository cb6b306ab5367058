package packed

import (
	"context"
	"encoding/binary"
	"fmt"
	"math/bits"
	"strings"
	"sync"

	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/internal/escape"
)

const vptqEndings = ".indices .centroids.weight .res_centroids.weight .outlier_indices .outlier_centroids.weight .perm .weight_scale .weight_bias"

// maxVPTQ bounds a matrix's inputs: all indices of a row of vectors are unpacked at once.
const maxVPTQ = 1 << 20

// vptq is VPTQ's matrix. A vector runs along the outputs; it is an entry of the codebook of
// its group of inputs, perhaps with an entry of a second one added. The first inputs may have
// vectors and a codebook of their own. Then inputs are put in their places, scaled and shifted.
// Source: dequant of the package vptq.
type vptq struct {
	shelf      *shelf
	main, rest entries // rest is the residual's, whose codes stand among those of main
	outlier    entries
	groups     int64 // of inputs
	perGroup   int64
	outliers   int64      // inputs that are
	packed     bool       // codes are bits of 32-bit words
	perm       *placement // nil: in order
	scale      *table     // of inputs, nil: none
	bias       *table
}

// entries is codes and the table that they are entries of.
type entries struct {
	codes, book part
	count       int64 // entries of the table
	length      int64 // numbers of each
	bits        int   // of a code
}

func isVPTQ(m *module) bool { return m.has(".indices") && m.has(".centroids.weight") }

// vptqShape is what the configuration says of a matrix.
type vptqShape struct {
	rows, cols, groups, perGroup, outliers int64
	length, centroids, residuals           [2]int64 // outliers', all others'
	packed                                 bool
}

// vptqShape reads the configuration of the module, or of all modules that end like it.
func (m *module) vptqShape() (s vptqShape) {
	tail := m.stem[strings.LastIndexByte(m.stem, '.')+1:]
	key := func(field string) []string {
		return []string{"config_for_layers." + m.stem + "." + field, "shared_layer_config." + tail + "." + field}
	}
	for _, f := range []struct {
		name string
		to   *int64
	}{{"out_features", &s.rows}, {"in_features", &s.cols}, {"group_num", &s.groups}, {"group_size", &s.perGroup}} {
		n, ok := m.cfg.number(key(f.name)...)
		m.require(ok && n > 0 && n < 1<<30, ".indices", "the configuration gives no %s for the matrix", f.name)
		*f.to = max(1, n)
	}
	s.outliers, _ = m.cfg.number(key("outlier_size")...)
	for field, to := range map[string]*[2]int64{"vector_lens": &s.length, "num_centroids": &s.centroids, "num_res_centroids": &s.residuals} {
		for _, k := range key(field) {
			if two, ok := m.cfg.two(k); ok {
				*to = two
				break
			}
		}
	}
	for _, k := range key("is_indice_packed") {
		if on, ok := m.cfg.flag(k); ok {
			s.packed = on
			break
		}
	}
	m.require(s.groups <= maxVPTQ && s.perGroup <= maxVPTQ, ".indices", "%d groups of %d inputs", s.groups, s.perGroup)
	m.require(s.length[1] > 0 && s.length[1] <= 1<<10 && s.centroids[1] > 1 && s.centroids[1] <= 1<<16, ".indices", "the configuration gives no lengths of vectors (%v) and numbers of centroids (%v)", s.length, s.centroids)
	m.require(s.residuals[1] <= 1<<16 && s.length[0] <= 1<<10 && s.centroids[0] <= 1<<16 && s.outliers >= 0, ".indices", "vectors %v, centroids %v, %v of residuals, %d outliers", s.length, s.centroids, s.residuals, s.outliers)
	m.require(s.cols <= maxVPTQ && s.outliers <= s.cols && s.cols-s.outliers == s.groups*s.perGroup, ".indices", "%d inputs of which %d are outliers, but %d groups of %d", s.cols, s.outliers, s.groups, s.perGroup)
	return s
}

// openVPTQ reads VPTQ.
func openVPTQ(m *module) *tensor.Tensor {
	s := m.vptqShape()
	if m.err != nil {
		return nil
	}
	x := &vptq{shelf: &m.out.shelf, groups: s.groups, perGroup: s.perGroup, outliers: s.outliers, packed: s.packed}
	x.main = m.centroids(".centroids.weight", s.groups, s.centroids[1], s.length[1])
	what := fmt.Sprintf("VPTQ, vectors of %d, %d centroids", s.length[1], s.centroids[1])
	if s.residuals[1] > 0 {
		x.rest = m.centroids(".res_centroids.weight", s.groups, s.residuals[1], s.length[1])
		what += fmt.Sprintf(" and %d of the residual", s.residuals[1])
	}
	high := (s.rows + s.length[1] - 1) / s.length[1]
	switch {
	case s.packed:
		x.main.codes = m.part(".indices", 3, tensor.I32)
		m.shape(x.main.codes, ".indices", s.groups, high, (s.perGroup*int64(x.main.bits+x.rest.bits)+31)/32)
	default:
		x.main.codes = m.indices(".indices", s.groups, high, s.perGroup)
		m.require(x.rest.count == 0, ".indices", "codes of a residual that are not packed")
	}
	if s.outliers > 0 {
		m.require(s.length[0] > 0 && s.centroids[0] > 1 && s.residuals[0] <= 0, ".outlier_indices", "outliers of vectors of %d, %d centroids, %d of residuals", s.length[0], s.centroids[0], s.residuals[0])
		x.outlier = m.centroids(".outlier_centroids.weight", 1, s.centroids[0], s.length[0])
		x.outlier.codes = m.indices(".outlier_indices", 1, (s.rows+max(1, s.length[0])-1)/max(1, s.length[0]), s.outliers)
		what += fmt.Sprintf(", %d outliers", s.outliers)
	}
	x.finishing(m, s.cols)
	return m.coded(&coded{what: what, rows: s.rows, cols: s.cols, band: s.length[1], bands: x})
}

// finishing fetches what is done to the inputs after decoding.
func (x *vptq) finishing(m *module, cols int64) {
	if m.has(".perm") {
		p := m.part(".perm", 1, tensor.I16, tensor.U16)
		m.shape(p, ".perm", cols)
		x.perm = &placement{of: p}
	}
	if m.has(".weight_scale") || m.has(".weight_bias") {
		s, b := m.part(".weight_scale", 1, scaleTypes...), m.part(".weight_bias", 1, scaleTypes...)
		m.shape(s, ".weight_scale", cols)
		m.shape(b, ".weight_bias", cols)
		x.scale, x.bias = &table{t: s, groups: cols, blockRows: 1}, &table{t: b, groups: cols, blockRows: 1}
	}
}

// centroids fetches a codebook of a table for each group.
func (m *module) centroids(ending string, groups, count, length int64) entries {
	p := m.codebook(ending, 2)
	m.shape(p, ending, groups, count*length)
	return entries{book: p, count: count, length: length, bits: bits.Len64(uint64(max(1, count) - 1))}
}

// indices fetches codes of 16 bits, which some writers call floats.
func (m *module) indices(ending string, shape ...int64) part {
	p := m.part(ending, 3, tensor.I16, tensor.U16, tensor.F16)
	m.shape(p, ending, shape...)
	return p
}

func (x *vptq) decode(ctx context.Context, dst []float32, b box) error {
	at, err := x.perm.sources(ctx, b.c0, b.c1)
	if err != nil {
		return err
	}
	main, rest, err := x.row(ctx, b.r/x.main.length)
	if err != nil {
		return err
	}
	w := b.c1 - b.c0
	for i := range b.n {
		line := dst[i*w : (i+1)*w]
		if err := x.fill(ctx, line, at, main, rest, b.r+i); err != nil {
			return err
		}
		if err := x.finish(ctx, line, box{0, 1, b.c0, b.c1}); err != nil {
			return err
		}
	}
	return nil
}

// fill writes the entries of one output for the inputs at.
func (x *vptq) fill(ctx context.Context, dst []float32, at []int32, main, rest []uint16, r int64) error {
	book, err := x.shelf.read(ctx, x.main.book)
	if err != nil {
		return err
	}
	var second, own []float32
	var outliers []uint16
	if rest != nil {
		if second, err = x.shelf.read(ctx, x.rest.book); err != nil {
			return err
		}
	}
	if x.outliers > 0 {
		if own, err = x.shelf.read(ctx, x.outlier.book); err != nil {
			return err
		}
		if outliers, err = x.plain(x.outlier, r/x.outlier.length, 0, x.outliers); err != nil {
			return err
		}
	}
	for k, a := range at {
		if int64(a) < x.outliers {
			dst[k] = own[int64(outliers[a])*x.outlier.length+r%x.outlier.length]
			continue
		}
		a -= int32(x.outliers)
		g := int64(a) / x.perGroup
		v := book[(g*x.main.count+int64(main[a]))*x.main.length+r%x.main.length]
		if rest != nil {
			v += second[(g*x.rest.count+int64(rest[a]))*x.main.length+r%x.main.length]
		}
		dst[k] = v
	}
	return nil
}

// finish scales and shifts the inputs.
func (x *vptq) finish(ctx context.Context, dst []float32, b box) error {
	if x.scale == nil {
		return nil
	}
	numbers := make([]float32, 2*len(dst))
	scale, bias := numbers[:len(dst)], numbers[len(dst):]
	if err := x.scale.load(ctx, scale, b, b.c0, b.c1); err != nil {
		return err
	}
	if err := x.bias.load(ctx, bias, b, b.c0, b.c1); err != nil {
		return err
	}
	for i, v := range dst {
		dst[i] = float32(v*scale[i]) + bias[i]
	}
	return nil
}

// row unpacks the codes of a row of vectors for all inputs that are no outliers; rest is
// nil if there is no residual.
func (x *vptq) row(ctx context.Context, k int64) (main, rest []uint16, err error) {
	for g := range x.groups {
		if err := ctx.Err(); err != nil {
			return nil, nil, err
		}
		var a, b []uint16
		if x.packed {
			a, b, err = x.words(g, k)
		} else {
			a, err = x.plain(x.main, k, g, x.perGroup)
		}
		if err != nil {
			return nil, nil, err
		}
		main, rest = append(main, a...), append(rest, b...)
	}
	return main, rest, nil
}

// words unpacks a line of codes that lie one behind the other in 32-bit words, the bits of
// the residual's above those of the other.
func (x *vptq) words(g, k int64) (main, rest []uint16, err error) {
	codes := x.main.codes
	n := 4 * codes.Shape[2]
	raw := make([]byte, n+8)
	at := (g*codes.Shape[1] + k) * n
	if err := codes.s.ReadRaw(raw[:n], at); err != nil {
		return nil, nil, err
	}
	width := x.main.bits + x.rest.bits
	for i := range int(x.perGroup) {
		v := binary.LittleEndian.Uint64(raw[i*width/8:]) >> (i * width % 8)
		a, b := v&(1<<x.main.bits-1), v>>x.main.bits&(1<<x.rest.bits-1)
		if int64(a) >= x.main.count || x.rest.count > 0 && int64(b) >= x.rest.count {
			return nil, nil, x.foreign(codes, at+int64(i*width/8), max(a, b))
		}
		main = append(main, uint16(a))
		if x.rest.count > 0 {
			rest = append(rest, uint16(b))
		}
	}
	return main, rest, nil
}

// plain reads n codes of 16 bits.
func (x *vptq) plain(e entries, k, g, n int64) ([]uint16, error) {
	at := 2 * (g*e.codes.Shape[1] + k) * n
	raw, out := make([]byte, 2*n), make([]uint16, n)
	if err := e.codes.s.ReadRaw(raw, at); err != nil {
		return nil, err
	}
	for i := range out {
		if out[i] = binary.LittleEndian.Uint16(raw[2*i:]); int64(out[i]) >= e.count {
			return nil, x.foreign(e.codes, at+2*int64(i), uint64(out[i]))
		}
	}
	return out, nil
}

func (x *vptq) foreign(p part, at int64, code uint64) error {
	return tensor.Errorf(tensor.ErrFormat, p.s.File, p.s.Offset+at, "tensor "+escape.Printable(p.Name), "code %d is none of the centroids", code)
}

// placement says which decoded input stands at each place. It is read when first needed.
type placement struct {
	of part

	mu   sync.Mutex
	from []int32
}

// sources are the decoded inputs of places [c0, c1); a nil placement keeps the order.
func (p *placement) sources(ctx context.Context, c0, c1 int64) ([]int32, error) {
	if p == nil {
		out := make([]int32, c1-c0)
		for i := range out {
			out[i] = int32(c0) + int32(i)
		}
		return out, nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.from == nil {
		if err := p.read(ctx); err != nil {
			return nil, err
		}
	}
	return p.from[c0:c1], nil
}

// read requires each place once.
func (p *placement) read(ctx context.Context) error {
	raw := make([]byte, 2*p.of.Len())
	if err := p.of.s.ReadRaw(raw, 0); err != nil {
		return err
	}
	from := make([]int32, p.of.Len())
	for i := range from {
		from[i] = -1
	}
	for i := range from {
		to := int(binary.LittleEndian.Uint16(raw[2*i:]))
		if to >= len(from) || from[to] >= 0 {
			s := p.of.s
			return tensor.Errorf(tensor.ErrFormat, s.File, s.Offset+2*int64(i), "tensor "+escape.Printable(p.of.Name), "input %d goes to place %d, which does not exist or is taken", i, to)
		}
		from[to] = int32(i)
	}
	p.from = from
	return ctx.Err()
}
