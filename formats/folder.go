package formats

import (
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/formats/torch"
	"github.com/weightprint/weightprint/internal/escape"
)

// choices are the files of a folder that may be its model, the surest first.
// An index wins over what lies beside it, the names that libraries load by
// default win over others, and an adapter is the model only where nothing else
// is that one would look for by its name. Of a set of shards the first one that
// is there stands for all.
var choices = []*regexp.Regexp{
	regexp.MustCompile(`^(model|diffusion_pytorch_model)\.safetensors\.index\.json$`),
	regexp.MustCompile(`^(model|diffusion_pytorch_model)\.safetensors$`),
	regexp.MustCompile(`\.safetensors\.index\.json$`),
	regexp.MustCompile(`^(model|diffusion_pytorch_model)-\d{5}-of-\d{5}\.safetensors$`),
	regexp.MustCompile(`\.safetensors$`),
	regexp.MustCompile(`\.gguf$`),
	firstPart,
	torchNames[0], torchNames[1], torchNames[2],
	regexp.MustCompile(`^\.metadata$`), // of torch.distributed.checkpoint; other tools' files have this ending too
	regexp.MustCompile(`(?i)\.(h5|hdf5)$`),
	regexp.MustCompile(`(?i)\.keras$`),
	regexp.MustCompile(`(?i)\.msgpack$`),
	projector, importance,
	adapterFile, torchNames[3], torchNames[4],
	regexp.MustCompile(`(?i)\.onnx$`),
	regexp.MustCompile(`(?i)\.tflite$`),
	regexp.MustCompile(`^ggml-.*\.bin$`), // of whisper.cpp
	description, bundle,
	converter, // of CTranslate2
	regexp.MustCompile(`(?i)\.np[yz]$`),
}

var (
	adapterFile = regexp.MustCompile(`^adapter_model\.safetensors$`)
	projector   = regexp.MustCompile(`(?i)(^|[._-])mmproj.*\.gguf$`) // the image tower of the GGUF file beside it
	importance  = regexp.MustCompile(`(?i)(^|[._-])imatrix\.gguf$`)  // what quantising the GGUF file beside it took into account
	bundle      = regexp.MustCompile(`\.index$`)                     // of TensorFlow, where its values lie beside it
	converter   = regexp.MustCompile(`^model\.bin$`)                 // of CTranslate2, where no description of OpenVINO stands beside it
	description = regexp.MustCompile(`\.xml$`)                       // of OpenVINO, where its values lie beside it
)

// standing is a file's place in choices, -1 if it has none.
func standing(name string, names []string) int {
	for _, late := range []*regexp.Regexp{projector, importance, adapterFile} {
		if late.MatchString(name) {
			return slices.Index(choices, late)
		}
	}
	switch {
	case converter.MatchString(name) && slices.Contains(names, "model.xml"), description.MatchString(name) && !isDescription(name, names), bundle.MatchString(name) && !isBundle(name, names), trainingFile.MatchString(name) && torchFormat.names(name):
		return -1
	}
	return slices.IndexFunc(choices, func(p *regexp.Regexp) bool { return p.MatchString(name) })
}

// weights lists the files of a folder that may hold a model, each with its
// standing; those of the caller's own formats come before all others. Of a set
// of shards only one is listed.
func weights(own []Format, names []string) map[string]int {
	out := map[string]int{}
	sets := map[string]bool{}
	for _, name := range slices.Sorted(slices.Values(names)) {
		rank := standing(name, names)
		if rank < 0 {
			continue
		}
		if m := numbered.FindStringSubmatch(name); m != nil {
			set := m[1] + "-" + m[3] + "." + m[4]
			if sets[set] {
				continue
			}
			sets[set] = true
		}
		out[name] = rank
	}
	for i, f := range slices.Backward(own) {
		for _, name := range f.choose(names) {
			out[name] = i - len(own)
		}
	}
	return out
}

