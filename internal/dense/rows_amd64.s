//go:build !purego

#include "textflag.h"

// func notFiniteAVX2(row *float32, n int) bool
TEXT ·notFiniteAVX2(SB), NOSPLIT, $0-17
	MOVQ         row+0(FP), SI
	MOVQ         n+8(FP), CX
	MOVL         $0x7f800000, AX
	MOVQ         AX, X0
	VPBROADCASTD X0, Y0
	VPXOR        Y1, Y1, Y1
	XORQ         AX, AX

exponents:
	VPAND    (SI)(AX*4), Y0, Y2
	VPAND    32(SI)(AX*4), Y0, Y3
	VPCMPEQD Y0, Y2, Y2
	VPCMPEQD Y0, Y3, Y3
	VPOR     Y2, Y3, Y3
	VPOR     Y3, Y1, Y1
	ADDQ     $16, AX
	CMPQ     AX, CX
	JLT      exponents

	VPTEST Y1, Y1
	SETNE  ret+16(FP)
	VZEROUPPER
	RET

// func addMaskedAVX2(to, more *float32, n int, mask uint32)
TEXT ·addMaskedAVX2(SB), NOSPLIT, $0-28
	MOVQ         to+0(FP), DI
	MOVQ         more+8(FP), SI
	MOVQ         n+16(FP), CX
	VBROADCASTSS mask+24(FP), Y1
	XORQ         AX, AX

masked:
	VANDPS  (SI)(AX*4), Y1, Y0
	VADDPS  (DI)(AX*4), Y0, Y0
	VMOVUPS Y0, (DI)(AX*4)
	ADDQ    $8, AX
	CMPQ    AX, CX
	JLT     masked
	VZEROUPPER
	RET

// Values are widened to float64, each result is rounded as plain Go rounds it.

// func addMultipleAVX2(sums, row *float64, n int, by float64)
TEXT ·addMultipleAVX2(SB), NOSPLIT, $0-32
	MOVQ         sums+0(FP), DI
	MOVQ         row+8(FP), SI
	MOVQ         n+16(FP), CX
	VBROADCASTSD by+24(FP), Y1
	XORQ         AX, AX

multiple:
	VMULPD  (SI)(AX*8), Y1, Y0
	VADDPD  (DI)(AX*8), Y0, Y0
	VMOVUPD Y0, (DI)(AX*8)
	ADDQ    $4, AX
	CMPQ    AX, CX
	JLT     multiple
	VZEROUPPER
	RET

// func addMultiple32AVX2(sums *float64, row *float32, n int, by float64)
TEXT ·addMultiple32AVX2(SB), NOSPLIT, $0-32
	MOVQ         sums+0(FP), DI
	MOVQ         row+8(FP), SI
	MOVQ         n+16(FP), CX
	VBROADCASTSD by+24(FP), Y1
	XORQ         AX, AX

multiple32:
	VCVTPS2PD (SI)(AX*4), Y0
	VMULPD    Y0, Y1, Y0
	VADDPD    (DI)(AX*8), Y0, Y0
	VMOVUPD   Y0, (DI)(AX*8)
	ADDQ      $4, AX
	CMPQ      AX, CX
	JLT       multiple32
	VZEROUPPER
	RET

// func addToAVX2(sums *float64, row *float32, n int)
TEXT ·addToAVX2(SB), NOSPLIT, $0-24
	MOVQ sums+0(FP), DI
	MOVQ row+8(FP), SI
	MOVQ n+16(FP), CX
	XORQ AX, AX

add:
	VCVTPS2PD (SI)(AX*4), Y0
	VADDPD    (DI)(AX*8), Y0, Y0
	VMOVUPD   Y0, (DI)(AX*8)
	ADDQ      $4, AX
	CMPQ      AX, CX
	JLT       add
	VZEROUPPER
	RET

// func addSquaresAVX2(sums, means *float64, row *float32, n int)
TEXT ·addSquaresAVX2(SB), NOSPLIT, $0-32
	MOVQ sums+0(FP), DI
	MOVQ means+8(FP), DX
	MOVQ row+16(FP), SI
	MOVQ n+24(FP), CX
	XORQ AX, AX

square:
	VCVTPS2PD (SI)(AX*4), Y0
	VSUBPD    (DX)(AX*8), Y0, Y0
	VMULPD    Y0, Y0, Y0
	VADDPD    (DI)(AX*8), Y0, Y0
	VMOVUPD   Y0, (DI)(AX*8)
	ADDQ      $4, AX
	CMPQ      AX, CX
	JLT       square
	VZEROUPPER
	RET

// func scaleAVX2(to, row *float32, means, by *float64, n int)
TEXT ·scaleAVX2(SB), NOSPLIT, $0-40
	MOVQ to+0(FP), BX
	MOVQ row+8(FP), SI
	MOVQ means+16(FP), DX
	MOVQ by+24(FP), DI
	MOVQ n+32(FP), CX
	XORQ AX, AX

scaled:
	VCVTPS2PD  (SI)(AX*4), Y0
	VSUBPD     (DX)(AX*8), Y0, Y0
	VMULPD     (DI)(AX*8), Y0, Y0
	VCVTPD2PSY Y0, X0
	VMOVUPS    X0, (BX)(AX*4)
	ADDQ       $4, AX
	CMPQ       AX, CX
	JLT        scaled
	VZEROUPPER
	RET

