package fingerprint

import (
	"errors"
	"fmt"

	"github.com/weightprint/weightprint/formats/tensor"
)

// ErrLimit is returned for a fingerprint that is larger than readers take: it is
// not written.
var ErrLimit = errors.New("larger than a fingerprint file may be")

// limit bounds a number in a file. Writers and readers hold every number
// against the same one, so that nothing is written that cannot be read.
type limit struct {
	what string
	most uint64
}

// MaxFileBytes is the largest fingerprint file: as many tensors as are taken,
// with names of 80 bytes that share nothing.
const MaxFileBytes = 32 << 20

// The limits. Networks of 10¹² parameters with experts have 140,000 tensors.
var (
	limitTensors    = limit{"tensors", 1 << 18}
	limitText       = limit{"length of a text", 4 << 10}
	limitRank       = limit{"rank", 64}
	limitDimension  = limit{"dimension of a tensor", 1 << 62}
	limitParameters = limit{"parameters", 1 << 62}
	limitKinds      = limit{"kinds", 1 << 12}
	limitSketches   = limit{"sketches", 4 * maxSketches}
	limitLength     = limit{"length of an axis", 1 << 20} // units of an axis that is sketched
	limitWidth      = limit{"dimension of an axis", 1 << 30}
	limitProbed     = limit{"probed layers", probedLayers}
	limitUnits      = limit{"units of a probed layer", maxProbed}
	limitProbes     = limit{"probes", maxProbes}
	limitTokens     = limit{"tokens", uint64(tokenCounts[0])}
	limitVocabulary = limit{"vocabulary", 1 << 24}
	limitFile       = limit{"bytes", MaxFileBytes}
)

// check tells what a number breaks.
func (l limit) check(v uint64) error {
	if v > l.most {
		return fmt.Errorf("%s %d, at most %d are taken", l.what, v, l.most)
	}
	return nil
}

// Fits tells before any value is read whether the fingerprint of a model can be
// written: ErrLimit where it has more tensors, or longer names, than files take.
func Fits(m tensor.Model) error {
	ts := m.Tensors()
	e := &encoder{}
	e.check(limitTensors, uint64(len(ts)))
	for _, t := range ts {
		e.check(limitText, uint64(len(t.Name)))
		e.check(limitRank, uint64(len(t.Shape)))
	}
	return e.err
}
