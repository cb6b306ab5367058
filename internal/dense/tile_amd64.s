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

// func fillSSE(t *tile, a0, a1, a2, a3, panel *float32, d int)
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
	ADDQ   $32, BX
	INCQ   AX
	CMPQ   AX, CX
	JLT    loop

	MOVUPS X0, (DI)
	MOVUPS X1, 16(DI)
	MOVUPS X2, 32(DI)
	MOVUPS X3, 48(DI)
	MOVUPS X4, 64(DI)
	MOVUPS X5, 80(DI)
	MOVUPS X6, 96(DI)
	MOVUPS X7, 112(DI)
	RET
