package roles

// Rotary says how positions turn the rows of queries and keys.
type Rotary string

// The kinds of rotary positions.
const (
	NoRotary    Rotary = ""            // positions enter in another way
	Half        Rotary = "half"        // row i turns with row i + d/2
	Interleaved Rotary = "interleaved" // row 2i turns with row 2i + 1
)

// RotaryOrder returns the row order that undoes the interleaving which the
// GGUF converter applies to query and key rows of some architectures: row
// h·d + k·d/2 + j of the Hugging Face order (k = 0, 1; j < d/2) is stored as
// row h·d + 2j + k. It returns nil when the rows do not divide into heads of
// even size. Source: permute in llama.cpp's convert_hf_to_gguf.
func RotaryOrder(rows, heads int) []int {
	if heads <= 0 || rows%heads != 0 || rows/heads%2 != 0 {
		return nil
	}
	d := rows / heads
	order := make([]int, rows)
	for r := range order {
		h, within := r/d, r%d
		k, j := within/(d/2), within%(d/2)
		order[r] = h*d + 2*j + k
	}
	return order
}
