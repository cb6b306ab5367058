package linalg

import (
	"math"
	"slices"
)

// Assign pairs each row of c (rows × cols) with a column of its own so that the
// sum is largest; rows without one, where there are more rows than columns, are
// −1. Shortest augmenting paths with potentials (Kuhn 1955, Tomizawa 1971),
// cubic in the larger number of both.
func Assign[F float32 | float64](c []F, rows, cols int) []int {
	n := max(rows, cols)
	s := &assigning[F]{c: c, rows: rows, cols: cols, n: n,
		u: make([]float64, n+1), v: make([]float64, n+1), owner: slices.Repeat([]int{n}, n+1)}
	for i := range n {
		s.augment(i)
	}
	out := slices.Repeat([]int{-1}, rows)
	for j, i := range s.owner[:cols] {
		if i < rows {
			out[i] = j
		}
	}
	return out
}

// assigning is an assignment under way; column n stands for the row that is
// about to be assigned, row n for none.
type assigning[F float32 | float64] struct {
	c             []F
	rows, cols, n int
	u, v          []float64 // potentials of rows and columns
	owner         []int     // row that each column has
}

func (s *assigning[F]) cost(i, j int) float64 {
	if i >= s.rows || j >= s.cols {
		return 0
	}
	return -float64(s.c[i*s.cols+j])
}

// augment assigns row i along the shortest path of exchanges.
func (s *assigning[F]) augment(i int) {
	distance, from := make([]float64, s.n), make([]int, s.n)
	for j := range distance {
		distance[j], from[j] = math.Inf(1), s.n
	}
	done := make([]bool, s.n+1)
	s.owner[s.n] = i
	at := s.n
	for s.owner[at] < s.n || at == s.n {
		done[at] = true
		row, best := s.owner[at], s.n
		for j := range s.n {
			if done[j] {
				continue
			}
			if d := s.cost(row, j) - s.u[row] - s.v[j]; d < distance[j] {
				distance[j], from[j] = d, at
			}
			if best == s.n || distance[j] < distance[best] {
				best = j
			}
		}
		step := distance[best]
		for j := range s.n + 1 {
			if done[j] {
				s.u[s.owner[j]] += step
				s.v[j] -= step
			} else if j < s.n {
				distance[j] -= step
			}
		}
		at = best
	}
	for at != s.n {
		s.owner[at] = s.owner[from[at]]
		at = from[at]
	}
}
