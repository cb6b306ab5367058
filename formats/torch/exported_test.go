package torch

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/formats/tensor"
)

// oneDescribed is the description of one tensor of an exported program: the entry weight_0 as 2 × 2
// numbers of 4 bytes.
const oneDescribed = `{"config": {"w": {"path_name": "weight_0", "is_param": true, "use_pickle": false, "tensor_meta": {"dtype": 7, ` +
	`"sizes": [{"as_int": 2}, {"as_int": 2}], "requires_grad": true, "device": {"type": "cpu", "index": null}, ` +
	`"strides": [{"as_int": 2}, {"as_int": 1}], "storage_offset": {"as_int": 0}, "layout": 7}}}}`

// exportedAs is an archive as torch 2.9 writes it, with a description of its weights.
func exportedAs(description string) []member {
	return []member{
		file("m/data/weights/weight_0", make([]byte, 16)), file("m/data/weights/model_weights_config.json", []byte(description)),
		file("m/models/model.json", []byte("{}")), file("m/archive_format", []byte("pt2")), file("m/archive_version", []byte("0")), file("m/byteorder", []byte("little")),
	}
}

// descriptionEdits make the description say what is not so.
var descriptionEdits = []struct {
	from, to string
	class    error
	text     string
}{
	{`"weight_0"`, `"weight_1"`, tensor.ErrFormat, "no entry"},
	{`"weight_0"`, `"../weights/weight_0"`, tensor.ErrFormat, "no entry"},
	{`"weight_0"`, `""`, tensor.ErrFormat, "no entry"},
	{`"weight_0", `, `"weight_0", "path_name": "weight_0", `, tensor.ErrFormat, "ambiguous"},
	{`"weight_0", `, `"weight_0", "PATH_NAME": "weight_0", `, tensor.ErrFormat, "ambiguous"},
	{`"w"`, `"w": null, "w"`, tensor.ErrFormat, "ambiguous"},
	{`"dtype": 7`, `"dtype": 0`, tensor.ErrUnsupported, "element type 0"},
	{`"dtype": 7`, `"dtype": 99`, tensor.ErrUnsupported, "element type 99"},
	{`"dtype": 7`, `"dtype": "7"`, tensor.ErrFormat, "cannot unmarshal"},
	{`"dtype": 7`, `"dtype": 8`, tensor.ErrFormat, "a storage of 2"},
	{`"layout": 7`, `"layout": 1`, tensor.ErrUnsupported, "layout 1"},
	{`, "layout": 7`, ``, tensor.ErrUnsupported, "layout 0"},
	{`{"as_int": 2}, {"as_int": 2}`, `{"as_int": 2}, {"as_int": 3}`, tensor.ErrFormat, "a storage of 4"},
	{`{"as_int": 2}, {"as_int": 2}`, `{"as_int": 2}`, tensor.ErrFormat, "do not fit together"},
	{`{"as_int": 2}, {"as_int": 2}`, `{"as_int": 2}, null`, tensor.ErrFormat, "whole numbers"},
	{`{"as_int": 2}, {"as_int": 2}`, `{"as_expr": {"expr_str": "s0"}}, {"as_int": 2}`, tensor.ErrFormat, "whole numbers"},
	{`{"as_int": 2}, {"as_int": 2}`, `{"as_int": -2}, {"as_int": -2}`, tensor.ErrFormat, "whole numbers"},
	{`{"as_int": 2}, {"as_int": 2}`, `{"as_int": 4294967296}, {"as_int": 4294967296}`, tensor.ErrLimit, "2^63-1"},
	{`{"as_int": 2}, {"as_int": 2}`, `{"as_int": 9223372036854775808}, {"as_int": 1}`, tensor.ErrFormat, "cannot unmarshal"},
	{`[{"as_int": 2}, {"as_int": 1}]`, `[{"as_int": 9223372036854775806}, {"as_int": 1}]`, tensor.ErrFormat, ""},
	{`[{"as_int": 2}, {"as_int": 1}]`, `[{"as_int": -2}, {"as_int": 1}]`, tensor.ErrFormat, "whole numbers"},
	{`{"as_int": 2}, {"as_int": 2}`, `{"as_int": -1}, {"as_int": 2}`, tensor.ErrFormat, "whole numbers"},
	{`{"as_int": 2}, {"as_int": 2}`, strings.Repeat(`{"as_int": 1}, `, maxRank) + `{"as_int": 1}`, tensor.ErrFormat, "whole numbers"},
	{`"storage_offset": {"as_int": 0}`, `"storage_offset": {"as_int": 9223372036854775807}`, tensor.ErrFormat, "whole numbers"},
	{`"storage_offset": {"as_int": 0}`, `"storage_offset": {"as_int": 1}`, tensor.ErrFormat, "a storage of 4"},
	{`"storage_offset": {"as_int": 0}`, `"storage_offset": {}`, tensor.ErrFormat, "whole numbers"},
	{`"use_pickle": false`, `"use_pickle": true`, nil, ""},
	{`{"config": `, `{"configs": `, tensor.ErrFormat, "config"},
	{`{"config": `, `[{"config": `, tensor.ErrFormat, ""},
	{oneDescribed, `{"config": {}}`, tensor.ErrNotModel, "no tensor"},
	{oneDescribed, ``, nil, ""},
}

