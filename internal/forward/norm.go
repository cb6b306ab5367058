package forward

import (
	"context"
	"math"

	"github.com/weightprint/weightprint/formats/roles"
)

// norm is a normalisation before it is read.
type norm struct{ gain, bias *roles.Vector }

func (n norm) empty() bool { return n.gain == nil }

// outer is a norm outside the layers.
func (m *Model) outer(role string, gain *roles.Vector) norm {
	n := norm{gain: gain}
	for _, v := range m.net.Vectors {
		switch v.Role {
		case role:
			n.gain = v
		case role + ".bias":
			n.bias = v
		}
	}
	return n
}

// norm is a norm of a layer by its name; gain is nil for those that stand among
// the layer's others.
func (m *Model) norm(l *roles.Layer, name string, gain *roles.Vector) norm {
	n := norm{gain: gain}
	for _, o := range l.Others {
		switch {
		case o.Name == name && n.gain == nil:
			n.gain = o.Vector
		case o.Name == name+".bias":
			n.bias = o.Vector
		}
	}
	return n
}

// apply normalises pieces of x as long as the gain, or as long as n where the
// network has gains of ones that it does not store, into dst, which may be x.
func (m *Model) apply(ctx context.Context, dst, x []float32, n norm) error {
	gain, err := n.gain.Read(ctx)
	if err != nil {
		return err
	}
	var bias []float32
	if n.bias != nil {
		if bias, err = n.bias.Read(ctx); err != nil {
			return err
		}
	}
	for d := len(gain); len(x) > 0; x, dst = x[d:], dst[d:] {
		m.normalise(dst[:d], x[:d], gain, bias)
	}
	return nil
}

// normalise divides by the root of the mean square, after the mean is taken off
// where the network's norms do so (Ba, Kiros, Hinton 2016; Zhang, Sennrich
// 2019).
func (m *Model) normalise(dst, x, gain, bias []float32) {
	mean, squares := 0.0, 0.0
	if m.layerNorm {
		for _, v := range x {
			mean += float64(v)
		}
		mean /= float64(len(x))
	}
	for _, v := range x {
		c := float64(v) - mean
		squares += float64(c * c)
	}
	size := 1 / math.Sqrt(squares/float64(len(x))+m.eps)
	for k, v := range x {
		y := float64((float64(v)-mean)*size) * float64(gain[k])
		if bias != nil {
			y = float64(y) + float64(bias[k])
		}
		dst[k] = float32(y)
	}
}
