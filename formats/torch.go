package formats

import (
	"context"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/formats/torch"
	"github.com/weightprint/weightprint/internal/escape"
)

var torchFormat = Format{
	Name: "torch", Endings: []string{".bin", ".pt", ".pth", ".ckpt", ".nemo", ".jit", ".pt2"},
	Recognise: func(in *Input) bool { return torch.Recognises(in.Head) },
	Read:      readTorch,
}

var distributedFormat = Format{
	Name: "torch", Endings: []string{".metadata"},
	Recognise: func(in *Input) bool { return torch.IsDistributed(in.Head) },
	Read:      readDistributed,
}

// readDistributed reads a folder that torch.distributed.checkpoint wrote.
func readDistributed(ctx context.Context, in *Input) (tensor.Model, error) {
	m, err := torch.ReadDistributed(ctx, in.Label, in, in.Size, func(name string) (*torch.Part, error) {
		beside, err := in.Beside(name, ".metadata storage_data")
		if err != nil {
			return nil, err
		}
		return &torch.Part{ReaderAt: beside, Label: beside.Label, Size: beside.Size}, nil
	})
	if err != nil {
		return nil, err
	}
	in.op.c.storage += m.Distinct
	for _, w := range m.Warnings {
		in.Warn(w)
	}
	return m, nil
}

// torchNames matches the files of a folder that hold a model in torch's
// format, the surest names first. Others of the same endings hold the state
// of a training run.
var torchNames = []*regexp.Regexp{
	regexp.MustCompile(`^(diffusion_)?pytorch_model\.bin$`),
	regexp.MustCompile(`\.bin\.index\.json$`),
	regexp.MustCompile(`^pytorch_model-\d{5}-of-\d{5}\.bin$`),
	regexp.MustCompile(`^adapter_model\.bin$`),
	regexp.MustCompile(`\.(pt|pth|ckpt|nemo|jit)$`),
	regexp.MustCompile(`\.pt2$`),
}

// trainingFile matches what a training run leaves beside its model.
var trainingFile = regexp.MustCompile(`^(training_args|optimizer|scheduler|scaler|rng_state)|_optim_states\.pt$`)

func readTorch(ctx context.Context, in *Input) (tensor.Model, error) {
	m, err := torch.Read(ctx, in.Label, in, in.Size, &torch.Options{Lenient: in.Options.Lenient})
	if err != nil {
		return nil, err
	}
	in.op.c.storage += m.Distinct
	for _, w := range m.Warnings { // shards repeat them
		in.Warn(w)
	}
	return m, nil
}

// shard opens a shard of a set by its name's ending: an index does not mix
// formats.
func (op *opener) shard(f *File) (tensor.Model, error) {
	if strings.HasSuffix(f.Path, ".bin") {
		return op.read(torchFormat, op.input(f))
	}
	return op.read(safetensorsFormat, op.input(f))
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
