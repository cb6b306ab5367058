//go:build !amd64 || purego

package dense

// None of the values are done before.
func finite([]float32) int                                  { return 0 }
func add(_, _ []float32) int                                { return 0 }
func addSizes(_, _ []float32) int                           { return 0 }
func addMultiple(_ []float64, _ float64, _ []float64) int   { return 0 }
func addMultiple32(_ []float64, _ float64, _ []float32) int { return 0 }
func addTo([]float64, []float32) int                        { return 0 }
func addSquares(_, _ []float64, _ []float32) int            { return 0 }
func scale(_, _ []float32, _, _ []float64) int              { return 0 }
func shift(_ []float32, _, _ float64) int                   { return 0 }
func multiply(_, _ []float32) int                           { return 0 }
func lanes(*[4]float64, []float64, []float64) int           { return 0 }
func sums(_, _ *[4]float64, _ []float32) int                { return 0 }
func signChanges([]float32) (next, changes int)             { return 0, 0 }
func largest([]float32) (size uint32, next int)             { return 0, 0 }