// exportedCases are archives of torch.export that say what is not so.
func exportedCases() (out []hostile) {
	add := func(name string, members []member, class error, text string) {
		out = append(out, hostile{"exported " + name, zipped(members), class, text})
	}
	for _, e := range descriptionEdits {
		if e.class != nil {
			add(e.to, exportedAs(strings.Replace(oneDescribed, e.from, e.to, 1)), e.class, e.text)
		}
	}
	edit := func(name string, class error, text string, change func([]member) []member) {
		add(name, change(exportedAs(oneDescribed)), class, text)
	}
	put := func(i int, name string, data []byte) func([]member) []member {
		return func(m []member) []member { m[i] = file(name, data); return m }
	}
	also := func(name string, data []byte) func([]member) []member {
		return func(m []member) []member { return append(m, file(name, data)) }
	}
	edit("no bytes", tensor.ErrUnsupported, "without the values", put(0, "m/data/weights/weight_0", nil))
	edit("bytes of half an element", tensor.ErrFormat, "whole number of elements", put(0, "m/data/weights/weight_0", make([]byte, 18)))
	edit("an empty description", tensor.ErrNotModel, "no tensor", put(1, "m/data/weights/model_weights_config.json", nil))
	edit("no description", tensor.ErrUnsupported, "are not in the archive", func(m []member) []member { return append(m[:1:1], m[2:]...) })
	edit("no program", tensor.ErrNotModel, "no program", put(2, "m/models/readme", []byte("{}")))
	edit("a compiled program", tensor.ErrUnsupported, "AOTInductor", put(2, "m/data/aotinductor/model/m.so", []byte("\x7fELF")))
	edit("another kind", tensor.ErrUnsupported, "none of pt2", put(3, "m/archive_format", []byte("pt3")))
	edit("another version", tensor.ErrUnsupported, "none of", put(4, "m/archive_version", []byte("2")))
	edit("a version of 65 bytes", tensor.ErrLimit, "", put(4, "m/archive_version", []byte("0"+strings.Repeat(" ", 64))))
	edit("the other byte order", tensor.ErrUnsupported, "only little", put(5, "m/byteorder", []byte("big")))
	edit("weights twice", tensor.ErrFormat, "the same tensors", also("m/data/weights/model.pt", zipped(checkpoint(model(ones)))))
	edit("a checkpoint beside", tensor.ErrFormat, "a second checkpoint", also("m/data.pkl", model(ones)))
	edit("another folder", tensor.ErrFormat, "a second checkpoint", also("n/archive_format", []byte("pt2")))
	edit("an entry outside", tensor.ErrFormat, "outside the checkpoint's folder", also("n/x", nil))
	edit("a name among the constants, too", tensor.ErrFormat, "two entries", also("m/data/constants/model.pt", zipped(checkpoint(model(ones)))))
	edit("constants that are no checkpoint", io.ErrUnexpectedEOF, "", also("m/data/constants/model.pt", []byte("no archive at all, but long enough")))
	edit("two types", tensor.ErrFormat, "was of", put(1, "m/data/weights/model_weights_config.json", []byte(twoTypes())))
	nested := func(name string, class error, text string, inner []byte) {
		edit(name, class, text, func(m []member) []member { m[1] = file("m/data/weights/model.pt", inner); return m })
	}
	nested("no checkpoint within", io.ErrUnexpectedEOF, "", []byte("no archive"))
	nested("an exported program within", tensor.ErrFormat, "a plain checkpoint", zipped(exportedAs(oneDescribed)))
	nested("a flat one within", tensor.ErrFormat, "a plain checkpoint", zipped([]member{file(exportedFlat, nil)}))
	nested("a TorchScript program within", tensor.ErrFormat, "a plain checkpoint", zipped(append(checkpoint(model(ones)), file("m/constants.pkl", nil))))
	nested("a package within", tensor.ErrFormat, "a plain checkpoint", zipped([]member{file("m"+packageMark, nil)}))
	nested("a list within", tensor.ErrFormat, "a mapping", zipped(checkpoint(pickle().raw("].").b)))
	nested("a number as a name", tensor.ErrFormat, "names are texts", zipped(checkpoint(pickle().raw("}K\x01K\x01s.").b)))
	deep := file("m/data/weights/model.pt", zipped(checkpoint(model(ones))))
	deep.method, deep.data = methodDeflated, deflated(deep.data)
	deep.disk = uint32(len(deep.data))
	edit("a compressed checkpoint within", tensor.ErrUnsupported, "compressed within", func(m []member) []member { m[1] = deep; return m })
	add("a flat one of nothing", []member{file(exportedFlat, []byte("{}"))}, tensor.ErrUnsupported, "are not in the archive")
	add("a flat one twice", []member{file(exportedFlat, nil), file("serialized_state_dict.pt", nil), file("serialized_state_dict.json", nil)}, tensor.ErrFormat, "the same tensors")
	return out
}

