package tokenfree_test

import (
	"context"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/weightprint/weightprint/formats"
	"github.com/weightprint/weightprint/formats/roles"
	"github.com/weightprint/weightprint/similarity/calibrated/tokenfree"
	"github.com/weightprint/weightprint/similarity/mlp"
)

const zoo = "../../../../shared/zoo"

// blocks reads all gated MLPs of a stored model.
func blocks(t testing.TB, path string) []mlp.Block {
	t.Helper()
	ctx := context.Background()
	c, err := formats.Open(ctx, path, nil)
	if err != nil {
		t.Fatal(err)
	}
	net := roles.Map(c)
	var out []mlp.Block
	for _, l := range net.Towers[0].Layers {
		m := l.MLPs()[0]
		up, down := rows(t, m.Up), columns(t, m.Down)
		if m.Gate == nil {
			out = append(out, mlp.Ungated(up, down, m.Width(), m.Up.Cols))
			continue
		}
		out = append(out, mlp.Gated(rows(t, m.Gate), up, down, m.Width(), m.Up.Cols))
	}
	return out
}

func rows(t testing.TB, m *roles.Matrix) []float32 {
	x := make([]float32, m.Rows*m.Cols)
	if err := m.Gather(context.Background(), x, m.All()); err != nil {
		t.Fatal(err)
	}
	if m.Gain == nil {
		return x
	}
	gain, err := m.Gain.Read(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	for i := range x {
		x[i] *= gain[i%m.Cols]
	}
	return x
}

func columns(t testing.TB, m *roles.Matrix) []float32 {
	x := make([]float32, m.Rows*m.Cols)
	if err := m.Gather(context.Background(), x, m.All()); err != nil {
		t.Fatal(err)
	}
	out := make([]float32, len(x))
	for i := range m.Rows {
		for j := range m.Cols {
			out[j*m.Rows+i] = x[i*m.Cols+j]
		}
	}
	return out
}

func TestDev(t *testing.T) {
	for _, p := range strings.Fields(os.Getenv("PAIRS")) {
		a, b, _ := strings.Cut(p, ",")
		if !strings.Contains(a, "/") {
			a = filepath.Join(zoo, a)
		}
		if !strings.Contains(b, "/") {
			b = filepath.Join(zoo, b)
		}
		xa, xb := blocks(t, a), blocks(t, b)
		n := min(len(xa), len(xb))
		start := time.Now()
		r := tokenfree.CrossFit(xa[:n], xb[:n], &tokenfree.Options{Seed: []byte("x")})
		t.Logf("%s agree %d of %d cosine %.3f residual %.3f dims %d %v", p, r.Agree, r.Tested, r.Cosine, r.Residual, r.Dims, time.Since(start))
	}
}

func TestDevSelf(t *testing.T) {
	path := os.Getenv("SELF")
	if path == "" {
		t.Skip()
	}
	x := blocks(t, path)
	var pick []mlp.Block
	for _, i := range strings.Fields(os.Getenv("LAYERS")) {
		k, _ := strconv.Atoi(i)
		pick = append(pick, x[k])
	}
	for _, noise := range []float64{0, .1, .5} {
		y := disguised(rand.New(rand.NewPCG(1, 2)), pick, noise)
		start := time.Now()
		r := tokenfree.CrossFit(pick, y, &tokenfree.Options{Seed: []byte("x")})
		t.Logf("noise %.2f agree %d of %d cosine %.3f residual %.3f dims %d %v", noise, r.Agree, r.Tested, r.Cosine, r.Residual, r.Dims, time.Since(start))
	}
	for i := range 2 {
		y := make([]mlp.Block, len(pick))
		for k := range y {
			y[k] = x[(i+k*7+3)%len(x)]
		}
		start := time.Now()
		r := tokenfree.CrossFit(pick, y, &tokenfree.Options{Seed: []byte("x")})
		t.Logf("other layers agree %d of %d cosine %.3f residual %.3f dims %d %v", r.Agree, r.Tested, r.Cosine, r.Residual, r.Dims, time.Since(start))
	}
}

func TestDevLayers(t *testing.T) {
	for _, p := range strings.Fields(os.Getenv("LPAIRS")) {
		a, b, _ := strings.Cut(p, ",")
		xa, xb := blocks(t, filepath.Join(zoo, a)), blocks(t, filepath.Join(zoo, b))
		start := time.Now()
		t.Log(p, len(xa), len(xb), tokenfree.Counterparts(xa, xb, nil), time.Since(start))
	}
}
