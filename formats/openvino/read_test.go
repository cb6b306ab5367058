package openvino

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/formats/formatstest"
	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/internal/vectors"
)

func read(xml, bin []byte) (*File, error) {
	return Read(context.Background(), "model.xml", "model.xml", bytes.NewReader(xml), int64(len(xml)), func(name, field string) (io.ReaderAt, int64, string, error) {
		if name != "model.bin" {
			return nil, 0, "", tensor.Errorf(os.ErrNotExist, name, -1, field, "no such file")
		}
		return bytes.NewReader(bin), int64(len(bin)), name, nil
	})
}

func load(t testing.TB, name string) (xml, bin []byte) {
	xml, err := os.ReadFile("testdata/" + name + ".xml")
	require.NoError(t, err)
	bin, err = os.ReadFile("testdata/" + name + ".bin")
	require.NoError(t, err)
	return xml, bin
}

// Every value is what the exported module holds, or what OpenVINO computes.
func TestReference(t *testing.T) {
	for _, name := range []string{"full", "half", "compressed"} {
		xml, bin := load(t, name)
		require.True(t, Recognises(xml[:min(len(xml), 1024)]))
		m, err := read(xml, bin)
		require.NoError(t, err, name)
		require.Empty(t, m.Warnings)
		formatstest.Model(t, m)
		var want []formatstest.Expected
		vectors.JSON(t, "testdata/"+name+".json", &want)
		floats := vectors.Floats(t, "testdata/"+name+".f32")
		var found []string
		for _, x := range m.Tensors() {
			found = append(found, x.Name)
		}
		require.Len(t, found, len(want), "%s: %v", name, found)
		for _, w := range want {
			x, ok := m.Tensor(w.Name)
			require.True(t, ok, "%s: %s is not among %v", name, w.Name, found)
			require.Equal(t, w.Shape, x.Shape, x.Name)
			require.Equal(t, w.DType, x.DType.String(), x.Name)
			values := make([]float32, x.Len())
			require.NoError(t, x.Data.ReadValues(context.Background(), values, 0))
			vectors.Equal(t, floats[:len(values)], values, name+": "+x.Name)
			floats = floats[len(values):]
			_, lattice := x.Data.(tensor.Lattice)
			require.Equal(t, name == "compressed", lattice, x.Name)
		}
		require.Empty(t, floats)
	}
}

// constOf is a layer of a constant.
func constOf(id int, name, data string) string {
	return fmt.Sprintf(`<layer id="%d" name="%s" type="Const"><data %s/><output><port id="0"/></output></layer>`, id, name, data)
}

func net(layers, edges string) string {
	return `<?xml version="1.0"?><net name="m" version="11"><layers>` + layers + `</layers><edges>` + edges + `</edges></net>`
}

// scaled is codes of 2 × 2 with a scale of some shape.
func scaled(shape string, size int) string {
	op := func(id int, typ string, in ...int) string {
		s := fmt.Sprintf(`<layer id="%d" name="%s" type="%s"><input>`, id, typ, typ)
		for i := range in {
			s += fmt.Sprintf(`<port id="%d"/>`, i)
		}
		return s + `</input><output><port id="9"/></output></layer>`
	}
	edge := func(a, b, p int) string {
		return fmt.Sprintf(`<edge from-layer="%d" from-port="0" to-layer="%d" to-port="%d"/>`, a, b, p)
	}
	return net(constOf(0, "w", `element_type="i8" shape="2,2" offset="0" size="4"`)+op(1, "Convert", 0)+constOf(2, "s", fmt.Sprintf(`element_type="f32" shape="%s" offset="0" size="%d"`, shape, size))+op(3, "Multiply", 1, 2),
		edge(0, 1, 0)+edge(1, 3, 0)+edge(2, 3, 1))
}

const good = `element_type="f32" shape="2,2" offset="0" size="16"`

