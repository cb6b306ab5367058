package linalg

import (
	"fmt"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/mat"
)

// Product returns op(A)·op(B) of row-major matrices, where op transposes if asked
// to. A is ra×ca and B rb×cb as stored.
func Product(a []float64, ra, ca int, transA bool, b []float64, rb, cb int, transB bool) []float64 {
	rows, cols, ta, tb := ra, cb, blas.NoTrans, blas.NoTrans
	if transA {
		rows, ta = ca, blas.Trans
	}
	if transB {
		cols, tb = rb, blas.Trans
	}
	out := make([]float64, rows*cols)
	blas64.Gemm(ta, tb, 1, general(a, ra, ca), general(b, rb, cb), 0, general(out, rows, cols))
	return out
}

func general(v []float64, rows, cols int) blas64.General {
	return blas64.General{Rows: rows, Cols: cols, Stride: max(1, cols), Data: v}
}

// Polar returns the orthogonal n×n matrix R that maximises the trace of RᵀM: the
// answer to the Procrustes problem (Schönemann 1966).
func Polar(m []float64, n int) (r []float64, err error) {
	defer guard(&err)
	var svd mat.SVD
	if !svd.Factorize(mat.NewDense(n, n, m), mat.SVDFull) {
		return nil, errFailed
	}
	var u, v, out mat.Dense
	svd.UTo(&u)
	svd.VTo(&v)
	out.Mul(&u, v.T())
	return out.RawMatrix().Data, nil
}

// Inverse returns the inverse of an n×n matrix.
func Inverse(a []float64, n int) (inv []float64, err error) {
	defer guard(&err)
	var out mat.Dense
	if err := out.Inverse(mat.NewDense(n, n, append([]float64(nil), a...))); err != nil {
		return nil, fmt.Errorf("linalg: %w", err)
	}
	return out.RawMatrix().Data, nil
}
