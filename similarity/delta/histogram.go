package delta

// histogramBins is the number of bins of a Histogram; bins of a tenth of a
// standard deviation and two for the tails.
const histogramBins = 102

// HistogramReach is how many standard deviations a Histogram reaches to either
// side.
const HistogramReach = 5.0

// Histogram counts differences in units of their own root mean square: bins
// of equal width from −HistogramReach to +HistogramReach, and before and
// behind them one bin for all that lies further out.
type Histogram [histogramBins]int64

// add counts differences whose root mean square is size.
func (h *Histogram) add(d []float32, size float64) {
	const inner = histogramBins - 2
	for _, x := range d {
		at := (float64(x)/size + HistogramReach) * inner / (2 * HistogramReach)
		switch {
		case at < 0:
			h[0]++
		case at >= inner:
			h[histogramBins-1]++
		default:
			h[1+int(at)]++
		}
	}
}

// Merge adds the counts of other differences.
func (h *Histogram) Merge(o *Histogram) {
	for i, n := range o {
		h[i] += n
	}
}
