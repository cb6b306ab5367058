//go:build !purego

#include "textflag.h"

// Adds the products of one value of a row (base register R) with eight of the
// panel (X8, X9) to the row's eight sums (LO, HI). No fused multiply-add: each
// product is rounded before it is added.
#define ROW(R, LO, HI) \
	MOVSS  (R)(AX*4), X10 \
	SHUFPS $0, X10, X10   \
	MOVAPS X10, X11       \
	MULPS  X8, X10        \
	MULPS  X9, X11        \
	ADDPS  X10, LO        \
	ADDPS  X11, HI

// func fillSSE(t *float32, a0, a1, a2, a3, panel *float32, d int)
TEXT ·fillSSE(SB), NOSPLIT, $0-56
	MOVQ  t+0(FP), DI
	MOVQ  a0+8(FP), R8
	MOVQ  a1+16(FP), R9
	MOVQ  a2+24(FP), R10
	MOVQ  a3+32(FP), R11
	MOVQ  panel+40(FP), BX
	MOVQ  d+48(FP), CX
	XORQ  AX, AX
	XORPS X0, X0
	XORPS X1, X1
	XORPS X2, X2
	XORPS X3, X3
	XORPS X4, X4
	XORPS X5, X5
	XORPS X6, X6
	XORPS X7, X7

loop:
	MOVUPS (BX), X8
	MOVUPS 16(BX), X9
	ROW(R8, X0, X1)
	ROW(R9, X2, X3)
	ROW(R10, X4, X5)
	ROW(R11, X6, X7)
	ADDQ   $64, BX
	INCQ   AX
	CMPQ   AX, CX
	JLT    loop

	MOVUPS X0, (DI)
	MOVUPS X1, 16(DI)
	MOVUPS X2, 64(DI)
	MOVUPS X3, 80(DI)
	MOVUPS X4, 128(DI)
	MOVUPS X5, 144(DI)
	MOVUPS X6, 192(DI)
	MOVUPS X7, 208(DI)
	RET

// The same with sixteen values of the panel (Y8, Y9) at a time.
#define WIDEROW(R, LO, HI) \
	VBROADCASTSS (R)(AX*4), Y10 \
	VMULPS       Y8, Y10, Y11   \
	VMULPS       Y9, Y10, Y12   \
	VADDPS       Y11, LO, LO    \
	VADDPS       Y12, HI, HI

// func fillAVX2(t *float32, a0, a1, a2, a3, panel *float32, d, apart int)
TEXT ·fillAVX2(SB), NOSPLIT, $0-64
	MOVQ   t+0(FP), DI
	MOVQ   a0+8(FP), R8
	MOVQ   a1+16(FP), R9
	MOVQ   a2+24(FP), R10
	MOVQ   a3+32(FP), R11
	MOVQ   panel+40(FP), BX
	MOVQ   d+48(FP), CX
	XORQ   AX, AX
	VXORPS Y0, Y0, Y0
	VXORPS Y1, Y1, Y1
	VXORPS Y2, Y2, Y2
	VXORPS Y3, Y3, Y3
	VXORPS Y4, Y4, Y4
	VXORPS Y5, Y5, Y5
	VXORPS Y6, Y6, Y6
	VXORPS Y7, Y7, Y7

wide:
	VMOVUPS (BX), Y8
	VMOVUPS 32(BX), Y9
	WIDEROW(R8, Y0, Y1)
	WIDEROW(R9, Y2, Y3)
	WIDEROW(R10, Y4, Y5)
	WIDEROW(R11, Y6, Y7)
	ADDQ    $64, BX
	INCQ    AX
	CMPQ    AX, CX
	JLT     wide

	MOVQ    apart+56(FP), AX
	VMOVUPS Y0, (DI)
	VMOVUPS Y1, 32(DI)
	LEAQ    (DI)(AX*4), DI
	VMOVUPS Y2, (DI)
	VMOVUPS Y3, 32(DI)
	LEAQ    (DI)(AX*4), DI
	VMOVUPS Y4, (DI)
	VMOVUPS Y5, 32(DI)
	LEAQ    (DI)(AX*4), DI
	VMOVUPS Y6, (DI)
	VMOVUPS Y7, 32(DI)
	VZEROUPPER
	RET

// func interleaveSSE(to, b0, b1, b2, b3 *float32, blocks int)
TEXT ·interleaveSSE(SB), NOSPLIT, $0-48
	MOVQ to+0(FP), DI
	MOVQ b0+8(FP), R8
	MOVQ b1+16(FP), R9
	MOVQ b2+24(FP), R10
	MOVQ b3+32(FP), R11
	MOVQ blocks+40(FP), CX
	XORQ AX, AX

four:
	MOVUPS   (R8)(AX*1), X0
	MOVUPS   (R9)(AX*1), X1
	MOVUPS   (R10)(AX*1), X2
	MOVUPS   (R11)(AX*1), X3
	MOVAPS   X0, X4
	MOVAPS   X2, X5
	UNPCKLPS X1, X0 // b0[0] b1[0] b0[1] b1[1]
	UNPCKLPS X3, X2
	UNPCKHPS X1, X4 // b0[2] b1[2] b0[3] b1[3]
	UNPCKHPS X3, X5
	MOVAPS   X0, X6
	MOVAPS   X4, X7
	MOVLHPS  X2, X0
	MOVHLPS  X6, X2
	MOVLHPS  X5, X4
	MOVHLPS  X7, X5
	MOVUPS   X0, (DI)
	MOVUPS   X2, 64(DI)
	MOVUPS   X4, 128(DI)
	MOVUPS   X5, 192(DI)
	ADDQ     $16, AX
	ADDQ     $256, DI
	DECQ     CX
	JNZ      four
	RET
