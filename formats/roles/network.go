package roles

import (
	"github.com/weightprint/weightprint/formats/tensor"
)

// Network is a model whose tensors have been given roles.
type Network struct {
	Family   string // the naming family, such as "llama"; "generic" when none fits
	Towers   []*Tower
	Generic  []*Matrix // matrices without a known role, in stored order
	Vectors  []*Vector // vectors without a known role
	Roles    []Assignment
	Warnings []string

	gates map[int]int // by the rows of the matrices that have them; see recurrent
}

// Only is the network with no matrices but the given ones, of unknown role.
func (n *Network) Only(generic []*Matrix) *Network {
	return &Network{Family: n.Family, Generic: generic, gates: n.gates}
}

// Assignment records the role a stored tensor was given.
type Assignment struct {
	Tensor *tensor.Tensor
	Role   string
}

// Tower is one stack of layers with its embeddings: a language model has one,
// a vision-language model two, a translation model an encoder and a decoder.
type Tower struct {
	Name     string // "main", "vision", "audio", "encoder", "decoder"
	Hidden   int    // width of the residual stream
	Heads    int    // query heads, 0 if unknown
	KVHeads  int    // 0 if unknown
	HeadDim  int    // 0 if unknown
	RMSNorm  bool   // norms have no bias, so residual signs are free
	Centred  bool   // norms take the mean away (LayerNorm)
	Rotary   Rotary // how positions turn query and key rows, once Permuted is undone
	Permuted bool   // query and key rows may be stored interleaved (GGUF)

	RotaryDim  int     // rows of each head that are turned, HeadDim when all; 0 if none or unknown
	RotaryBase float64 // base of the frequencies at which planes turn; 0 if none or not declared

	Embedding *Matrix // vocabulary × hidden, nil if none
	Positions *Matrix // learned positions, nil if none
	Head      *Matrix // vocabulary × hidden, nil when tied or absent
	FinalNorm *Vector
	Layers    []*Layer
}

// Layer is one block of a tower. Matrices that a model does not have are nil.
type Layer struct {
	Index      int
	Q, K, V, O *Matrix
	QNorm      *Vector
	KNorm      *Vector
	AttnNorm   *Vector // gain of the norm before attention
	MLPNorm    *Vector // gain of the norm before the MLP
	Router     *Matrix
	Experts    []*MLP // one when dense
	Shared     *MLP   // the shared expert of a mixture, nil if none

	Others []Other // what else has a known place
}

// MLP is one feed-forward part. Units are rows of Gate and Up and columns of
// Down; Gate is nil where the MLP is not gated.
type MLP struct {
	Gate, Up, Down *Matrix
}

// Width is the number of hidden units.
func (p *MLP) Width() int {
	switch {
	case p == nil:
		return 0
	case p.Up != nil:
		return p.Up.Rows
	case p.Gate != nil:
		return p.Gate.Rows
	}
	return 0
}

// Matrices lists every matrix of the network once, in a fixed order:
// tower by tower, embeddings first, then layer by layer, then the generic
// ones.
func (n *Network) Matrices() []*Matrix {
	var all []*Matrix
	add := func(ms ...*Matrix) {
		for _, m := range ms {
			if m != nil {
				all = append(all, m)
			}
		}
	}
	for _, t := range n.Towers {
		add(t.Embedding, t.Positions, t.Head)
		for _, l := range t.Layers {
			add(l.Q, l.K, l.V, l.O, l.Router)
			for _, e := range l.MLPs() {
				add(e.Gate, e.Up, e.Down)
			}
			for _, o := range l.Others {
				add(o.Matrix)
			}
		}
	}
	add(n.Generic...)
	return all
}

// AllVectors lists every gain and bias once, in the order of Matrices.
func (n *Network) AllVectors() []*Vector {
	var all []*Vector
	seen := map[*Vector]bool{nil: true}
	add := func(vs ...*Vector) {
		for _, v := range vs {
			if !seen[v] {
				seen[v] = true
				all = append(all, v)
			}
		}
	}
	for _, t := range n.Towers {
		for _, l := range t.Layers {
			add(l.AttnNorm, l.MLPNorm, l.QNorm, l.KNorm)
			for _, o := range l.Others {
				add(o.Vector)
			}
		}
		add(t.FinalNorm)
	}
	for _, m := range n.Matrices() {
		add(m.Bias)
	}
	add(n.Vectors...)
	return all
}

// MLPs lists the layer's feed-forward parts, the shared expert last.
func (l *Layer) MLPs() []*MLP {
	if l.Shared == nil {
		return l.Experts
	}
	return append(l.Experts[:len(l.Experts):len(l.Experts)], l.Shared)
}

// Tower returns the tower of that name, or nil.
func (n *Network) Tower(name string) *Tower {
	for _, t := range n.Towers {
		if t.Name == name {
			return t
		}
	}
	return nil
}
