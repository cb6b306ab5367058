package torch

import (
	"context"
	"path"
	"slices"
	"strings"

	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/internal/escape"
)

// Programs of torch.export (.pt2) are archives whose weights are checkpoints of their own, or
// bytes that a JSON beside them describes. torch 2.1 to 2.7 wrote a flat archive, later ones a
// folder that says what it is. Of a program the state dict of its module is read, and the tensors
// that are none of it: constants, and buffers that the module does not save.

const (
	exportedMark  = "/archive_format"
	exportedFlat  = "serialized_exported_program.json"
	weightsFolder = "data/weights/"
	othersFolder  = "data/constants/"
	resaveState   = "torch.save(MODULE.state_dict(), NEW) of the module that it was exported from writes one that is read"
)

// stated are small entries of an archive of torch.export, with what they may say.
var stated = []struct {
	name  string
	known []string
}{{"archive_format", []string{"pt2"}}, {"archive_version", []string{"", "0", "1"}}}

// payload says where tensors of a program lie: in a checkpoint under one of these names, or in
// entries of a folder that a description names.
type payload struct {
	folder, config string
	checkpoints    []string
}

// payloads are those of the program of a name: its weights, then its other tensors.
func payloads(name string) []payload {
	return []payload{
		{weightsFolder, weightsFolder + name + "_weights_config.json", []string{weightsFolder + name + ".pt"}},
		{othersFolder, othersFolder + name + "_constants_config.json", []string{othersFolder + name + ".pt"}},
	}
}

// flatPayloads are those of the flat archive. torch 2.1 called its checkpoints .json.
func flatPayloads(string) []payload {
	return []payload{
		{checkpoints: []string{"serialized_state_dict.pt", "serialized_state_dict.json"}},
		{checkpoints: []string{"serialized_constants.pt", "serialized_constants.json"}},
	}
}

// adoptExported takes the tensors of all programs of an archive. Where there are several, their
// names come first.
func (f *File) adoptExported(ctx context.Context, a *archive) error {
	if a.flat {
		return f.adoptPrograms(ctx, a, []string{""}, flatPayloads)
	}
	for _, s := range stated {
		says, err := a.text(s.name)
		if err != nil {
			return err
		}
		if !slices.Contains(s.known, says) {
			return tensor.Errorf(tensor.ErrUnsupported, f.name, a.byName[a.root+"/"+s.name].data, s.name, "%s is none of %s", escape.Printable(says), strings.Join(s.known, ", "))
		}
	}
	programs := a.under("models/", ".json")
	switch {
	case len(programs) > maxPackaged:
		return tensor.Errorf(tensor.ErrLimit, f.name, a.start, "directory", "more than %d programs", maxPackaged)
	case len(programs) == 0 && len(a.under("data/aotinductor/", "")) > 0:
		return tensor.Errorf(tensor.ErrUnsupported, f.name, a.start, "directory", "a program that AOTInductor compiled, whose weights lie in a library for one processor; %s", resaveState)
	case len(programs) == 0:
		return tensor.Errorf(tensor.ErrNotModel, f.name, a.start, "directory", "this archive of torch.export holds no program (models/NAME.json)")
	}
	return f.adoptPrograms(ctx, a, programs, payloads)
}

