package formats

import (
	"context"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/formats/torch"
	"github.com/weightprint/weightprint/internal/escape"
)

// Files of the checkpoints that DeepSpeed writes, a folder a step, named in the file
// "latest" above them.
var (
	latestFile = "latest"
	wholeState = regexp.MustCompile(`^mp_rank_\d+_model_states\.pt$`)                      // of ZeRO's stages 0 to 2, one a rank of model parallelism
	splitState = regexp.MustCompile(`^zero_pp_rank_(\d+)_mp_rank_(\d+)_model_states\.pt$`) // of stage 3, one a rank
	optimState = regexp.MustCompile(`^(?:bf16_|fp16_)?zero_pp_rank_(\d+)_mp_rank_(\d+)_optim_states\.pt$`)
)

// deepspeed opens the model of a checkpoint of DeepSpeed: where its weights lie in
// one file. done is false for other folders.
func (op *opener) deepspeed(names []string) (done bool, err error) {
	if step := op.latest(names); step != "" {
		op.place = op.below(step)
		op.dir = op.place.Label("")
		return true, op.folder()
	}
	if slices.ContainsFunc(names, splitState.MatchString) {
		return true, op.zero(names)
	}
	whole := slices.DeleteFunc(slices.Clone(names), func(n string) bool { return !wholeState.MatchString(n) })
	switch len(whole) {
	case 0:
		return false, nil
	case 1:
		return true, op.single(whole[0])
	}
	return true, tensor.Errorf(tensor.ErrUnsupported, op.dir, -1, "folder", "DeepSpeed wrote the weights in %d pieces of model parallelism (%s); its ds_to_universal or the training framework's converter puts them together", len(whole), listed(whole, 3))
}

// zero opens a checkpoint of ZeRO's stage 3, whose ranks each have a share of every
// parameter.
func (op *opener) zero(names []string) error {
	models, err := op.ranked(names, splitState)
	if err != nil {
		return err
	}
	optimisers, err := op.ranked(names, optimState)
	if err != nil {
		return err
	}
	if len(models) != len(optimisers) {
		return tensor.Errorf(ErrIncomplete, op.dir, -1, "folder", "ZeRO's stage 3 keeps a share of the weights in the optimiser's file of each rank: %d of them and %d files of model states lie here", len(optimisers), len(models))
	}
	f := Format{Name: "torch", Read: func(ctx context.Context, in *Input) (tensor.Model, error) {
		m, err := torch.ReadZeRO(ctx, models, optimisers)
		if err != nil {
			return nil, err
		}
		op.c.storage += m.Distinct
		return m, nil
	}}
	m, err := op.read(f, nil)
	if err != nil {
		return err
	}
	return op.c.join(m, op.dir)
}

// ranked opens the files of one kind in the order of their ranks, of which none may
// be missing.
func (op *opener) ranked(names []string, kind *regexp.Regexp) ([]*torch.Part, error) {
	byRank := map[int]string{}
	for _, name := range names {
		m := kind.FindStringSubmatch(name)
		if m == nil {
			continue
		}
		if strings.Trim(m[2], "0") != "" {
			return nil, tensor.Errorf(tensor.ErrUnsupported, op.place.Label(name), -1, "file name", "ZeRO's stage 3 together with model parallelism is not read; DeepSpeed's ds_to_universal puts the pieces together")
		}
		rank, err := strconv.Atoi(m[1])
		if err != nil || byRank[rank] != "" {
			return nil, tensor.Errorf(tensor.ErrFormat, op.place.Label(name), -1, "file name", "a second file of rank %s", m[1])
		}
		byRank[rank] = name
	}
	var out []*torch.Part
	for rank := range len(byRank) {
		name, ok := byRank[rank]
		if !ok {
			return nil, tensor.Errorf(ErrIncomplete, op.dir, -1, "folder", "the file of rank %d does not lie here, but those of %d others", rank, len(byRank))
		}
		f, err := op.blob(name)
		if err != nil {
			return nil, err
		}
		in := op.input(f)
		out = append(out, &torch.Part{ReaderAt: in, Label: in.Label, Size: in.Size})
	}
	return out, nil
}

// latest is the folder of the last step, "" where there is none.
func (op *opener) latest(names []string) string {
	if !slices.Contains(names, latestFile) {
		return ""
	}
	b, err := op.small(latestFile, 1<<10)
	step := strings.TrimSpace(string(b))
	if err != nil || step == latestFile || !slices.Contains(names, step) || op.below(step) == nil {
		if err == nil && plainName(step) && len(step) < 64 {
			op.c.Warnings = append(op.c.Warnings, "latest names "+escape.Printable(step)+", which does not lie here")
		}
		return ""
	}
	inner, err := op.below(step).Names(op.ctx)
	if err != nil || !slices.ContainsFunc(inner, func(n string) bool { return strings.HasSuffix(n, "_model_states.pt") }) {
		return ""
	}
	return step
}
