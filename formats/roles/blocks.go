package roles

import (
	"slices"

	"github.com/weightprint/weightprint/formats/tensor"
)

// blocksOf finds the layers of a model whose names are not known: runs of tensors whose
// shapes return, each in stored order, under numbers that names carry, or one after
// another. rest are the tensors around them.
func blocksOf(ts []*tensor.Tensor) (blocks [][]*tensor.Tensor, rest []*tensor.Tensor) {
	for place := range mostNumbers {
		if blocks, rest = numbered(ts, place); blocks != nil {
			return blocks, rest
		}
	}
	return periodic(ts)
}

// mostNumbers is how many of the numbers in a name are tried as that of the layer.
const mostNumbers = 3

// numbered groups tensors by the number at some place of their names, where names that
// differ in nothing else return under every number.
func numbered(ts []*tensor.Tensor, place int) (blocks [][]*tensor.Tensor, rest []*tensor.Tensor) {
	at := map[int]int{} // block by number
	first := map[string]int{}
	for _, t := range ts {
		stem, n, ok := numberAt(t.Name, place)
		if !ok {
			rest = append(rest, t)
			continue
		}
		b, known := at[n]
		if !known {
			b = len(blocks)
			at[n], blocks = b, append(blocks, nil)
		}
		blocks[b] = append(blocks[b], t)
		first[stem]++
	}
	if len(blocks) < minBlocks {
		return nil, nil
	}
	for _, times := range first {
		if times != len(blocks) {
			return nil, nil
		}
	}
	slices.SortFunc(blocks, func(a, b []*tensor.Tensor) int {
		_, x, _ := numberAt(a[0].Name, place)
		_, y, _ := numberAt(b[0].Name, place)
		return x - y
	})
	for _, b := range blocks {
		stem := func(t *tensor.Tensor) string { s, _, _ := numberAt(t.Name, place); return s }
		slices.SortStableFunc(b, func(x, y *tensor.Tensor) int { return slices.Compare([]byte(stem(x)), []byte(stem(y))) })
		if !sameShapes(blocks[0], b) {
			return nil, nil
		}
	}
	return blocks, rest
}

// numberAt finds the number at some place of a name, and the name without it.
func numberAt(name string, place int) (stem string, n int, ok bool) {
	for i := 0; i < len(name) && len(name) <= maxName; {
		j := i
		for j < len(name) && '0' <= name[j] && name[j] <= '9' {
			j++
		}
		if j == i {
			i++
			continue
		}
		if place == 0 {
			n, ok := number(name[i:j])
			return name[:i] + "#" + name[j:], n, ok
		}
		place--
		i = j
	}
	return "", 0, false
}

// periodic finds the run of tensors in stored order whose shapes return after every so
// many; the shortest such period of the longest run.
func periodic(ts []*tensor.Tensor) (blocks [][]*tensor.Tensor, rest []*tensor.Tensor) {
	best, at, period := 0, 0, 0
	for p := shortestBlock; p <= min(longestBlock, len(ts)/minBlocks); p++ {
		run := 0
		for i := 0; i+p < len(ts); i++ {
			if run++; !slices.Equal(ts[i].Shape, ts[i+p].Shape) {
				run = 0
			}
			if whole := (run + p) / p * p; run >= p && whole > best {
				best, at, period = whole, i-run+1, p
			}
		}
	}
	if period == 0 {
		return nil, nil
	}
	for b := range slices.Chunk(ts[at:at+best], period) {
		blocks = append(blocks, b)
	}
	return blocks, slices.Concat(ts[:at], ts[at+best:])
}

// A decoder layer has a handful of tensors at least, and some dozens at most.
const (
	shortestBlock = 5
	longestBlock  = 64
	mostTensors   = 1 << 14 // of all layers, and around them
)

func sameShapes(a, b []*tensor.Tensor) bool {
	return slices.EqualFunc(a, b, func(x, y *tensor.Tensor) bool { return slices.Equal(x.Shape, y.Shape) })
}
