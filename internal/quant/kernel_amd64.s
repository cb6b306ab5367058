//go:build !purego

#include "textflag.h"

// Broadcasts a constant.
#define SPLAT(VALUE, X, Y) \
	MOVL         VALUE, AX \
	VMOVD        AX, X     \
	VPBROADCASTD X, Y

// func scaledAVX2(dst *float32, code *byte, scale *float32, runs, run, stride, bias int)
TEXT ·scaledAVX2(SB), NOSPLIT, $0-56
	MOVQ         dst+0(FP), DI
	MOVQ         code+8(FP), SI
	MOVQ         scale+16(FP), BX
	MOVQ         runs+24(FP), CX
	MOVQ         run+32(FP), DX
	MOVQ         stride+40(FP), R8
	MOVQ         bias+48(FP), AX
	VMOVD        AX, X1
	VPBROADCASTD X1, Y1

nextScaled:
	VBROADCASTSS (BX), Y0
	MOVQ         SI, R9
	MOVQ         DX, R10

sixteenScaled:
	VPMOVSXBD (R9), Y2
	VPMOVSXBD 8(R9), Y3
	VPSUBD    Y1, Y2, Y2
	VPSUBD    Y1, Y3, Y3
	VCVTDQ2PS Y2, Y2
	VCVTDQ2PS Y3, Y3
	VMULPS    Y0, Y2, Y2
	VMULPS    Y0, Y3, Y3
	VMOVUPS   Y2, (DI)
	VMOVUPS   Y3, 32(DI)
	ADDQ      $16, R9
	ADDQ      $64, DI
	SUBQ      $16, R10
	JNZ       sixteenScaled
	ADDQ      R8, SI
	ADDQ      $4, BX
	DECQ      CX
	JNZ       nextScaled
	VZEROUPPER
	RET

// func affineAVX2(dst *float32, code *byte, scale, less *float32, runs, run int)
// The product is rounded before the difference: no fused multiply-add.
TEXT ·affineAVX2(SB), NOSPLIT, $0-48
	MOVQ dst+0(FP), DI
	MOVQ code+8(FP), SI
	MOVQ scale+16(FP), BX
	MOVQ less+24(FP), AX
	MOVQ runs+32(FP), CX
	MOVQ run+40(FP), DX

nextAffine:
	VBROADCASTSS (BX), Y0
	VBROADCASTSS (AX), Y1
	MOVQ         DX, R10

sixteenAffine:
	VPMOVSXBD (SI), Y2
	VPMOVSXBD 8(SI), Y3
	VCVTDQ2PS Y2, Y2
	VCVTDQ2PS Y3, Y3
	VMULPS    Y0, Y2, Y2
	VMULPS    Y0, Y3, Y3
	VSUBPS    Y1, Y2, Y2
	VSUBPS    Y1, Y3, Y3
	VMOVUPS   Y2, (DI)
	VMOVUPS   Y3, 32(DI)
	ADDQ      $16, SI
	ADDQ      $64, DI
	SUBQ      $16, R10
	JNZ       sixteenAffine
	ADDQ      $4, BX
	ADDQ      $4, AX
	DECQ      CX
	JNZ       nextAffine
	VZEROUPPER
	RET

// Widens the codes in X to sixteen values under Y0 and Y1, less Y4 before.
#define SIXTEEN(X, AT) \
	VPMOVZXBD X, Y5             \
	VPSRLDQ   $8, X, X          \
	VPMOVZXBD X, Y6             \
	VPSUBD    Y4, Y5, Y5        \
	VPSUBD    Y4, Y6, Y6        \
	VCVTDQ2PS Y5, Y5            \
	VCVTDQ2PS Y6, Y6            \
	VMULPS    Y0, Y5, Y5        \
	VMULPS    Y0, Y6, Y6        \
	VSUBPS    Y1, Y5, Y5        \
	VSUBPS    Y1, Y6, Y6        \
	VMOVUPS   Y5, (AT)(DI)      \
	VMOVUPS   Y6, (AT+32)(DI)

// func nibblesAVX2(dst *float32, code *byte, by *float32, blocks, stride, bias int)
TEXT ·nibblesAVX2(SB), NOSPLIT, $0-48
	MOVQ         dst+0(FP), DI
	MOVQ         code+8(FP), SI
	MOVQ         by+16(FP), BX
	MOVQ         blocks+24(FP), CX
	MOVQ         stride+32(FP), R8
	MOVQ         bias+40(FP), AX
	VMOVD        AX, X4
	VPBROADCASTD X4, Y4
	SPLAT($0x0f0f0f0f, X15, Y15)

nextNibbles:
	VBROADCASTSS (BX), Y0
	VBROADCASTSS 4(BX), Y1
	VMOVDQU      (SI), X2
	VPSRLW       $4, X2, X3
	VPAND        X15, X2, X2
	VPAND        X15, X3, X3
	SIXTEEN(X2, 0)
	SIXTEEN(X3, 64)
	ADDQ         R8, SI
	ADDQ         $8, BX
	ADDQ         $128, DI
	DECQ         CX
	JNZ          nextNibbles
	VZEROUPPER
	RET

