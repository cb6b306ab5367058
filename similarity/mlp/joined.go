package mlp

// Joined is a block that Rejoined made, put together when it is asked for: of many layers
// few units are made anew, and copies of all would take as much memory as the layers.
type Joined struct {
	head Block       // without rows
	of   Block       // that it was made of
	from []int32     // for each unit which of those it is, −1 for the next of made; nil where it is of
	made [][]float32 // rows of units that were made, view by view
}

// Join is Rejoined.
func Join(b Block) *Joined {
	out, from := b.rejoined()
	if from == nil {
		return Whole(out)
	}
	j := &Joined{head: out.bare(), of: b, from: from}
	for _, v := range out.Views() {
		var made []float32
		for u, f := range from {
			if f < 0 {
				made = append(made, out.row(&v, u)...)
			}
		}
		j.made = append(j.made, made)
	}
	return j
}

// Whole is a block as it is.
func Whole(b Block) *Joined { return &Joined{head: b.bare(), of: b} }

// Head is the block without its rows.
func (j *Joined) Head() Block { return j.head }

// Block is the block.
func (j *Joined) Block() Block {
	if j.from == nil {
		return j.of
	}
	var views [][]float32
	for k, v := range j.of.Views() {
		views = append(views, j.rows(&v, j.made[k]))
	}
	out := Ungated(views[0], views[len(views)-1], j.head.Units, j.head.Hidden)
	if j.of.gated() {
		out = Gated(views[0], views[1], views[2], j.head.Units, j.head.Hidden)
	}
	out.Turned, out.Compass = j.head.Turned, j.head.Compass
	return out
}

// rows are those of one view.
func (j *Joined) rows(of *View, made []float32) []float32 {
	h := j.head.Hidden
	out := make([]float32, 0, len(j.from)*h)
	for _, u := range j.from {
		if u < 0 {
			out, made = append(out, made[:h]...), made[h:]
		} else {
			out = append(out, j.of.row(of, int(u))...)
		}
	}
	return out
}

// bare is the block without its views.
func (b Block) bare() Block {
	b.First, b.Second = nil, nil
	return b
}