func hostile() map[string]string {
	one := func(from, to string) string { return net(constOf(0, "w", strings.Replace(good, from, to, 1)), "") }
	return map[string]string{
		"empty": "", "no XML": "hello", "another document": "<html></html>", "cut short": one("", "")[:100], "an element that never closes": strings.Replace(one("", ""), "</net>", "", 1),
		"a document type": `<!DOCTYPE net [<!ENTITY a "b">]>` + one("", ""),
		"an entity":       strings.Replace(one("", ""), `name="w"`, `name="&a;"`, 1),
		"too deep":        "<net>" + strings.Repeat("<a>", 100) + strings.Repeat("</a>", 100) + "</net>",
		"an unknown type": one("f32", "f99"), "no type": one(`element_type="f32"`, ""), "no offset": one(`offset="0"`, ""), "no size": one(`size="16"`, ""),
		"a negative size": one(`size="16"`, `size="-16"`), "a negative offset": one(`offset="0"`, `offset="-1"`), "another size": one(`size="16"`, `size="12"`),
		"beyond the end": one(`offset="0"`, `offset="8"`), "far beyond": one(`offset="0"`, `offset="9223372036854775807"`), "an offset of 2^64": one(`offset="0"`, `offset="18446744073709551616"`),
		"a negative shape": one("2,2", "-2,2"), "words for a shape": one("2,2", "two"), "a hundred dimensions": one("2,2", strings.Repeat("1,", 99)+"4"),
		"a product that overflows": one("2,2", "4294967296,4294967296"), "beside a 0": one("2,2", "0,4294967296,4294967296"),
		"one number twice": net(constOf(0, "a", good)+constOf(0, "b", good), ""), "two data": strings.Replace(one("", ""), "<data", "<data/><data", 1),
		"scales of a third": scaled("3,1", 12), "scales of another rank": scaled("1,1,1", 4),
		"bytes named often": net(strings.Repeat(constOf(0, "w", good), 1)+func() (s string) {
			for i := range 5 {
				s += constOf(i+1, "w", `element_type="f32" shape="8388608" offset="0" size="33554432"`)
			}
			return s
		}(), ""),
		"layers without end": "<net><layers>" + strings.Repeat(`<layer id="1"/>`, 3),
	}
}

func TestHostile(t *testing.T) {
	m, err := read([]byte(net(constOf(0, "w", good), "")), make([]byte, 16))
	require.NoError(t, err)
	require.Len(t, m.Tensors(), 1)
	m, err = read([]byte(scaled("2,1", 8)), make([]byte, 16))
	require.NoError(t, err)
	require.Equal(t, tensor.PackedInt(8), m.Tensors()[0].DType)
	for what, xml := range hostile() {
		path := filepath.Join(t.TempDir(), "model.xml")
		require.NoError(t, os.WriteFile(path, []byte(xml), 0o600))
		formatstest.Refused(t, path, what, func(string) error { _, err := read([]byte(xml), make([]byte, 16)); return err })
	}
}

// A small file cannot pose as a large model by naming the same bytes often.
func TestSharedBytesAreBounded(t *testing.T) {
	var layers strings.Builder
	for i := range 100 {
		layers.WriteString(constOf(i, fmt.Sprint("w", i), `element_type="f32" shape="262144" offset="0" size="1048576"`))
	}
	_, err := read([]byte(net(layers.String(), "")), make([]byte, 1<<20))
	require.NoError(t, err)
	for i := range 100 {
		layers.WriteString(constOf(100+i, fmt.Sprint("v", i), `element_type="f32" shape="262144" offset="0" size="1048576"`))
	}
	_, err = read([]byte(net(layers.String(), "")), make([]byte, 1<<20))
	require.ErrorIs(t, err, tensor.ErrLimit)
}

// Integers without a scale are listed and not read.
func TestUnread(t *testing.T) {
	m, err := read([]byte(net(constOf(0, "w", `element_type="i8" shape="4,4" offset="0" size="16"`), "")), make([]byte, 16))
	require.NoError(t, err)
	require.Len(t, m.Warnings, 1)
	require.Equal(t, tensor.Opaque, m.Tensors()[0].DType)
}

func FuzzRead(f *testing.F) {
	for _, name := range []string{"full", "half", "compressed"} {
		xml, bin := load(f, name)
		f.Add(xml, bin)
	}
	for _, xml := range hostile() {
		f.Add([]byte(xml), make([]byte, 16))
	}
	f.Fuzz(func(t *testing.T, xml, bin []byte) {
		Recognises(xml)
		m, err := read(xml, bin)
		if err != nil {
			var fe *tensor.FormatError
			require.True(t, errors.As(err, &fe), "%v", err)
			return
		}
		for _, x := range m.Tensors() {
			n := min(x.Len(), 100)
			_ = x.Data.ReadValues(context.Background(), make([]float32, n), x.Len()-n)
			if l, ok := x.Data.(tensor.Lattice); ok {
				_ = l.ReadSteps(context.Background(), make([]float32, n), 0)
			}
		}
	})
}
