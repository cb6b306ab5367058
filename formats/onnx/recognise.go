package onnx

import (
	"strings"

	"github.com/weightprint/weightprint/internal/saferio"
)

// longestProducer is more than any writer calls itself: what stands there in other
// formats that begin alike, such as Core ML's, is a whole description.
const longestProducer = 512

// Recognises tells from a file's beginning whether it is an ONNX model: the
// version of the format, then fields of a ModelProto in rising order, as all
// writers put them.
func Recognises(head []byte) bool {
	d := &decoder{Cursor: saferio.NewCursor(strings.NewReader(string(head)), int64(len(head))), end: 1 << 62}
	last := 0
	for {
		x, err := d.next("model")
		switch {
		case err != nil:
			return last >= 2 // what follows lies beyond the beginning
		case last == 0 && (x.number != 1 || x.wire != wireVarint || x.value < 1 || x.value > 100):
			return false
		case modelFields[x.number] != x.wire+1:
			return false
		case x.number < last:
			return last >= 7
		}
		if last = x.number; x.number == 7 {
			return true
		}
		if x.number == 2 && x.hi-x.lo > longestProducer {
			return false
		}
		if x.wire == wireBytes && d.Skip(uint64(x.hi-x.lo)) != nil {
			return last >= 2 && x.hi-x.lo < 1<<32
		}
	}
}

// modelFields are the wire types of ModelProto's fields, plus one.
var modelFields = map[int]int{1: 1, 2: 3, 3: 3, 4: 3, 5: 1, 6: 3, 7: 3, 8: 3, 14: 3, 20: 3, 25: 3}