// func shiftAVX2(row *float32, n int, mean, by float64)
TEXT ·shiftAVX2(SB), NOSPLIT, $0-32
	MOVQ         row+0(FP), SI
	MOVQ         n+8(FP), CX
	VBROADCASTSD mean+16(FP), Y1
	VBROADCASTSD by+24(FP), Y2
	XORQ         AX, AX

shifted:
	VCVTPS2PD  (SI)(AX*4), Y0
	VSUBPD     Y1, Y0, Y0
	VDIVPD     Y2, Y0, Y0
	VCVTPD2PSY Y0, X0
	VMOVUPS    X0, (SI)(AX*4)
	ADDQ       $4, AX
	CMPQ       AX, CX
	JLT        shifted
	VZEROUPPER
	RET

// func sumsAVX2(s, q *[4]float64, row *float32, n int)
TEXT ·sumsAVX2(SB), NOSPLIT, $0-32
	MOVQ   s+0(FP), DI
	MOVQ   q+8(FP), DX
	MOVQ   row+16(FP), SI
	MOVQ   n+24(FP), CX
	XORQ   AX, AX
	VXORPD Y1, Y1, Y1
	VXORPD Y2, Y2, Y2

summed:
	VCVTPS2PD (SI)(AX*4), Y0
	VADDPD    Y0, Y1, Y1
	VMULPD    Y0, Y0, Y0
	VADDPD    Y0, Y2, Y2
	ADDQ      $4, AX
	CMPQ      AX, CX
	JLT       summed

	VMOVUPD Y1, (DI)
	VMOVUPD Y2, (DX)
	VZEROUPPER
	RET

// func signChangesAVX2(row *float32, n int) int
TEXT ·signChangesAVX2(SB), NOSPLIT, $0-24
	MOVQ   row+0(FP), SI
	MOVQ   n+8(FP), CX
	XORQ   AX, AX
	XORQ   R8, R8
	VXORPS Y1, Y1, Y1

	// The sign before the first value is its own.
	VMOVUPS   (SI), Y0
	VCMPPS    $1, Y1, Y0, Y0
	VMOVMSKPS Y0, R9
	ANDL      $1, R9

changes:
	VMOVUPS   (SI)(AX*4), Y0
	VCMPPS    $1, Y1, Y0, Y0 // below zero
	VMOVMSKPS Y0, DX
	LEAL      (R9)(DX*2), R10
	XORL      DX, R10
	ANDL      $0xff, R10
	POPCNTL   R10, R10
	ADDQ      R10, R8
	SHRL      $7, DX
	MOVL      DX, R9
	ADDQ      $8, AX
	CMPQ      AX, CX
	JLT       changes

	MOVQ R8, ret+16(FP)
	VZEROUPPER
	RET

// func largestAVX2(row *float32, n int) uint32
TEXT ·largestAVX2(SB), NOSPLIT, $0-20
	MOVQ         row+0(FP), SI
	MOVQ         n+8(FP), CX
	MOVL         $0x7fffffff, AX
	MOVQ         AX, X0
	VPBROADCASTD X0, Y0
	VPXOR        Y1, Y1, Y1
	XORQ         AX, AX

sizes:
	VPAND   (SI)(AX*4), Y0, Y2
	VPMAXUD Y2, Y1, Y1
	ADDQ    $8, AX
	CMPQ    AX, CX
	JLT     sizes

	VEXTRACTI128 $1, Y1, X2
	VPMAXUD      X2, X1, X1
	VPSHUFD      $0x4e, X1, X2
	VPMAXUD      X2, X1, X1
	VPSHUFD      $0xb1, X1, X2
	VPMAXUD      X2, X1, X1
	VMOVD        X1, AX
	MOVL         AX, ret+16(FP)
	VZEROUPPER
	RET

// func multiplyAVX2(row, by *float32, n int)
TEXT ·multiplyAVX2(SB), NOSPLIT, $0-24
	MOVQ row+0(FP), DI
	MOVQ by+8(FP), SI
	MOVQ n+16(FP), CX
	XORQ AX, AX

multiplied:
	VMOVUPS (DI)(AX*4), Y0
	VMULPS  (SI)(AX*4), Y0, Y0
	VMOVUPS Y0, (DI)(AX*4)
	ADDQ    $8, AX
	CMPQ    AX, CX
	JLT     multiplied
	VZEROUPPER
	RET

// func lanesAVX2(s *[4]float64, x, y *float64, n int)
TEXT ·lanesAVX2(SB), NOSPLIT, $0-32
	MOVQ   s+0(FP), DI
	MOVQ   x+8(FP), SI
	MOVQ   y+16(FP), DX
	MOVQ   n+24(FP), CX
	XORQ   AX, AX
	VXORPD Y1, Y1, Y1

lane:
	VMOVUPD (SI)(AX*8), Y0
	VMULPD  (DX)(AX*8), Y0, Y0
	VADDPD  Y0, Y1, Y1
	ADDQ    $4, AX
	CMPQ    AX, CX
	JLT     lane

	VMOVUPD Y1, (DI)
	VZEROUPPER
	RET