// twoTypes describes two tensors of one entry and of two types.
func twoTypes() string {
	var d struct {
		Config map[string]map[string]any `json:"config"`
	}
	_ = json.Unmarshal([]byte(oneDescribed), &d)
	_ = json.Unmarshal([]byte(strings.Replace(strings.Replace(oneDescribed, `"w"`, `"v"`, 1), `"dtype": 7`, `"dtype": 4`, 1)), &d)
	b, _ := json.Marshal(d)
	return string(b)
}

// A program in order is read; entries that no program names are reported, several programs are told
// apart by their names, and an object among the constants is left out.
func TestExported(t *testing.T) {
	f, err := read(zipped(append(exportedAs(oneDescribed), file("m/data/weights/weight_9", make([]byte, 4)))))
	require.NoError(t, err)
	require.Len(t, f.Tensors(), 1)
	require.Contains(t, f.Warnings, "entries of weights that no program names are not read: data/weights/weight_9")
	object := `{"config": {"c": {"path_name": "custom_obj_0", "is_param": false, "use_pickle": true, "tensor_meta": null}}}`
	f, err = read(zipped(append(exportedAs(oneDescribed),
		file("m/models/other.json", nil), file("m/data/weights/other.pt", zipped(checkpoint(model(ones)))),
		file("m/data/constants/custom_obj_0", []byte("x")), file("m/data/constants/other_constants_config.json", []byte(object)))))
	require.NoError(t, err)
	var names []string
	for _, x := range f.Tensors() {
		names = append(names, x.Name)
	}
	require.ElementsMatch(t, []string{"model.w", "other.w"}, names)
	require.Contains(t, f.Warnings, "what is no tensor is left out: c")
}

// deflatedFile is an entry that is compressed.
func deflatedFile(name string, data []byte) member {
	m := file(name, data)
	m.method, m.data = methodDeflated, deflated(data)
	m.disk = uint32(len(m.data))
	return m
}

// Raw bytes may be compressed, a tensor may be a checkpoint of its own, and one without
// elements has no bytes.
func TestExportedForms(t *testing.T) {
	plain := []byte("\x00\x00\x80\x3f\x00\x00\x00\x40\x00\x00\x40\x40\x00\x00\x80\x40")
	lone := pickle()
	ones(lone)
	for name, c := range map[string]struct {
		edit   func(string) string
		weight member
		want   []float32
	}{
		"compressed": {func(s string) string { return s }, deflatedFile("m/data/weights/weight_0", plain), []float32{1, 2, 3, 4}},
		"pickled":    {func(s string) string { return strings.Replace(s, `"use_pickle": false`, `"use_pickle": true`, 1) }, file("m/data/weights/weight_0", zipped(checkpoint(lone.raw(".").b))), []float32{1, 1, 1, 1}},
		"of no element": {func(s string) string {
			return strings.Replace(s, `{"as_int": 2}, {"as_int": 2}`, `{"as_int": 0}, {"as_int": 2}`, 1)
		}, file("m/data/weights/weight_0", nil), []float32{}},
	} {
		m := exportedAs(c.edit(oneDescribed))
		m[0] = c.weight
		f, err := read(zipped(m))
		require.NoError(t, err, name)
		require.Len(t, f.Tensors(), 1, name)
		x := f.Tensors()[0]
		got := make([]float32, x.Len())
		require.NoError(t, x.Data.ReadValues(context.Background(), got, 0), name)
		require.Equal(t, c.want, got, name)
		require.Equal(t, "exported program", f.Metadata()["torch.container"])
	}
	m := exportedAs(strings.Replace(oneDescribed, `"use_pickle": false`, `"use_pickle": true`, 1))
	m[0] = file("m/data/weights/weight_0", zipped(checkpoint(model(ones))))
	_, err := read(zipped(m))
	require.ErrorContains(t, err, "a tensor expected")
}

