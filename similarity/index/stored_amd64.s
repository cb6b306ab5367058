//go:build !purego

#include "textflag.h"

// AGAINST counts the bits in which a layer that is asked differs from the three of a
// record in Z16 to Z21, two vectors each. Of each lane the counts, at most 128, stand in
// words of 16 bits, so that lanes can be added without one running into the next.
#define AGAINST(at, sum) \
	VPXORQ   (at)(SI), Z16, Z0; \
	VPXORQ   (at+64)(SI), Z17, Z1; \
	VPXORQ   (at)(SI), Z18, Z2; \
	VPXORQ   (at+64)(SI), Z19, Z3; \
	VPXORQ   (at)(SI), Z20, Z4; \
	VPXORQ   (at+64)(SI), Z21, Z5; \
	VPOPCNTQ Z0, Z0; \
	VPOPCNTQ Z1, Z1; \
	VPOPCNTQ Z2, Z2; \
	VPOPCNTQ Z3, Z3; \
	VPOPCNTQ Z4, Z4; \
	VPOPCNTQ Z5, Z5; \
	VPADDQ   Z0, Z1, Z0; \
	VPADDQ   Z2, Z3, Z2; \
	VPADDQ   Z4, Z5, Z4; \
	VPSLLQ   $16, Z2, Z2; \
	VPSLLQ   $32, Z4, Z4; \
	VPADDQ   Z0, Z2, Z0; \
	VPADDQ   Z0, Z4, sum

// ADDED adds the lanes of a vector into its lowest.
#define ADDED(z, y, x) \
	VEXTRACTI64X4 $1, z, Y0; \
	VPADDQ        Y0, y, y; \
	VEXTRACTI128  $1, y, X0; \
	VPADDQ        X0, x, x; \
	VPSHUFD       $0xee, x, X0; \
	VPADDQ        X0, x, x

// func unitsAVX512(units *[summaryLayers][summaryWords]uint64, record *byte) (least int)
TEXT ·unitsAVX512(SB), NOSPLIT, $0-24
	MOVQ      units+0(FP), SI
	MOVQ      record+8(FP), DX
	VMOVDQU64 0(DX), Z16
	VMOVDQU64 64(DX), Z17
	VMOVDQU64 128(DX), Z18
	VMOVDQU64 192(DX), Z19
	VMOVDQU64 256(DX), Z20
	VMOVDQU64 320(DX), Z21
	AGAINST(0, Z6)
	AGAINST(128, Z7)
	AGAINST(256, Z8)
	ADDED(Z6, Y6, X6)
	ADDED(Z7, Y7, X7)
	ADDED(Z8, Y8, X8)
	VPMINUW   X6, X7, X6
	VPMINUW   X6, X8, X6
	VMOVQ     X6, AX
	VZEROUPPER

	// The least of three words; the fourth is zero.
	MOVWLZX AX, BX
	SHRQ    $16, AX
	MOVWLZX AX, CX
	SHRQ    $16, AX
	CMPQ    BX, CX
	CMOVQGT CX, BX
	CMPQ    BX, AX
	CMOVQGT AX, BX
	MOVQ    BX, least+16(FP)
	RET

// COMMON counts what two probed layers have in common, by masks of what is asked, and
// keeps the largest count in R8.
#define COMMON(asked, places, layer, others, placed, present) \
	VPCMPEQW places, asked, placed, K5; \
	VPXORQ   others, layer, Z3; \
	VPOPCNTQ Z3, Z3; \
	VPSUBQ   Z3, Z1, Z4; \
	VPMINUQ  Z4, Z3, Z3; \
	VPCMPUQ  $2, Z2, Z3, present, K6; \
	VPTESTMQ others, others, K6, K6; \
	KMOVW    K5, AX; \
	KMOVW    K6, BX; \
	POPCNTL  AX, AX; \
	POPCNTL  BX, BX; \
	LEAQ     (AX)(BX*2), AX; \
	CMPQ     AX, R8; \
	CMOVQGT  AX, R8

// func foundAVX512(places *[summaryProbed][summaryPlaces / 4]uint64, profiles *[summaryProbed][summaryProfiles]uint64, record *byte, near uint64) (most int)
TEXT ·foundAVX512(SB), NOSPLIT, $0-40
	MOVQ         places+0(FP), SI
	MOVQ         profiles+8(FP), DI
	MOVQ         record+16(FP), DX
	VPBROADCASTQ near+24(FP), Z2
	MOVQ         $64, AX
	VPBROADCASTQ AX, Z1
	VMOVDQU64    0(SI), Y16
	VMOVDQU64    32(SI), Y17
	VMOVDQU64    0(DI), Z18
	VMOVDQU64    64(DI), Z19
	VMOVDQU64    0(DX), Y20
	VMOVDQU64    32(DX), Y21
	VMOVDQU64    64(DX), Z22
	VMOVDQU64    128(DX), Z23
	VPTERNLOGD   $255, Z0, Z0, Z0
	VPCMPW       $4, Y0, Y16, K1
	VPCMPW       $4, Y0, Y17, K2
	VPTESTMQ     Z18, Z18, K3
	VPTESTMQ     Z19, Z19, K4
	XORL         R8, R8
	COMMON(Y16, Y20, Z18, Z22, K1, K3)
	COMMON(Y16, Y21, Z18, Z23, K1, K3)
	COMMON(Y17, Y20, Z19, Z22, K2, K4)
	COMMON(Y17, Y21, Z19, Z23, K2, K4)
	VZEROUPPER
	MOVQ R8, most+32(FP)
	RET

// func prefetch(b *byte, n int)
TEXT ·prefetch(SB), NOSPLIT, $0-16
	MOVQ b+0(FP), SI
	MOVQ n+8(FP), CX
	ADDQ SI, CX
	ANDQ $~63, SI

next:
	PREFETCHT0 (SI)
	ADDQ       $64, SI
	CMPQ       SI, CX
	JLT        next
	RET
