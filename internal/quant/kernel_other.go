//go:build !amd64 || purego

package quant

func scaledRuns(dst []float32, code []byte, scale []float32, run, stride, bias int) {
	scaledRunsPlain(dst, code, scale, run, stride, bias)
}

func affineRuns(dst []float32, code []byte, scale, less []float32, run int) {
	affineRunsPlain(dst, code, scale, less, run)
}

func nibbleRuns(dst []float32, code []byte, by []float32, stride, bias int) {
	nibbleRunsPlain(dst, code, by, stride, bias)
}

func fiveBitRuns(dst *[256]float32, code *[128]byte, fifth *[32]byte, scale, less *[16]float32) {
	fiveBitRunsPlain(dst, code, fifth, scale, less)
}

func halves(dst []float32, src []byte)  { halvesPlain(dst, src) }
func bfloats(dst []float32, src []byte) { bfloatsPlain(dst, src) }
func floats(dst []float32, src []byte)  { floatsPlain(dst, src) }
