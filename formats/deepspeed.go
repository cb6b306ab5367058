package formats

import (
	"regexp"
	"slices"
	"strings"

	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/internal/escape"
)

// Files of the checkpoints that DeepSpeed writes, a folder a step, named in the file
// "latest" above them.
var (
	latestFile = "latest"
	wholeState = regexp.MustCompile(`^mp_rank_\d+_model_states\.pt$`)                  // of ZeRO's stages 0 to 2, one a rank of model parallelism
	splitState = regexp.MustCompile(`^zero_pp_rank_\d+_mp_rank_\d+_model_states\.pt$`) // of stage 3
)

// deepspeed opens the model of a checkpoint of DeepSpeed: where its weights lie in
// one file. done is false for other folders.
func (op *opener) deepspeed(names []string) (done bool, err error) {
	if step := op.latest(names); step != "" {
		op.place = op.below(step)
		op.dir = op.place.Label("")
		return true, op.folder()
	}
	var whole []string
	for _, name := range names {
		switch {
		case wholeState.MatchString(name):
			whole = append(whole, name)
		case splitState.MatchString(name):
			return true, tensor.Errorf(tensor.ErrUnsupported, op.place.Label(name), -1, "file name", "DeepSpeed's ZeRO stage 3 keeps the weights in pieces in the files of the optimiser; zero_to_fp32.py, which DeepSpeed lays beside them, puts them together")
		}
	}
	switch len(whole) {
	case 0:
		return false, nil
	case 1:
		return true, op.single(whole[0])
	}
	return true, tensor.Errorf(tensor.ErrUnsupported, op.dir, -1, "folder", "DeepSpeed wrote the weights in %d pieces of model parallelism (%s); its ds_to_universal or the training framework's converter puts them together", len(whole), listed(whole, 3))
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
