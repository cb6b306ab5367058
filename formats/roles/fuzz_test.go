package roles_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/weightprint/weightprint/formats/roles"
	"github.com/weightprint/weightprint/formats/tensor"
)

// header is a model of names and shapes, without values.
type header struct {
	meta    tensor.Metadata
	tensors []*tensor.Tensor
}

func (h *header) Tensors() []*tensor.Tensor            { return h.tensors }
func (h *header) Tensor(string) (*tensor.Tensor, bool) { return nil, false }
func (h *header) Metadata() tensor.Metadata            { return h.meta }

// zeros are values that are all zero; asking for what lies outside is an error.
type zeros int64

func (z zeros) ReadValues(_ context.Context, dst []float32, first int64) error {
	if first < 0 || first+int64(len(dst)) > int64(z) {
		return fmt.Errorf("values [%d, %d) of %d", first, first+int64(len(dst)), z)
	}
	clear(dst)
	return nil
}
func (z zeros) StoredBytes() int64 { return 4 * int64(z) }

// parse reads a model from lines: "name axis axis …", or "key=number" and
// "key=text" for metadata.
func parse(text string) *header {
	h := &header{meta: tensor.Metadata{}}
	for _, line := range strings.Split(text, "\n") {
		if key, value, ok := strings.Cut(line, "="); ok {
			var n int64
			if _, err := fmt.Sscanf(value, "%d", &n); err == nil {
				h.meta[key] = n
			} else {
				h.meta[key] = value
			}
			continue
		}
		words := strings.Fields(line)
		if len(words) == 0 || len(h.tensors) > 1000 {
			continue
		}
		t := &tensor.Tensor{Name: words[0], DType: tensor.F32}
		for _, w := range words[1:] {
			var d int64
			if _, err := fmt.Sscanf(w, "%d", &d); err == nil && d >= 0 && len(t.Shape) < 8 {
				t.Shape = append(t.Shape, d)
			}
		}
		n, ok := tensor.Elements(t.Shape)
		if !ok {
			continue
		}
		t.Data = zeros(n)
		h.tensors = append(h.tensors, t)
	}
	return h
}

// FuzzMap maps any names and shapes, and reads them by shape: no panic, one role a tensor, and views
// that stay inside their tensors.
func FuzzMap(f *testing.F) {
	for _, s := range samples(f) {
		var b strings.Builder
		for k, v := range s.Meta {
			fmt.Fprintf(&b, "%s=%v\n", k, v)
		}
		for _, n := range s.Tensors {
			fmt.Fprintln(&b, n, strings.Trim(fmt.Sprint(s.Shapes[n]), "[]"))
		}
		f.Add(b.String())
	}
	for _, hostile := range []string{
		"a 64 32\nb 64 32\nc 32 64\nd 64 32\ne 64 32\nf 32 64\ng 32\nh 32\ni 100 32\nj 100 32",
		"config.num_attention_heads=1048576\nconfig.head_dim=1048576\nconfig.num_key_value_heads=1048576\nmodel.layers.0.self_attn.qkv_proj.weight 4611686018427387904 0",
		"blk.0.ffn_up_exps.weight 4611686018427387904 0 0\nblk.999999.ffn_up_exps.weight 9 0 3\nblk.0.attn_k_b.weight 1 0 1\nblk.0.attn_kv_a_mqa.weight 3 3",
		"a.0.self_attn.q_proj.weight\na.0.self_attn.k_proj.weight 0\na.0.mlp.down_proj.weight 1\na.0.mlp.up_proj.weight 0 0 0",
	} {
		f.Add(hostile)
	}
	f.Fuzz(func(t *testing.T, text string) {
		h := parse(text)
		nets := append(roles.ByShape(h), roles.Map(h))
		if s := roles.ScatteredOf(h); s != nil {
			nets = append(nets, s.Networks(inOrder(s))...)
		}
		for _, net := range nets {
			sound(t, h, net)
		}
	})
}

// inOrder puts the matrices of each kind into layers as they are stored.
func inOrder(s *roles.Scattered) (out []roles.Gathered) {
	for i := range min(len(s.Writes), len(s.Reads)/2) {
		l := roles.Gathered{Gate: 2 * i, Up: 2*i + 1, Down: i, Norm: -1}
		if i < len(s.Norms) {
			l.Norm = i
		}
		out = append(out, l)
	}
	return out
}

// sound requires one role a tensor, and views inside their tensors.
func sound(t *testing.T, h *header, net *roles.Network) {
	if len(net.Roles) != len(h.tensors) {
		t.Fatalf("%d roles for %d tensors", len(net.Roles), len(h.tensors))
	}
	net.Exchangeable()
	net.AllVectors()
	for _, m := range net.Matrices() {
		if m.Rows < 0 || m.Cols < 0 {
			t.Fatalf("%s: %d×%d", m.Role, m.Rows, m.Cols)
		}
		if m.Rows == 0 || m.Cols == 0 || m.Cols > 1<<12 || m.Transposed() && m.Tensor.Len() > 1<<16 {
			continue
		}
		if err := m.Gather(t.Context(), make([]float32, 2*m.Cols), []int{0, m.Rows - 1}); err != nil {
			t.Fatalf("%s of %s %v: %v", m.Role, m.Tensor.Name, m.Tensor.Shape, err)
		}
	}
}