// What lies beside the programs of an archive is no program, is named in order if it is of
// weights, and is left out if it is no tensor.
func TestExportedBeside(t *testing.T) {
	f, err := read(zipped(append(exportedAs(oneDescribed), file("m/data/weights/weight_9", nil), file("m/data/weights/weight_8", nil),
		file("m/models/extra/notes.json", nil), file("m/data/aotinductor/model/m.so", nil))))
	require.NoError(t, err)
	require.Contains(t, f.Warnings, "entries of weights that no program names are not read: data/weights/weight_8, data/weights/weight_9")
	p := pickle().raw("}").str("w")
	ones(p)
	m := exportedAs(oneDescribed)
	m[1] = file("m/data/weights/model.pt", zipped(checkpoint(p.raw("s").str("epoch").num(3).raw("s.").b)))
	f, err = read(zipped(m))
	require.NoError(t, err)
	require.Contains(t, f.Warnings, "what is no tensor is left out: epoch")
	m = exportedAs(strings.Replace(oneDescribed, `{"config": {"w"`, `{"config": {"z": `+oneDescribed[len(`{"config": {"w": `):len(oneDescribed)-2]+`, "w"`, 1))
	_, err = read(zipped(append(m, file("m/data/constants/model.pt", zipped(checkpoint(model(ones)))))))
	require.ErrorContains(t, err, "two entries make this name")
	m = exportedAs(oneDescribed)
	for i := range maxPackaged {
		m = append(m, file(fmt.Sprintf("m/models/p%d.json", i), nil))
	}
	_, err = read(zipped(m))
	require.ErrorIs(t, err, tensor.ErrLimit)
}

// Of a list, one item is the model and optimisers are none; where several could be, none is.
func TestUnnamed(t *testing.T) {
	dict := func(p *program, keys ...string) {
		p.raw("}")
		for _, k := range keys {
			p.str(k)
			ones(p)
			p.raw("s")
		}
	}
	for name, c := range map[string]struct {
		write func(p *program)
		error string
	}{
		"a model and an optimiser":      {func(p *program) { dict(p, "w"); p.raw("a"); dict(p, "state", "param_groups") }, ""},
		"a list in a list":              {func(p *program) { p.raw("]"); ones(p); p.raw("a") }, ""},
		"a tensor alone, in a list":     {func(p *program) { ones(p) }, ""},
		"a model and a tensor":          {func(p *program) { dict(p, "w"); p.raw("a"); ones(p) }, "several items hold tensors (0, 1)"},
		"a state and another":           {func(p *program) { dict(p, "w"); p.raw("a"); dict(p, "state", "other") }, "several items"},
		"groups and another":            {func(p *program) { dict(p, "w"); p.raw("a"); dict(p, "other", "param_groups") }, "several items"},
		"more than an optimiser has":    {func(p *program) { dict(p, "w"); p.raw("a"); dict(p, "state", "param_groups", "w") }, "several items"},
		"a number alone, in a list":     {func(p *program) { p.num(3) }, "a mapping from names to tensors expected"},
		"an optimiser alone, in a list": {func(p *program) { dict(p, "state", "param_groups") }, "a mapping from names to tensors expected"},
	} {
		p := pickle().raw("]")
		c.write(p)
		_, err := read(zipped(checkpoint(p.raw("a.").b)))
		if c.error == "" {
			require.NoError(t, err, name)
			continue
		}
		require.ErrorContains(t, err, c.error, name)
	}
}
