// The first instructions of every hart, the way into and out of traps, and the guard.
// RISC-V Privileged Architecture, 3.1 (Machine-Level CSRs) and 3.3 (Machine-Mode Privileged Instructions).

#include "layout.h"

        .section .text.entry, "ax"
        .globl  _start
_start:                                 // every hart: a0 = its number, a1 = address of the device tree
        csrw    mstatus, zero
        la      t0, machine_trap
        csrw    mtvec, t0
        li      t0, HARTS_MAX
        bgeu    a0, t0, park
        la      tp, harts
        li      t0, HART_SIZE
        mul     t1, a0, t0
        add     tp, tp, t1              // tp = &harts[a0]
        add     sp, tp, t0              // the hart's stack is the end of its structure
        li      t0, 1 << 3
        csrw    mie, t0                 // an interrupt from another hart may end a WFI
        bnez    a0, wait

        la      t0, bss_start           // hart 0 clears memory while the others hold still: they must not have
        la      t1, bss_end             // stored anything yet
1:      sd      zero, 0(t0)
        addi    t0, t0, 8
        bltu    t0, t1, 1b
        csrw    mscratch, tp
        mv      a0, a1
        tail    main

wait:   wfi                             // WFI may return for no reason: look whether the call has come
        csrr    t0, mip
        andi    t0, t0, 1 << 3
        beqz    t0, wait
        csrw    mscratch, tp
        tail    hart_join               // with a0 = the hart's number

park:   csrw    mie, zero
1:      wfi
        j       1b

        // Saves every register but tp, which takes care of itself, to the structure that tp points to.
        .macro  SAVE scratch
        csrrw   tp, \scratch, tp        // tp = our structure, the interrupted tp is in the scratch register
        .irp    n, 1,2,3,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
        sd      x\n, 8*\n(tp)
        .endr
        csrr    t0, \scratch
        sd      t0, 8*4(tp)
        csrw    \scratch, tp
        .endm

        .macro  RESTORE
        .irp    n, 1,2,3,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
        ld      x\n, 8*\n(tp)
        .endr
        ld      tp, 8*4(tp)
        .endm

        // Handlers run on a stack of their own, because the interrupted sp may be a user's. They use no floating
        // point, so the f registers are left where they are.
        .text
        .balign 4
machine_trap:
        SAVE    mscratch
        csrr    t0, mepc
        sd      t0, HART_PC(tp)
        li      t0, HART_TRAP_STACK
        add     sp, tp, t0
        call    trap_handle
        ld      t0, HART_PC(tp)
        csrw    mepc, t0
        RESTORE
        mret

        // bool guard_call(function, argument): keeps what the calling convention says a callee must keep, on the
        // stack, and the place in HART_GUARD. guard_leave takes it all up again from there, whatever has happened.
        .globl  guard_call
guard_call:
        addi    sp, sp, -208
        sd      ra, 0(sp)
        .irp    n, 0,1,2,3,4,5,6,7,8,9,10,11
        sd      s\n, 8+8*\n(sp)
        fsd     fs\n, 104+8*\n(sp)
        .endr
        sd      sp, HART_GUARD(tp)
        mv      t0, a0
        mv      a0, a1
        jalr    t0
        li      a0, 1
        j       guard_end

        .globl  guard_leave
guard_leave:                            // trap_handle sends an exception here
        ld      sp, HART_GUARD(tp)
        li      a0, 0
guard_end:
        sd      zero, HART_GUARD(tp)
        ld      ra, 0(sp)
        .irp    n, 0,1,2,3,4,5,6,7,8,9,10,11
        ld      s\n, 8+8*\n(sp)
        fld     fs\n, 104+8*\n(sp)
        .endr
        addi    sp, sp, 208
        ret

        // The same way in and out for the supervisor (paging.c), whose structure is a `struct space`.
        .globl  supervisor_trap
        .balign 4
supervisor_trap:
        SAVE    sscratch
        csrr    t0, sepc
        sd      t0, SPACE_PC(tp)
        li      t0, SPACE_STACK
        add     sp, tp, t0
        mv      a0, tp
        call    supervisor_handle
        // falls through, back to the user program

        // Where M-mode's mret lands, in S-mode, with tp = the space: goes on down to U-mode.
        .globl  supervisor_enter
supervisor_enter:
        ld      t0, SPACE_PC(tp)
        csrw    sepc, t0
        li      t0, 1 << 8              // sstatus.SPP = 0: sret goes to user mode
        csrc    sstatus, t0
        RESTORE
        sret
