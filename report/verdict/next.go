package verdict

import (
	"regexp"
	"strings"
)

// Steps that would settle an open verdict: what to do and, behind a colon, the
// command that does it. A and B stand for the subjects there, other capitals for
// what only the reader has.
const (
	readAll       = "read everything: weightprint compare A B --depth full --budget full"
	drawUnits     = "draw the units by a text that nobody could foresee, so that fewer suffice: weightprint compare A B --nonce TEXT"
	runCalibrated = "run the tests that see through a disguise: weightprint compare A B --depth normal"
	addTokenizers = "put the tokenizers beside the models, so that tokens are paired by their strings, and repeat: weightprint compare A B"
	askBase       = "see which base the adapter's files name: weightprint inspect ADAPTER"
	nameBase      = "compare on that base, which stands for BASE: weightprint compare A B --base BASE"
	findParts     = "see which parts the two have, and compare models whose parts correspond: weightprint inspect B"
	tooFewUnits   = "nothing more in these files, for so few units do not tell; ask for a checkpoint of the training between: weightprint compare A CHECKPOINT"
	unseenThrough = "no test of this program sees through a disguise of such networks; ask for a checkpoint of B's training: weightprint compare A CHECKPOINT"
	askDuplicates = "ask whoever made it why units stand there more than once, and list its tensors: weightprint inspect B"
	askOrigin     = "ask both sides where that matrix comes from, and for a checkpoint from early in B's training: weightprint compare A CHECKPOINT"
	askCheckpoint = "all was read; ask for a checkpoint from early in B's training, which is harder to arrange: weightprint compare A CHECKPOINT"
	useWeights    = "compare the weights, of which fingerprints show only sketches: weightprint compare MODEL MODEL"
)

// Steps lists every step that a verdict can name.
func Steps() []string {
	return []string{readAll, drawUnits, runCalibrated, addTokenizers, askBase, nameBase, findParts, tooFewUnits, unseenThrough, askDuplicates, askOrigin, askCheckpoint, useWeights}
}

// more is what to do where more units might tell: read them, or where all were
// read ask for another file.
func (f *Facts) more() string {
	if f.Exhausted {
		return askCheckpoint
	}
	return readAll
}

// unquoted matches what a shell takes as it stands.
var unquoted = regexp.MustCompile(`^[A-Za-z0-9_@%+=:,./-]+$`)

// StepWords takes a step apart into what to do and the command that does it, with
// the references of the subjects in it, quoted for a shell.
func StepWords(step string, refs [2]string) (words, command string) {
	at := strings.Index(step, "weightprint ")
	if at < 0 {
		return step, ""
	}
	fields := strings.Fields(step[at:])
	for i, f := range fields {
		for k, ref := range refs {
			if f != Side(k) || ref == "" {
				continue
			}
			if fields[i] = ref; !unquoted.MatchString(ref) {
				fields[i] = "'" + strings.ReplaceAll(ref, "'", `'\''`) + "'"
			}
			break
		}
	}
	return strings.TrimSuffix(step[:at], ": "), strings.Join(fields, " ")
}
