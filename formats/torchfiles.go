package formats

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/formats/torch"
	"github.com/weightprint/weightprint/internal/escape"
)

// torchNames matches the files of a folder that hold a model in torch's
// format, the surest names first. Others of the same endings hold the state
// of a training run.
var torchNames = []*regexp.Regexp{
	regexp.MustCompile(`^(diffusion_)?pytorch_model\.bin$`),
	regexp.MustCompile(`\.bin\.index\.json$`),
	regexp.MustCompile(`^pytorch_model-00001-of-\d{5}\.bin$`),
	regexp.MustCompile(`^adapter_model\.bin$`),
	regexp.MustCompile(`\.(pt|pth|ckpt)$`),
}

var torchEnding = regexp.MustCompile(`\.(bin|pt|pth|ckpt)$`)

// trainingFile matches what a training run leaves beside its model.
var trainingFile = regexp.MustCompile(`^(training_args|optimizer|scheduler|scaler|rng_state)`)

// claimsTorch tells a file that only its name makes a torch checkpoint, so
// that the refusal speaks of that. A safetensors file is read under any name.
func claimsTorch(name string, head []byte) bool {
	return torchEnding.MatchString(name) && (len(head) <= 8 || head[8] != '{' && head[8] != ' ')
}

// torchFiles lists a folder's files that match the surest of the names.
func torchFiles(names []string) []string {
	for _, pattern := range torchNames {
		var found []string
		for _, name := range names {
			if pattern.MatchString(name) && !trainingFile.MatchString(name) {
				found = append(found, name)
			}
		}
		if len(found) > 0 {
			return found
		}
	}
	return nil
}

// torchFolder opens the one torch checkpoint of a folder.
func (op *opener) torchFolder(found []string) error {
	if len(found) > 1 {
		return tensor.Errorf(tensor.ErrNotModel, op.dir, -1, "folder", "several checkpoints lie here, name one of them: %s", strings.Join(quoted(found), ", "))
	}
	return op.file(found[0])
}

// beside notes that torch files were passed over for another format.
func (op *opener) beside(pickled []string, opened string) {
	if len(pickled) > 0 {
		op.c.Warnings = append(op.c.Warnings, fmt.Sprintf("the folder holds %s too; %s was opened", escape.Printable(pickled[0]), escape.Printable(opened)))
	}
}

func (op *opener) torch(f *File) (*torch.File, error) {
	m, err := torch.Read(op.ctx, f.label(op), f, f.Size(), &torch.Options{Lenient: op.o.Lenient})
	if err != nil {
		return nil, err
	}
	op.c.Format = "torch"
	op.c.storage += m.Distinct
	for _, w := range m.Warnings {
		if !slices.Contains(op.c.Warnings, w) { // shards repeat them
			op.c.Warnings = append(op.c.Warnings, w)
		}
	}
	return m, nil
}

// shard opens a shard of a set by its name's ending: an index does not mix
// formats.
func (op *opener) shard(f *File) (tensor.Model, error) {
	if strings.HasSuffix(f.Path, ".bin") {
		return op.torch(f)
	}
	return op.safetensors(f)
}

// shardEnding is the ending of the shards that an index of a given name
// lists.
func shardEnding(index string) string {
	if strings.HasSuffix(index, ".bin.index.json") {
		return "bin"
	}
	return "safetensors"
}

// noteSize warns of a declared size that is neither the sum of the tensors'
// bytes nor that of their storages. For torch it is no error: writers have
// counted shared storages once or often, and a boolean as an eighth of a byte.
func (op *opener) noteSize(ix *index, total int64) {
	if n, err := strconv.ParseFloat(ix.size, 64); err == nil && (n == float64(total) || n == float64(op.c.storage)) {
		return
	}
	op.c.Warnings = append(op.c.Warnings, fmt.Sprintf("the index declares a total_size of %s, the tensors have %d bytes", escape.Printable(ix.size), total))
}
