// Package linalg puts gonum's factorisations behind errors: its panics become
// errors, and results that did not converge are errors too. It also pairs the rows of a
// table of scores with columns.
package linalg

import (
	"errors"
	"fmt"

	"gonum.org/v1/gonum/mat"
)

// errFailed says that a factorisation did not converge.
var errFailed = errors.New("linalg: the factorisation did not converge")

// guard turns a panic of gonum into an error.
func guard(err *error) {
	if r := recover(); r != nil {
		e, ok := r.(mat.Error)
		if !ok {
			panic(r)
		}
		*err = fmt.Errorf("linalg: %w", e)
	}
}

// SymEigenvalues returns the eigenvalues of a symmetric n×n matrix, ascending.
func SymEigenvalues(a []float64, n int) (v []float64, err error) {
	defer guard(&err)
	var e mat.EigenSym
	if !e.Factorize(mat.NewSymDense(n, a), false) {
		return nil, errFailed
	}
	return e.Values(nil), nil
}

// SymEigen returns the eigenvalues, ascending, and the eigenvectors as the
// columns of an n×n matrix.
func SymEigen(a []float64, n int) (values, vectors []float64, err error) {
	defer guard(&err)
	var e mat.EigenSym
	if !e.Factorize(mat.NewSymDense(n, a), true) {
		return nil, nil, errFailed
	}
	var q mat.Dense
	e.VectorsTo(&q)
	return e.Values(nil), q.RawMatrix().Data, nil
}

// SingularValues returns the singular values of an r×c matrix, descending.
func SingularValues(a []float64, r, c int) (s []float64, err error) {
	defer guard(&err)
	var svd mat.SVD
	if !svd.Factorize(mat.NewDense(r, c, a), mat.SVDNone) {
		return nil, errFailed
	}
	return svd.Values(nil), nil
}

// Solve returns x that minimises |A·x − b| for an r×c matrix A of full column
// rank.
func Solve(a []float64, r, c int, b []float64) (x []float64, err error) {
	defer guard(&err)
	var out mat.VecDense
	if err := out.SolveVec(mat.NewDense(r, c, a), mat.NewVecDense(r, b)); err != nil {
		var cond mat.Condition
		if !errors.As(err, &cond) {
			return nil, fmt.Errorf("linalg: %w", err)
		}
	}
	return out.RawVector().Data, nil
}
