package architecture

// Every number by which this package judges, with its source. Reports state
// them under policy.thresholds; the numbers of delta, which looks at the
// matrices themselves, stand there.
const (
	// Theory: where a gain was multiplied and the columns behind it divided by
	// as much, the two vary against each other, and the slope of the logarithms
	// is −1. Training leaves a positive correlation between gains and the
	// columns that read them: 0.2 to 0.8 in networks of known history.
	rescaledCorrelation = -0.7
	// Distance of the slope from −1. Theory: the sizes of columns are measured
	// on 64 rows, which leaves ln size a standard error of about 0.09.
	rescaledSlope = 0.2
	// Least spread of ln gain. Gains that vary by less than a tenth say nothing
	// against the error of the sizes of columns.
	rescaledSpread = 0.1
	// Rows of a matrix by which the sizes of its columns are known, and layers
	// that are looked at: by the cost of reading.
	rescaledRows   = 64
	rescaledLayers = 2
	// Matrices that must agree before gains are called rescaled, and columns of
	// each: one matrix alone, or a few columns, may vary so by chance.
	rescaledReaders = 2
	rescaledColumns = 16

	// A query head stands at another place where its rows point as those of
	// another head do, with a mean cosine of 0.3 and 0.3 above that with its
	// namesake. Theory: the mean of 4 rows of unrelated heads scatters by
	// 1/√(4·columns), 0.06 at 64 columns, which is a fifth of that.
	headAlike = 0.3
	// Rows looked at of each head, and layers: by the cost of reading.
	headRows   = 4
	headLayers = 6
	// Query matrices above this cosine stand at their own places, and are not
	// looked at further: permuted heads leave less.
	queriesAlike = 0.97

	// Embeddings above this cosine, row by row, are not asked for rows that
	// moved: a vocabulary of which most rows moved leaves less.
	rowsAlike = 0.5
)

// Thresholds lists the numbers by which architectures are judged, by name.
func Thresholds() map[string]float64 {
	return map[string]float64{
		"architecture.rescaledCorrelation": rescaledCorrelation,
		"architecture.rescaledSlope":       rescaledSlope,
		"architecture.rescaledSpread":      rescaledSpread,
		"architecture.rescaledRows":        rescaledRows,
		"architecture.rescaledLayers":      rescaledLayers,
		"architecture.rescaledReaders":     rescaledReaders,
		"architecture.rescaledColumns":     rescaledColumns,
		"architecture.headAlike":           headAlike,
		"architecture.headRows":            headRows,
		"architecture.headLayers":          headLayers,
		"architecture.queriesAlike":        queriesAlike,
		"architecture.rowsAlike":           rowsAlike,
	}
}
