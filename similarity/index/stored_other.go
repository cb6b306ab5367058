//go:build !amd64 || purego

package index

func (s *Summary) leastApart(b *[recordBytes]byte) int { return s.leastApartPlain(b) }

func (s *Summary) mostInCommon(b *[recordBytes]byte) int { return s.mostInCommonPlain(b) }

func prefetch(*byte, int) {}
