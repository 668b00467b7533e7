// The user program: it runs in U-mode at an address of its own and knows nothing but its registers and ecall.
// a0 = its data, a1 = size of the data in bytes, a2 = number of passes, a3 = seed, a4 = an address it may not read.

#include "layout.h"

        .section .user, "ax"
        .globl  user_program
user_program:
        mv      s0, a0
        add     s1, a0, a1
        mv      s2, a2
        mv      s3, a3
        mv      s4, a4
        li      s5, 0                   // the sum
        li      t2, 0x5851f42d4c957f2d  // a linear congruential generator
pass:
        mv      t0, s0
fill:                                   // in the first pass each page is touched for the first time: a page fault
        mul     s3, s3, t2
        addi    s3, s3, 1
        sd      s3, 0(t0)
        addi    t0, t0, 8
        bltu    t0, s1, fill

        mv      t0, s0
read:
        ld      t1, 0(t0)
        rori    s5, s5, 1
        add     s5, s5, t1
        addi    t0, t0, 8
        bltu    t0, s1, read

        addi    s2, s2, -1
        bnez    s2, pass

        mv      a0, s5
        li      a7, CALL_REPORT
        ecall
        .option push
        .option norvc                   // the supervisor steps over this load, so it must be 4 bytes long
        ld      a0, 0(s4)
        .option pop
        li      a7, CALL_EXIT
        ecall
1:      j       1b