// under lists the entries of a folder with an ending, without either, in ascending order.
func (a *archive) under(folder, ending string) (names []string) {
	for i := range a.entries {
		in, ok := strings.CutPrefix(a.entries[i].name, path.Join(a.root, folder)+"/")
		name, ends := strings.CutSuffix(in, ending)
		if ok && ends && (ending == "" || !strings.Contains(name, "/")) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// adoptPrograms takes the tensors of programs, which lie where at says.
func (f *File) adoptPrograms(ctx context.Context, a *archive, programs []string, at func(name string) []payload) error {
	var parts [][]named
	n := 0
	x := &exported{File: f, a: a, storages: map[string]*storage{}, used: map[string]bool{}}
	for _, name := range programs {
		found, err := x.program(ctx, at(name))
		if err != nil {
			return err
		}
		if parts, n = append(parts, found), n+len(found); n > maxTensors {
			return tensor.Errorf(tensor.ErrLimit, f.name, a.start, "directory", "more than %d tensors", maxTensors)
		}
	}
	if len(x.others) > 0 {
		f.warn("what is no tensor is left out: %s", some(x.others))
	}
	if left := x.left(); len(left) > 0 {
		f.warn("entries of weights that no program names are not read: %s", some(left))
	}
	f.meta["torch.container"] = "exported program"
	f.warn("this is a program of torch.export; its tensors were read and nothing of it was run")
	all := joinParts(parts, programs)
	if len(all) == 0 {
		return tensor.Errorf(tensor.ErrNotModel, f.name, a.start, "directory", "no tensor under any name; %s", resaveState)
	}
	return f.list(all)
}

// exported is an archive of torch.export under way.
type exported struct {
	*File
	a        *archive
	storages map[string]*storage // of raw bytes, by entry
	used     map[string]bool     // entries that were read
	others   []string            // names of what is no tensor
}

// program returns the tensors of a program by ascending name. No name stands twice.
func (x *exported) program(ctx context.Context, where []payload) ([]named, error) {
	var all []named
	for i, p := range where {
		e, raw, err := x.choose(p)
		switch {
		case err != nil:
			return nil, err
		case e == nil && i == 0:
			return nil, tensor.Errorf(tensor.ErrUnsupported, x.name, x.a.start, "directory", "the weights of the program (%s) are not in the archive; %s", escape.Printable(p.checkpoints[0]), resaveState)
		case e == nil || e.size == 0:
			continue
		}
		read := x.checkpoint
		if raw {
			read = func(ctx context.Context, e *entry) ([]named, error) { return x.described(ctx, e, p.folder) }
		}
		found, err := read(ctx, e)
		if err != nil {
			return nil, err
		}
		all = append(all, found...)
	}
	slices.SortStableFunc(all, func(a, b named) int { return strings.Compare(a.name, b.name) })
	for i := range all[min(1, len(all)):] {
		if all[i].name == all[i+1].name {
			return nil, tensor.Errorf(tensor.ErrFormat, x.name, -1, "tensor "+quoteKey(all[i].name), "two entries make this name")
		}
	}
	return all, nil
}

// choose finds the one entry that says where tensors lie; raw is whether it is a description.
func (x *exported) choose(p payload) (e *entry, raw bool, err error) {
	for i, name := range append(slices.Clone(p.checkpoints), p.config) {
		next := x.a.byName[path.Join(x.a.root, name)]
		if name == "" || next == nil {
			continue
		}
		if e != nil {
			return nil, false, x.a.fail(next.at, quoted(next.name), "the same tensors lie in %s, too", escape.Printable(e.name))
		}
		e, raw = next, i == len(p.checkpoints)
		x.used[e.name] = true
	}
	return e, raw, nil
}

// left lists the entries of weights that nothing named.
func (x *exported) left() (names []string) {
	for _, folder := range []string{weightsFolder, othersFolder} {
		for _, name := range x.a.under(folder, "") {
			if !x.used[path.Join(x.a.root, folder, name)] {
				names = append(names, folder+name)
			}
		}
	}
	return names
}

// checkpoint takes the tensors of a checkpoint within the archive, a flat dict of them.
func (x *exported) checkpoint(ctx context.Context, e *entry) ([]named, error) {
	root, err := x.inner(ctx, e)
	if err != nil {
		return nil, err
	}
	d, ok := root.(*dict)
	if !ok {
		return nil, x.a.fail(e.data, quoted(e.name), "a mapping from names to tensors expected, found %s", describe(root))
	}
	var found []named
	for i, k := range d.keys {
		name, ok := k.(string)
		if !ok {
			return nil, x.a.fail(e.data, quoted(e.name), "names are texts, found %s", describe(k))
		}
		switch v := d.values[i].(type) {
		case *view:
			found = append(found, named{name, v})
		case *unread:
			return nil, v.err
		default:
			x.others = append(x.others, name)
		}
	}
	return found, nil
}

// inner runs the description of a checkpoint that is an entry of the archive.
func (x *exported) inner(ctx context.Context, e *entry) (value, error) {
	if e.method != methodStored {
		return nil, tensor.Errorf(tensor.ErrUnsupported, x.name, e.at, quoted(e.name), "a checkpoint that is compressed within an archive; unpack it, and name the checkpoint")
	}
	b, err := openArchive(ctx, x.name+"/"+e.name, newSection(x.a.r, e.data, e.size), e.size, x.forgive)
	if err != nil {
		return nil, err
	}
	if b.packages || b.exported || b.script {
		return nil, x.a.fail(e.data, quoted(e.name), "a plain checkpoint expected within an archive of torch.export")
	}
	b.base = e.data
	_, root, err := b.unpickle(ctx, "data")
	return root, err
}
