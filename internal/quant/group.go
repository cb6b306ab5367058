package quant

// Group is what the codes of a group of values are scaled with:
// value = (code − Zero)·Scale + Bias.
type Group struct {
	Scale      float32
	Low, High  float32 // whatever lies between is stored as Scale
	Zero, Bias float32
	Size       int64 // values of the group
}