// surest lists the weights of the first place that any has, in order.
func surest(found map[string]int) (out []string) {
	best := len(choices)
	for _, rank := range found {
		best = min(best, rank)
	}
	for name, rank := range found {
		if rank == best {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}

// folder opens the model of a folder and names what it passed over.
func (op *opener) folder() error {
	names, err := op.place.Names(op.ctx)
	if err != nil {
		return err
	}
	for _, laid := range []func([]string) (bool, error){op.pipeline, op.deepspeed, op.savedModel} {
		if done, err := laid(names); done {
			return err
		}
	}
	found := weights(op.o.Formats, names)
	switch best := surest(found); len(best) {
	case 0:
		return op.unnamed(names)
	case 1:
		if err := op.file(best[0]); err != nil {
			return err
		}
		op.passedOver(found, best[0])
		return nil
	default:
		return op.several(best)
	}
}

func (op *opener) several(names []string) error {
	return tensor.Errorf(tensor.ErrNotModel, op.dir, -1, "folder", "several checkpoints lie here, name one of them: %s", listed(names, 20))
}

// passedOver warns of files that may hold a model and were not opened.
func (op *opener) passedOver(found map[string]int, opened string) {
	var left []string
	for name := range found {
		if name != opened && !slices.ContainsFunc(op.c.files, func(f *File) bool { return f.Path == name }) {
			left = append(left, name)
		}
	}
	if len(left) == 0 {
		return
	}
	slices.Sort(left)
	if !strings.HasSuffix(opened, ".index.json") || len(op.c.files) == 1 {
		opened = op.c.files[0].Path
	}
	op.c.Warnings = append(op.c.Warnings, fmt.Sprintf("the folder holds %s too; %s was opened", listed(left, 5), escape.Printable(opened)))
}

// listed writes out at most so many names.
func listed(names []string, most int) string {
	out := make([]string, 0, most)
	for _, n := range names[:min(most, len(names))] {
		out = append(out, escape.Printable(n))
	}
	if more := len(names) - most; more > 0 {
		return strings.Join(out, ", ") + " and " + strconv.Itoa(more) + " more"
	}
	return strings.Join(out, ", ")
}

// noWeights are endings of files that need not be looked into.
var noWeights = regexp.MustCompile(`(?i)\.(json|jsonl|txt|md|py|jinja|model|yaml|yml|log|lock|png|jpe?g|pdf|html?|wfp|wpi)$|^\.`)

// unnamed looks at a folder without a file that its name makes a checkpoint:
// one may be told by what it holds, and models may lie in the folders within.
func (op *opener) unnamed(names []string) error {
	if list := op.modules(); len(list) > 0 && len(op.components(names)) > 0 {
		return nil // of a SentenceTransformers model all parts lie in folders
	}
	var known []string
	instead := hint(names)
	within := op.components(names)
	looked := 0
	for _, name := range names {
		if noWeights.MatchString(name) || op.c.Remote() || looked >= 100 || op.below(name) != nil {
			continue
		}
		looked++
		switch holds, what := op.holds(name); {
		case holds:
			known = append(known, name)
		case strings.Contains(what, "; ") || strings.Contains(what, "not read"): // no text or picture
			instead = fmt.Sprintf("; %s is %s", escape.Printable(name), what)
		}
	}
	switch {
	case len(known) == 1:
		return op.file(known[0])
	case len(known) > 1:
		return op.several(known)
	case len(within) > 0:
		return tensor.Errorf(tensor.ErrNotModel, op.dir, -1, "folder", "no model lies here, but in the folders within: %s; name one of them", listed(within, 20))
	}
	return tensor.Errorf(tensor.ErrNotModel, op.dir, -1, "folder", "no file of a format that is read lies here (%s)%s", namesOf(op.formats()), instead)
}

// holds tells whether a file begins as a checkpoint does, or else what it is.
func (op *opener) holds(name string) (yes bool, what string) {
	x, err := op.place.Open(op.ctx, name)
	if err != nil {
		return false, ""
	}
	defer x.Close()
	in := op.inputOf(name, x)
	if slices.ContainsFunc(op.formats(), func(f Format) bool { return f.Recognise(in) }) && !torch.Refuses(in.Head) {
		return true, ""
	}
	return false, lies(in.Head)
}

// hint says what lies in a folder instead.
func hint(names []string) string {
	for _, name := range names {
		switch filepath.Ext(name) {
		case ".pb", ".mlmodel", ".ort":
			return fmt.Sprintf("; %s is of a format that is not read", escape.Printable(name))
		case ".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle", ".joblib", ".pdparams":
			return fmt.Sprintf("; %s may be one, name it", escape.Printable(name))
		}
	}
	return ""
}

// ErrTruncated says that a file ends before what its own header says lies in it, as after
// an interrupted download. It is io.ErrUnexpectedEOF.
var ErrTruncated = io.ErrUnexpectedEOF

// ErrIncomplete says that a shard is missing that an index names. It is an
// fs.ErrNotExist.
var ErrIncomplete = fmt.Errorf("incomplete download: %w", fs.ErrNotExist)

// stale decides what to open where shards that an index names do not lie in its
// folder. Nothing else may be opened silently: whole checkpoints beside it are
// opened where the index names nothing that is there and the folder's own name
// for a single file stands beside it, as libraries do, or where the caller
// asked to be lenient.
func (op *opener) stale(label string, ix *index, shards, missing []string) error {
	whole := op.wholeBeside(ix)
	single := strings.TrimSuffix(op.base(label), ".index.json")
	why := fmt.Sprintf("the index names %s, not found here", listed(missing, 3))
	switch {
	case len(whole) == 0:
		_, err := op.blob(missing[0])
		if err == nil || !isAbsent(err) {
			return err
		}
		return tensor.Errorf(ErrIncomplete, op.place.Label(missing[0]), -1, "file", "does not lie here, but the index names it: the download is incomplete")
	case len(missing) == len(shards) && slices.Contains(whole, single):
		op.c.Warnings = append(op.c.Warnings, why+"; "+single+" was opened")
		return op.single(single)
	case len(whole) > 1:
		return tensor.Errorf(tensor.ErrFormat, label, -1, "weight_map", "%s: the download is incomplete, or the index is of another build; whole checkpoints lie beside it, name one of them: %s", why, listed(whole, 20))
	}
	if err := op.forgive(tensor.Errorf(tensor.ErrFormat, label, -1, "weight_map", "%s: the download is incomplete, or the index is of another build; %s is whole, name it to read it", why, escape.Printable(whole[0]))); err != nil {
		return err
	}
	if m := numbered.FindStringSubmatch(whole[0]); m != nil {
		return op.set(m)
	}
	return op.single(whole[0])
}

// wholeBeside lists the complete checkpoints beside an index, of the index's format.
func (op *opener) wholeBeside(ix *index) (out []string) {
	names, err := op.place.Names(op.ctx)
	if err != nil {
		return nil
	}
	for name, rank := range weights(op.o.Formats, names) {
		m := numbered.FindStringSubmatch(name)
		switch {
		case !strings.HasSuffix(name, "."+ix.ending) || rank >= slices.Index(choices, projector):
		case m == nil:
			if ix.shards[name] == "" {
				out = append(out, name)
			}
		case completeSet(names, m):
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}

// completeSet tells whether all shards of a set are there.
func completeSet(names []string, m []string) bool {
	n, _ := strconv.Atoi(m[3])
	have := 0
	for _, name := range names {
		if x := numbered.FindStringSubmatch(name); x != nil && x[1] == m[1] && x[3] == m[3] && x[4] == m[4] && x[2] != "00000" {
			have++
		}
	}
	return n > 0 && have == n
}
