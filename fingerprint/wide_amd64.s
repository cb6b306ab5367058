//go:build !purego

#include "textflag.h"

// func notFiniteAVX2(raw *byte, n int) bool
TEXT ·notFiniteAVX2(SB), NOSPLIT, $0-17
	MOVQ         raw+0(FP), SI
	MOVQ         n+8(FP), CX
	MOVL         $0x7f807f80, AX
	MOVQ         AX, X0
	VPBROADCASTD X0, Y0
	VPXOR        Y1, Y1, Y1
	XORQ         AX, AX

exponents:
	VPAND    (SI)(AX*1), Y0, Y2
	VPAND    32(SI)(AX*1), Y0, Y3
	VPCMPEQW Y0, Y2, Y2
	VPCMPEQW Y0, Y3, Y3
	VPOR     Y2, Y3, Y3
	VPOR     Y3, Y1, Y1
	ADDQ     $64, AX
	CMPQ     AX, CX
	JLT      exponents

	VPTEST Y1, Y1
	SETNE  ret+16(FP)
	VZEROUPPER
	RET

// A value with signs that the lowest bits flip, added to four sums.
#define FLIPPED(FLIPS, SUMS) \
	VPSLLQ $63, FLIPS, Y9   \
	VXORPD Y8, Y9, Y9       \
	VADDPD Y9, SUMS, SUMS   \
	VPSRLQ $1, FLIPS, FLIPS

// func combineAVX2(sums *[atOnce]float64, x *float64, n int, flips *[atOnce]uint64)
TEXT ·combineAVX2(SB), NOSPLIT, $0-32
	MOVQ   sums+0(FP), DI
	MOVQ   x+8(FP), SI
	MOVQ   n+16(FP), CX
	MOVQ   flips+24(FP), DX
	VXORPD Y0, Y0, Y0
	VXORPD Y1, Y1, Y1
	VXORPD Y2, Y2, Y2
	VXORPD Y3, Y3, Y3

word:
	VMOVDQU (DX), Y4
	VMOVDQU 32(DX), Y5
	VMOVDQU 64(DX), Y6
	VMOVDQU 96(DX), Y7
	ADDQ    $128, DX
	MOVQ    $64, AX
	CMPQ    AX, CX
	CMOVQGT CX, AX
	SUBQ    AX, CX

value:
	VBROADCASTSD (SI), Y8
	FLIPPED(Y4, Y0)
	FLIPPED(Y5, Y1)
	FLIPPED(Y6, Y2)
	FLIPPED(Y7, Y3)
	ADDQ $8, SI
	DECQ AX
	JNZ  value

	TESTQ CX, CX
	JNZ   word

	VMOVUPD Y0, (DI)
	VMOVUPD Y1, 32(DI)
	VMOVUPD Y2, 64(DI)
	VMOVUPD Y3, 96(DI)
	VZEROUPPER
	RET