// func fiveBitsAVX2(dst *float32, code, fifth *byte, scale, less *float32)
TEXT ·fiveBitsAVX2(SB), NOSPLIT, $0-40
	MOVQ    dst+0(FP), DI
	MOVQ    code+8(FP), SI
	MOVQ    fifth+16(FP), R8
	MOVQ    scale+24(FP), BX
	MOVQ    less+32(FP), DX
	VMOVDQU (R8), Y13
	VPXOR   Y4, Y4, Y4
	SPLAT($0x01010101, X14, Y14)
	SPLAT($0x0f0f0f0f, X15, Y15)
	MOVQ    $4, CX

nextFive:
	VMOVDQU      (SI), Y2
	VPSRLW       $4, Y2, Y3
	VPAND        Y15, Y2, Y2
	VPAND        Y15, Y3, Y3
	VPAND        Y14, Y13, Y7
	VPSRLW       $1, Y13, Y13
	VPAND        Y14, Y13, Y8
	VPSRLW       $1, Y13, Y13
	VPSLLW       $4, Y7, Y7
	VPSLLW       $4, Y8, Y8
	VPOR         Y7, Y2, Y2
	VPOR         Y8, Y3, Y3
	VEXTRACTI128 $1, Y2, X7
	VEXTRACTI128 $1, Y3, X8
	VBROADCASTSS (BX), Y0
	VBROADCASTSS (DX), Y1
	SIXTEEN(X2, 0)
	SIXTEEN(X7, 64)
	VBROADCASTSS 4(BX), Y0
	VBROADCASTSS 4(DX), Y1
	SIXTEEN(X3, 128)
	SIXTEEN(X8, 192)
	ADDQ         $32, SI
	ADDQ         $8, BX
	ADDQ         $8, DX
	ADDQ         $256, DI
	DECQ         CX
	JNZ          nextFive
	VZEROUPPER
	RET

// Widens the eight halves in V as fromHalf does: the bits are moved to where a
// float32 has them, a product corrects the bias, what overflows becomes infinite or
// no number, and the sign is put back.
#define HALF(V, T) \
	VPAND    Y8, V, T    \
	VPXOR    T, V, V     \
	VPSLLD   $13, T, T   \
	VPSLLD   $16, V, V   \
	VMULPS   Y9, T, T    \
	VPOR     T, V, V     \
	VPCMPGTD Y10, T, T   \
	VPAND    Y11, T, T   \
	VPOR     T, V, V

// func halvesAVX2(dst *float32, src *byte, n int)
TEXT ·halvesAVX2(SB), NOSPLIT, $0-24
	MOVQ dst+0(FP), DI
	MOVQ src+8(FP), SI
	MOVQ n+16(FP), CX
	SPLAT($0x7fff, X8, Y8)
	SPLAT($0x77800000, X9, Y9)   // 2¹¹²
	SPLAT($0x477fffff, X10, Y10) // below 65536
	SPLAT($0x7f800000, X11, Y11)

sixteenHalves:
	VPMOVZXWD (SI), Y0
	VPMOVZXWD 16(SI), Y1
	HALF(Y0, Y2)
	HALF(Y1, Y3)
	VMOVUPS   Y0, (DI)
	VMOVUPS   Y1, 32(DI)
	ADDQ      $32, SI
	ADDQ      $64, DI
	SUBQ      $16, CX
	JNZ       sixteenHalves
	VZEROUPPER
	RET

// func bfloatsAVX2(dst *float32, src *byte, n int)
TEXT ·bfloatsAVX2(SB), NOSPLIT, $0-24
	MOVQ dst+0(FP), DI
	MOVQ src+8(FP), SI
	MOVQ n+16(FP), CX

sixteenBfloats:
	VPMOVZXWD (SI), Y0
	VPMOVZXWD 16(SI), Y1
	VPSLLD    $16, Y0, Y0
	VPSLLD    $16, Y1, Y1
	VMOVUPS   Y0, (DI)
	VMOVUPS   Y1, 32(DI)
	ADDQ      $32, SI
	ADDQ      $64, DI
	SUBQ      $16, CX
	JNZ       sixteenBfloats
	VZEROUPPER
	RET

// func floatsAVX2(dst *float32, src *byte, n int)
TEXT ·floatsAVX2(SB), NOSPLIT, $0-24
	MOVQ dst+0(FP), DI
	MOVQ src+8(FP), SI
	MOVQ n+16(FP), CX

sixteenFloats:
	VMOVUPS (SI), Y0
	VMOVUPS 32(SI), Y1
	VMOVUPS Y0, (DI)
	VMOVUPS Y1, 32(DI)
	ADDQ    $64, SI
	ADDQ    $64, DI
	SUBQ    $16, CX
	JNZ     sixteenFloats
	VZEROUPPER
	RET
