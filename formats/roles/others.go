package roles

import "strings"

// Other is a matrix or vector of a layer that has a known place and no field
// of its own in Layer.
type Other struct {
	Name   string // place within the layer, such as "attn.kv_a"
	Matrix *Matrix
	Vector *Vector
}

// Component is the part of the network it belongs to: "attention" or
// "experts".
func (o Other) Component() string {
	if strings.HasPrefix(o.Name, "mlp.") {
		return "experts"
	}
	return "attention"
}

func (l *Layer) add(name string, m *Matrix, v *Vector) {
	l.Others = append(l.Others, Other{name, m, v})
}

// Other returns the matrix of that name among the layer's others, or nil.
func (l *Layer) Other(name string) *Matrix {
	for _, o := range l.Others {
		if o.Name == name && o.Matrix != nil {
			return o.Matrix
		}
	}
	return nil
}

// vector returns the vector of that name among the layer's others, or nil.
func (l *Layer) vector(name string) *Vector {
	for _, o := range l.Others {
		if o.Name == name && o.Vector != nil {
			return o.Vector
		}
	}
	return nil
}
